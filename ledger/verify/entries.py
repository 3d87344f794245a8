"""Check the rows of `entry` in one span against themselves; no key is needed, nor what is before.

What only the rows before can tell is handed on: `ledger.verify.joining` joins the spans.
"""

from array import array
from collections.abc import Iterable
from hashlib import sha256
from struct import Struct
from typing import Final
from uuid import UUID

import msgspec

from ledger.entry import ENTRY_BYTES, LINK_PREFIX, MAGIC, MAX_TIME_MS, ZERO_HASH
from ledger.merkle import HASH_BYTES, TILE_WIDTH
from ledger.verify.report import FindingCode, Findings, Place
from ledger.verify.rows import StoredEntry
from ledger.verify.tree import block_hash

_HEAD: Final = Struct(">4sQ")
_VERSION: Final = Struct(">Q")
_LINK: Final = slice(12, 44)
_ID_BYTES: Final = 16

Newest = tuple[int, bytes]
"""A stream's newest event: version and leaf hash."""
NO_EVENT: Final[Newest] = (0, ZERO_HASH)


class Opening(msgspec.Struct, frozen=True, array_like=True):
    """The first row of a stream within a span: what its predecessor must fit."""

    position: int
    stream: bytes
    event_id: bytes
    version: int
    salt: bytes
    link: bytes


class CheckedSpan(msgspec.Struct, kw_only=True):
    """What is known of a span's rows when they were checked by themselves.

    Attributes:
        rows: how many there are.
        first: position of the first row in its place; None when there is none.
        next: position that should follow the last one.
        whole: whether no position is missing in between.
        blocks: hashes of the complete blocks of 256 leaves at its start, joined; of a span that
            starts with a block.
        leaves: the leaf hashes after them, up to the first gap.
        openings: the first row of each stream.
        newest: the newest event of each stream.
        ids: the last eight bytes of each event_id, as sorted unsigned numbers.
        received: place and time of the first entry that has a time; None when there is none.
        received_last: time of the last one.
    """

    rows: int = 0
    first: int | None = None
    next: int = 0
    whole: bool = True
    blocks: bytes = b""
    leaves: list[bytes] = msgspec.field(default_factory=list[bytes])
    openings: list[Opening] = msgspec.field(default_factory=list[Opening])
    newest: dict[bytes, Newest] = msgspec.field(default_factory=dict[bytes, Newest])
    ids: bytes = b""
    received: tuple[Place, int] | None = None
    received_last: int = 0


def uuid_text(data: bytes) -> str:
    """Return the canonical text of a UUID's 16 bytes; "" for what is null."""
    return str(UUID(bytes=data)) if len(data) == _ID_BYTES else ""


def place_of(row: StoredEntry) -> Place:
    """Return where a row stands, as its columns name it."""
    return Place(
        position=row.position, stream=uuid_text(row.stream), event_id=uuid_text(row.event_id)
    )


def chain_fault(opening: Opening, before: Newest) -> tuple[FindingCode, str] | None:
    """Return (4) what keeps a row from following its stream's event before, or None."""
    version, previous = before
    if opening.version != version + 1 or version < 0:
        return "version-gap", f"version {opening.version} of its stream after {version}"
    if len(opening.salt) == HASH_BYTES and opening.link in {b"", _link(opening, previous)}:
        return None
    return "link-broken", "the link is not that of its version, salt and predecessor"


def _link(opening: Opening, previous: bytes) -> bytes:
    return sha256(LINK_PREFIX + opening.salt + _VERSION.pack(opening.version) + previous).digest()


class SpanChecker:
    """Checks the rows of one span, in the order of their positions."""

    def __init__(self, findings: Findings, *, start: int, blocks: bool = True) -> None:
        """Begin at the position that should come first.

        Args:
            findings: where to report.
            start: that position.
            blocks: whether to hash complete blocks, when the span starts with one.
        """
        self._findings = findings
        self._blocks = blocks and start % TILE_WIDTH == 0
        self._span = CheckedSpan(next=start)
        self._received = -1
        self._ids: list[bytes] = []

    def check(self, rows: Iterable[StoredEntry]) -> CheckedSpan:
        """Check all rows of the span; return what they say together."""
        self.take(rows)
        return self.finish()

    def take(self, rows: Iterable[StoredEntry]) -> None:
        """Check the next rows.

        (2) Positions follow one another. (3) Each is an entry, with its leaf hash. (4) Each
        follows the previous version of its stream. (5) None was received before its predecessor.
        """
        span = self._span
        for row in rows:
            span.rows += 1
            self._ids.append(row.event_id.rjust(_ID_BYTES, b"\0"))
            leaf = sha256(b"\x00" + row.entry).digest()
            if row.position == span.next or self._is_ahead(row):
                if span.first is None:
                    span.first = row.position
                span.next = row.position + 1
                if span.whole:
                    span.leaves.append(leaf)
            if leaf != row.leaf_hash:
                self._add("leaf-mismatch", row, "the leaf hash is not that of the entry")
            self._check_chain(row, leaf, self._link_in(row))

    def finish(self) -> CheckedSpan:
        """Return what all rows say together."""
        span = self._span
        span.ids = numbers_in(b"".join(self._ids))
        if self._blocks:
            _gather_blocks(span)
        return span

    def _is_ahead(self, row: StoredEntry) -> bool:
        """Take a row that is not at the next position; tell whether it is at a later one."""
        span = self._span
        if row.position < span.next:
            detail = "two rows have this position" if row.position >= 0 else "not a position"
            self._add("position-gap", row, detail)
            return False
        if span.first is not None:  # whether there is a gap before the first one: see the join
            report_gap(self._findings, span.next, row.position - 1)
            span.whole = False
        return True

    def _link_in(self, row: StoredEntry) -> bytes:
        """Check form and time of an entry; return its link, or nothing."""
        entry = row.entry
        if len(entry) == ENTRY_BYTES:
            magic, received = _HEAD.unpack_from(entry)
            if magic == MAGIC and received <= MAX_TIME_MS:
                if received < self._received:
                    self._add("time-regression", row, "received before its predecessor")
                elif self._received < 0:
                    self._span.received = (place_of(row), received)
                self._received = self._span.received_last = received
                return entry[_LINK]
        self._add("entry-malformed", row, "not an entry of a known form")
        return b""

    def _check_chain(self, row: StoredEntry, leaf: bytes, link: bytes) -> None:
        stream, version = row.stream, row.version
        newest = self._span.newest
        before = newest.get(stream)
        newest[stream] = (version, leaf)
        if before is not None:
            salt = row.link_salt
            if version == before[0] + 1 > 0 and len(salt) == HASH_BYTES:
                expected = LINK_PREFIX + salt + _VERSION.pack(version) + before[1]
                if sha256(expected).digest() == link:
                    return
        opening = Opening(row.position, stream, row.event_id, version, row.link_salt, link)
        if before is None:
            self._span.openings.append(opening)
        elif (fault := chain_fault(opening, before)) is not None:
            self._add(fault[0], row, fault[1])

    def _add(self, code: FindingCode, row: StoredEntry, detail: str) -> None:
        self._findings.add(code, place_of(row), detail)


def report_gap(findings: Findings, first: int, last: int) -> None:
    """Report (2) that positions have no row."""
    findings.add("position-gap", Place(position=first), f"positions {first} to {last} have no row")


def numbers_in(ids: bytes) -> bytes:
    """Return the last eight of each 16 bytes as sorted numbers, an `array("Q")`'s bytes."""
    return array("Q", sorted(array("Q", ids)[1::2])).tobytes()


def _gather_blocks(span: CheckedSpan) -> None:
    count = len(span.leaves) // TILE_WIDTH * TILE_WIDTH
    span.blocks = b"".join(
        block_hash(span.leaves[at : at + TILE_WIDTH]) for at in range(0, count, TILE_WIDTH)
    )
    del span.leaves[:count]
