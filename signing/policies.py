"""Read witness policies and judge checkpoints by them (c2sp.org/tlog-policy, draft of 2026).

A policy names logs and witnesses by their keys, and says which witnesses are enough: the quorum.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from signing.checkpoints import Checkpoint, parse_checkpoint
from signing.cosignatures import load_cosigner_verifier, load_log_verifier
from signing.errors import (
    MalformedKeyError,
    MalformedNoteError,
    QuorumMissingError,
    UnknownKeyError,
)
from signing.notes import NoteVerifier, parse_note, verify_note

MAX_POLICY_BYTES: Final = 1 << 20
MAX_DEFINITIONS: Final = 1000
"""The draft asks for "at least up to 32 logs, 32 witnesses, and 32 groups"."""

NO_QUORUM: Final = "none"
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_SPACES: Final = re.compile("[ \t]+")
_COUNT: Final = re.compile("[1-9][0-9]{0,3}", re.ASCII)


class PolicyLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log whose checkpoints are accepted.

    Attributes:
        verifier: its key, named by its origin.
        url: where it is, or None.
    """

    verifier: NoteVerifier
    url: str | None


class PolicyWitness(msgspec.Struct, frozen=True, kw_only=True):
    """A witness whose cosignatures count.

    Attributes:
        name: of no meaning outside the policy.
        verifier: its key.
        url: submission prefix (c2sp.org/tlog-witness), or None.
    """

    name: str
    verifier: NoteVerifier
    url: str | None


class PolicyGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Witnesses and groups of which `threshold` must have cosigned."""

    name: str
    threshold: int
    members: tuple[str, ...]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy finds in a signed checkpoint.

    Attributes:
        checkpoint: signed by a log of the policy.
        cosigned: POSIX seconds at which each witness cosigned, by its name in the policy.
        reached: whether these are a quorum.
        witnesses: how many the policy knows.
    """

    checkpoint: Checkpoint
    cosigned: Mapping[str, int]
    reached: bool
    witnesses: int


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Which logs to believe, when which witnesses have cosigned.

    Attributes:
        logs: any of them may have signed.
        witnesses: in the order of the file.
        groups: each after its members.
        quorum: name of a witness or group, or `none`.
    """

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[PolicyGroup, ...]
    quorum: str

    def judge(self, signed: bytes) -> Judgement:
        """Check the signatures of a checkpoint; count its witnesses.

        Raises:
            InvalidSignatureError: `signature-invalid`: a signature said to be by a key of the
                policy is not.
            MalformedNoteError: not a checkpoint, or two lines of one key.
            UnknownKeyError: `note-not-signed`: not signed by a log of this policy.
        """
        note = parse_note(signed)
        checkpoint = parse_checkpoint(note.text)
        logs = [log.verifier for log in self.logs if log.verifier.vkey.name == checkpoint.origin]
        names = {_identity(one.verifier): one.name for one in self.witnesses}
        verified = verify_note(note, [*logs, *(one.verifier for one in self.witnesses)])
        by_log = {_identity(log) for log in logs}
        found = [((one.line.name, one.line.key_hash), one.time_seconds) for one in verified]
        if not any(identity in by_log for identity, _ in found):
            raise UnknownKeyError("note-not-signed", "no signature by a log of the policy")
        # A witness that claims no time (0) says nothing of the log's newest state.
        cosigned = {names[who]: when for who, when in found if who in names and when}
        return Judgement(
            checkpoint=checkpoint,
            cosigned=cosigned,
            reached=self._is_reached(set(cosigned)),
            witnesses=len(self.witnesses),
        )

    def verify(self, signed: bytes) -> Judgement:
        """Check that a checkpoint is signed by a log and cosigned by a quorum.

        Raises:
            QuorumMissingError: `quorum-missing`.
            InvalidSignatureError, MalformedNoteError, UnknownKeyError: as `judge`.
        """
        judgement = self.judge(signed)
        if not judgement.reached:
            count = f"{len(judgement.cosigned)} of {judgement.witnesses} witnesses"
            raise QuorumMissingError("quorum-missing", f"cosigned by {count}")
        return judgement

    def _is_reached(self, satisfied: set[str]) -> bool:
        for group in self.groups:
            if len(satisfied.intersection(group.members)) >= group.threshold:
                satisfied.add(group.name)
        return self.quorum == NO_QUORUM or self.quorum in satisfied


def parse_policy(data: bytes) -> Policy:
    """Read a policy file.

    Raises:
        MalformedNoteError: `policy-malformed`, with the number of the line, from 1.
    """
    if len(data) > MAX_POLICY_BYTES:
        raise MalformedNoteError("policy-malformed", "larger than 1 MiB")
    reader = _PolicyReader()
    # Octets above 0x7F are opaque: no text is compared by anything but its bytes.
    for number, line in enumerate(data.decode(errors="surrogateescape").split("\n"), 1):
        try:
            reader.read(line)
        except (ValueError, MalformedKeyError) as error:
            raise MalformedNoteError("policy-malformed", f"line {number}: {error}") from None
    return reader.policy()


class _PolicyReader:
    """Reads a policy line by line; names must be defined before they are used."""

    def __init__(self) -> None:
        self._logs: list[PolicyLog] = []
        self._witnesses: list[PolicyWitness] = []
        self._groups: list[PolicyGroup] = []
        self._names: set[str] = set()
        self._used: set[str] = set()
        self._keys: set[tuple[str, bytes]] = set()
        self._quorum: str | None = None

    def read(self, line: str) -> None:
        """Read one line without its newline."""
        if _CONTROL.search(line):
            raise ValueError("a control character")
        words = _SPACES.split(line.strip(" \t"))
        match words:
            case [""]:
                pass
            case [first, *_] if first.startswith("#"):
                pass
            case ["log", vkey, *url] if len(url) <= 1:
                self._add_log(vkey, url)
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self._add_witness(name, vkey, url)
            case ["group", name, threshold, *members] if members:
                self._add_group(name, threshold, members)
            case ["quorum", name]:
                self._set_quorum(name)
            case _:
                raise ValueError("not a line of a policy")

    def policy(self) -> Policy:
        """Return the policy once all lines are read."""
        if self._quorum is None:
            raise MalformedNoteError("policy-malformed", "no quorum line")
        return Policy(
            logs=tuple(self._logs),
            witnesses=tuple(self._witnesses),
            groups=tuple(self._groups),
            quorum=self._quorum,
        )

    def _add_log(self, vkey: str, url: list[str]) -> None:
        verifier = load_log_verifier(vkey)
        self._take_key("log", verifier)
        self._logs.append(PolicyLog(verifier=verifier, url=url[0] if url else None))

    def _add_witness(self, name: str, vkey: str, url: list[str]) -> None:
        self._define(name)
        verifier = load_cosigner_verifier(vkey)
        self._take_key("witness", verifier)
        witness = PolicyWitness(name=name, verifier=verifier, url=url[0] if url else None)
        self._witnesses.append(witness)

    def _add_group(self, name: str, threshold: str, members: list[str]) -> None:
        for member in members:
            if member not in self._names:
                raise ValueError("a member is not defined before")
            if member in self._used:
                raise ValueError("a member is listed a second time")
            self._used.add(member)
        self._define(name)
        count = {"any": "1", "all": str(len(members))}.get(threshold, threshold)
        if not _COUNT.fullmatch(count) or int(count) > len(members):
            raise ValueError("a threshold is from 1 to the number of members")
        group = PolicyGroup(name=name, threshold=int(count), members=tuple(members))
        self._groups.append(group)

    def _set_quorum(self, name: str) -> None:
        if self._quorum is not None:
            raise ValueError("a second quorum line")
        if name != NO_QUORUM and name not in self._names:
            raise ValueError("the quorum is not defined before")
        self._quorum = name

    def _define(self, name: str) -> None:
        if name == NO_QUORUM or name in self._names:
            raise ValueError("a name is reserved or defined twice")
        if len(self._names) >= MAX_DEFINITIONS:
            raise ValueError("too many definitions")
        self._names.add(name)

    def _take_key(self, kind: str, verifier: NoteVerifier) -> None:
        # "duplicate if they wrap the same underlying public key, even if they differ by key name"
        key = (kind, verifier.vkey.public_key)
        if key in self._keys:
            raise ValueError("a second line with this key")
        self._keys.add(key)


def _identity(verifier: NoteVerifier) -> tuple[str, bytes]:
    return verifier.vkey.name, verifier.vkey.key_hash
