"""Open the stored bodies in position order and judge each event as the ledger stood before it.

The directory and the streams' states are derived again in the same pass, by the ledger's own pure
rules, from the very events that are judged; nothing is taken from a table that could have been
changed.
"""

import hmac
from typing import Final

import msgspec

from ledger.catalogue import CATALOGUE
from ledger.content import check_salt, content_digest
from ledger.decide import RuleContext, decide, streams_needed
from ledger.entry import MAX_TIME_MS, Entry
from ledger.errors import (
    CommandRefusedError,
    ContentRejectedError,
    CorruptionError,
    RejectedError,
)
from ledger.evolve import evolve
from ledger.facts import AnyFacts, FoundingFacts, HeadsFacts, SetAsideFacts, read_facts
from ledger.heads import MAX_LAG, HeadTree
from ledger.sealing import Frame, associated_data, is_sealed, open_body
from ledger.set_aside import SetAside
from ledger.state import DirectoryState, StreamState
from ledger.verify.entries import EntryChecker
from ledger.verify.in_the_open import decide_in_the_open
from ledger.verify.keys import StreamKeys
from ledger.verify.report import FindingCode, Findings, Place
from ledger.verify.set_aside import SetAsideChecker
from ledger.verify.signatures import Signature, SignatureChecker
from ledger.verify.snapshot import StoredEntry
from signing.errors import SigningError
from signing.statement import Statement, format_time_ms, parse_statement, statement_digest

MAX_CLOCK_AHEAD_MS: Final = 5 * 60 * 1000
_DIRECTORY_KINDS: Final = frozenset({"facility", "staff"})


class EventJudge:
    """Judges events one after the other; what it learns from them are the next ones' grounds.

    Attributes:
        directory: as the events so far have made it.
        set_aside: what was set aside, which events must record.
    """

    def __init__(
        self,
        findings: Findings,
        tree: EntryChecker,
        *,
        signatures: SignatureChecker,
        keys: StreamKeys | None,
        origin: str,
    ) -> None:
        """Prepare.

        Args:
            findings: where to report.
            tree: the entries up to and including the one that is judged.
            signatures: checks them, now or later.
            keys: of the sealed streams; None when the facility key is not at hand, and then
                only bodies of the directory may be given.
            origin: what bodies are bound to until the founding event has said it.
        """
        self.directory = DirectoryState.empty()
        self._signatures = signatures
        self._findings = findings
        self._tree = tree
        self._keys = keys
        self._origin = origin
        self._streams: dict[str, StreamState] = {}
        self.set_aside = SetAsideChecker(findings)
        self._latest = (0, "")

    def judge(self, row: StoredEntry, entry: Entry | None, body: bytes, place: Place) -> None:
        """Check one event and take it into the state that the following ones are judged on.

        (6) The body opens, its parts meet the digests in the entry, the statement is strict and
        says what the columns say. (7) The content meets the statement. (8) The signature is one
        by a key that the directory knew at this position. (9) The tree that its author saw is a
        prefix of this one. (10) The rules accept it.
        """
        frame = self._open(row, body, place)  # (6)
        if frame is None:
            return
        digest = statement_digest(frame.statement)
        if entry is not None:
            self._check_digests(frame, digest, entry, place)
        try:
            statement = parse_statement(frame.statement)
        except SigningError as error:
            self._findings.add("statement-malformed", place, error.code)
            return
        self._check_columns(statement, body, place)
        sound = self._check_content(statement, frame, place)  # (7)
        facts = self._read_facts(statement, frame, place, report=sound)
        sound &= self._check_signature(statement, frame, facts, place)  # (8)
        self._check_seen(statement, place)  # (9)
        if entry is not None:
            self._check_clock(statement, entry, place)
        if facts is None:
            return
        if isinstance(facts, HeadsFacts):
            self._check_heads(facts, place)
        context = self._context(statement, facts, row.position)
        sound &= self._check_rules(context, statement, facts, place)  # (10)
        self._evolve(context, statement, facts, digest, sound=sound)

    def _open(self, row: StoredEntry, body: bytes, place: Place) -> Frame | None:
        key = None if self._keys is None else self._keys.key(row.stream)
        origin = self.directory.origin or self._origin
        try:
            return open_body(body, key=key, aad=associated_data(origin, row.stream, row.event_id))
        except CorruptionError as error:
            detail = "the stream's key is missing" if key is None and body[:1] == b"\x01" else ""
            self._findings.add("body-unreadable", place, detail or _words(error))
            return None

    def _check_digests(self, frame: Frame, digest: bytes, entry: Entry, place: Place) -> None:
        if not hmac.compare_digest(digest, entry.statement_digest):
            self._findings.add("statement-mismatch", place, "not the statement that was entered")
        if not hmac.compare_digest(statement_digest(frame.container), entry.container_digest):
            self._findings.add("container-mismatch", place, "not the container that was entered")

    def _check_columns(self, statement: Statement, body: bytes, place: Place) -> None:
        if statement.stream != place.stream:
            self._findings.add("column-mismatch", place, "the statement names another stream")
        if statement.event_id != place.event_id:
            self._findings.add("column-mismatch", place, "the statement names another event_id")
        kind = CATALOGUE.get(statement.type)
        if kind is not None and kind.sealed != is_sealed(body):
            self._findings.add("rule-broken", place, "the body is stored in another type's form")
        if self._keys is not None:
            self._keys.check_kind(statement.stream_kind, place)

    def _check_content(self, statement: Statement, frame: Frame, place: Place) -> bool:
        claim = statement.content
        digest = content_digest(frame.salt, frame.content).hex()
        if len(frame.content) != claim.size or not hmac.compare_digest(digest, claim.digest):
            self._findings.add("content-mismatch", place, "not the content that was signed")
            return False
        try:
            check_salt(frame.salt)
        except RejectedError as error:
            self._findings.add("rule-broken", place, error.code)
        return True

    def _read_facts(
        self, statement: Statement, frame: Frame, place: Place, *, report: bool
    ) -> AnyFacts | None:
        try:
            return read_facts(statement, frame.content)
        except RejectedError as error:
            fault = error
        except RecursionError:  # admission refuses such texts before it reads them
            fault = ContentRejectedError("content-too-deep")
        # Its pointer may quote the content: only the code is told.
        if report:
            self._findings.add(_code_of(fault), place, fault.code)
        return None

    def _check_signature(
        self, statement: Statement, frame: Frame, facts: AnyFacts | None, place: Place
    ) -> bool:
        key = self.directory.key_for(statement.key_id)
        if key is None and isinstance(facts, FoundingFacts) and not self.directory.origin:
            first = facts.registrars[0]
            if (first.key_id, first.staff) == (statement.key_id, statement.signer):
                key = first
        if key is None:
            self._findings.add("key-not-valid", place, "the key was not enrolled at this position")
            return False
        signature = Signature(frame.container, frame.statement, key.spki, key.alg)
        if statement.stream_kind in _DIRECTORY_KINDS:
            return self._signatures.check(signature, place)
        return self._signatures.check_later(signature, place)

    def _check_seen(self, statement: Statement, place: Place) -> None:
        seen = statement.seen
        position = place.position or 0
        if isinstance(seen, msgspec.UnsetType):
            if position > 0:
                self._findings.add("seen-inconsistent", place, "the author names no tree")
        elif seen.size > position:
            self._findings.add("seen-inconsistent", place, "the author saw a later tree than this")
        elif seen.size <= self._tree.tree.size and (
            self._tree.tree.root_at(seen.size).hex() != seen.root
        ):
            self._findings.add(
                "seen-inconsistent",
                place,
                f"the author saw another history of the first {seen.size} entries",
            )

    def _check_clock(self, statement: Statement, entry: Entry, place: Place) -> None:
        # Times have one spelling of one length, so that text compares as time does. What was not
        # too late for an earlier receipt is not for this one: that spares most of the formatting.
        claimed = max(statement.signed_at, statement.occurred_at)
        since_ms, latest = self._latest
        if claimed <= latest and since_ms <= entry.received_at_ms:
            return
        latest = format_time_ms(min(entry.received_at_ms + MAX_CLOCK_AHEAD_MS, MAX_TIME_MS))
        self._latest = (entry.received_at_ms, latest)
        if claimed > latest:
            self._findings.add("rule-broken", place, "clock-ahead")

    def _check_heads(self, facts: HeadsFacts, place: Place) -> None:
        if not 0 <= (place.position or 0) - facts.size <= MAX_LAG:
            return  # the rules refuse it, and what was then is not remembered
        tree = HeadTree(self._tree.heads.at(facts.size))
        if tree.streams != facts.streams or tree.root().hex() != facts.root:
            self._findings.add(
                "heads-mismatch",
                place,
                f"the newest entries of the streams at {facts.size} entries were others",
            )

    def _context(self, statement: Statement, facts: AnyFacts, position: int) -> RuleContext:
        names = (statement.stream, *streams_needed(statement, facts))
        return RuleContext(
            directory=self.directory,
            streams={name: self._streams.get(name) or StreamState.empty(name) for name in names},
            position=position,
            set_aside=self._set_aside_at(position) if isinstance(facts, SetAsideFacts) else None,
        )

    def _set_aside_at(self, position: int) -> SetAside | None:
        return self.set_aside.at(position, self._tree.tree)

    def _check_rules(
        self, context: RuleContext, statement: Statement, facts: AnyFacts, place: Place
    ) -> bool:
        try:
            if self._keys is not None or isinstance(facts, FoundingFacts):
                decide(context, statement, facts)
            else:
                decide_in_the_open(context, statement, facts)
        except CommandRefusedError as error:
            self._findings.add(_code_of(error), place, f"{error.code} {error.pointer}".strip())
            return False
        return True

    def _evolve(
        self,
        context: RuleContext,
        statement: Statement,
        facts: AnyFacts,
        digest: bytes,
        *,
        sound: bool,
    ) -> None:
        """Take the event into the state.

        A refused event of a patient or record is taken in where possible, so that those after it
        are not all refused as well. Not so in the directory: a key that was wrongly enrolled must
        not make what it signs look right. The founding event is all there is to begin with.
        """
        founding = isinstance(facts, FoundingFacts) and not self.directory.origin
        if not (sound or founding) and statement.stream_kind in _DIRECTORY_KINDS:
            return
        try:
            evolve(context, statement, facts, statement_digest=digest)
        except (RejectedError, LookupError):
            if sound:
                raise
        state = context.streams[statement.stream]
        self._streams[statement.stream] = state


def _code_of(error: RejectedError) -> FindingCode:
    match error.code:
        case "key-not-valid":
            return "key-not-valid"
        case "role-not-valid":
            return "role-not-valid"
        case code if code.startswith("reference-"):
            return "reference-mismatch"
        case code if code.startswith("set-aside-"):
            return "set-aside-mismatch"
        case _:
            return "rule-broken"


def _words(error: CorruptionError) -> str:
    return str(error).removeprefix(f"{error.code}: ")
