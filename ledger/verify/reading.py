"""Open stored bodies and check everything about an event that needs no other event.

What the rules need of it is handed on as a `ReadEvent`, which is small and holds no content.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from ledger.catalogue import CATALOGUE
from ledger.content import check_salt, content_digest
from ledger.entry import MAX_TIME_MS, Entry, decode_entry
from ledger.errors import ContentRejectedError, CorruptionError, RejectedError
from ledger.facts import AnyFacts, EnrolledKey, read_facts
from ledger.sealing import Frame, StreamOpener, is_sealed
from ledger.state import KeyState
from ledger.verify.keys import StreamKeys
from ledger.verify.report import FindingCode, Findings, Place
from ledger.verify.rows import StoredEvent
from ledger.verify.signatures import Fault, Signature, faults_of
from ledger.verify.tree import LedgerTree
from signing.errors import SigningError
from signing.statement import Statement, format_time_ms, parse_statement, statement_digest

MAX_CLOCK_AHEAD_MS: Final = 5 * 60 * 1000
DIRECTORY_KINDS: Final = frozenset({"facility", "staff"})

KeyOf = Callable[[Statement, AnyFacts | None, int], KeyState | EnrolledKey | None]
"""Finds the key that a statement names if it was enrolled before a position; it may be revoked."""


class ReadEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules need of an event whose bytes were checked.

    Attributes:
        place: where it stands.
        statement: as signed.
        facts: of the content; None when it has none that could be read.
        digest: SHA-256 of the statement's bytes.
        sound: whether signature, content and profile are in order.
    """

    place: Place
    statement: Statement
    facts: AnyFacts | None
    digest: bytes
    sound: bool


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """How much is looked at.

    Attributes:
        signatures: whether signatures are checked.
        rules: whether contents are read by their profiles, and rules applied.
    """

    signatures: bool = True
    rules: bool = True


DepthOf = Callable[[StoredEvent], Depth]
"""Tells how much of an event is looked at."""


class _Read(NamedTuple):
    """An event all of which is checked but its signature.

    Attributes:
        signature: to be checked, or why it cannot be; None when it is not looked at.
    """

    event: ReadEvent
    signature: Signature | Fault | None


class EventReader:
    """Reads events one after the other, each by itself.

    Attributes:
        signatures_checked: signatures looked at, valid or not.
        depth_of: tells how much of an event is looked at; all, if nobody says otherwise.
    """

    def __init__(
        self,
        findings: Findings,
        tree: LedgerTree,
        *,
        keys: StreamKeys | None,
        key_of: KeyOf,
        origin: str,
    ) -> None:
        """Prepare.

        Args:
            findings: where to report.
            tree: of which authors have seen earlier sizes.
            keys: of the sealed streams; None when the facility key is not at hand, and then
                only bodies of the directory may be given.
            key_of: finds the key to check a signature by.
            origin: what bodies are bound to.
        """
        self.signatures_checked = 0
        whole = Depth()
        self.depth_of: DepthOf = lambda _row: whole
        self._findings = findings
        self._tree = tree
        self._keys = keys
        self._key_of = key_of
        # Binds to no stream, for without a key it opens only what is bound to none.
        self._plain = StreamOpener(None, origin=origin, stream="")
        self._latest = (0, "")

    def read(self, row: StoredEvent) -> ReadEvent | None:
        """Check one event; return what the rules need, or None when nothing can be told.

        (6) The body opens, its parts meet the digests in the entry, the statement is strict and
        says what the columns say. (7) The content meets the statement. (8) The signature is one
        by the key that it names. (9) The tree that its author saw is a prefix of this one.
        """
        return next(self.read_page([row]))

    def read_page(self, rows: Iterable[StoredEvent]) -> Iterator[ReadEvent | None]:
        """Read some events as `read` does; their signatures are checked last, one after the other.

        So the key of each must be known before any of them is judged.
        """
        page = [self._read(row) for row in rows]
        faults = faults_of([None if one is None else one.signature for one in page])
        for one, fault in zip(page, faults, strict=True):  # (8)
            if one is None or fault is None:
                yield None if one is None else one.event
                continue
            self._findings.add(fault.code, one.event.place, fault.detail)
            yield msgspec.structs.replace(one.event, sound=False)

    def _read(self, row: StoredEvent) -> _Read | None:
        """Check all of an event but its signature."""
        place = Place(position=row.position, stream=row.stream, event_id=row.event_id)
        if row.body is None:
            self._findings.add("body-missing", place, "the event has no stored body")
            return None
        frame = self._open(row, row.body, place)  # (6)
        if frame is None:
            return None
        digest = statement_digest(frame.statement)
        entry = _entry_of(row)
        if entry is not None:
            self._check_digests(frame, digest, entry, place)
        try:
            statement = parse_statement(frame.statement)
        except SigningError as error:
            self._findings.add("statement-malformed", place, error.code)
            return None
        self._check_columns(statement, row.body, place)
        sound = self._check_content(statement, frame, place)  # (7)
        depth = self.depth_of(row)
        facts = None
        if depth.rules or statement.stream_kind in DIRECTORY_KINDS:
            facts = self._read_facts(statement, frame, place, report=sound)
        self._check_seen(statement, place)  # (9)
        if entry is not None:
            self._check_clock(statement, entry, place)
        event = ReadEvent(place=place, statement=statement, facts=facts, digest=digest, sound=sound)
        return _Read(event, self._signature(event, frame) if depth.signatures else None)

    def _open(self, row: StoredEvent, body: bytes, place: Place) -> Frame | None:
        opener = self._plain if self._keys is None else self._keys.opener(row.stream)
        try:
            return opener.open(body, row.event_id)
        except CorruptionError as error:
            self._findings.add("body-unreadable", place, _words(error))
            return None

    def _check_digests(self, frame: Frame, digest: bytes, entry: Entry, place: Place) -> None:
        if digest != entry.statement_digest:
            self._findings.add("statement-mismatch", place, "not the statement that was entered")
        if statement_digest(frame.container) != entry.container_digest:
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
        if len(frame.content) != claim.size or digest != claim.digest:
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
            self._findings.add(code_of(fault), place, fault.code)
        return None

    def _signature(self, event: ReadEvent, frame: Frame) -> Signature | Fault:
        key = self._key_of(event.statement, event.facts, event.place.position or 0)
        if key is None:
            return Fault("key-not-valid", "the key was not enrolled at this position")
        self.signatures_checked += 1
        return Signature(frame.container, frame.statement, key.spki, key.alg)

    def _check_seen(self, statement: Statement, place: Place) -> None:
        seen = statement.seen
        position = place.position or 0
        if isinstance(seen, msgspec.UnsetType):
            if position > 0:
                self._findings.add("seen-inconsistent", place, "the author names no tree")
        elif seen.size > position:
            self._findings.add("seen-inconsistent", place, "the author saw a later tree than this")
        elif seen.size <= self._tree.size and self._tree.root_at(seen.size).hex() != seen.root:
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


def code_of(error: RejectedError) -> FindingCode:
    """Return the finding's code for a refusal."""
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


def _entry_of(row: StoredEvent) -> Entry | None:
    try:
        return decode_entry(row.entry)
    except CorruptionError:
        return None


def _words(error: CorruptionError) -> str:
    return str(error).removeprefix(f"{error.code}: ")
