"""Join checked spans of entries, in the order of their positions, into one tree and its streams."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from ledger.heads import (
    StreamHead,
    head_key,
    head_of_key,
    key_of_head,
    read_head,
    root_over,
)
from ledger.merkle import HASH_BYTES, TILE_WIDTH, TileHash
from ledger.verify.entries import (
    NO_EVENT,
    CheckedSpan,
    Newest,
    Opening,
    chain_fault,
    report_gap,
    uuid_text,
)
from ledger.verify.report import NOWHERE, Findings, Place
from ledger.verify.rows import HeadRow, StoredTile
from ledger.verify.tree import LeavesOf, LedgerTree, no_leaves


class NewestEvents(Protocol):
    """Knows the newest event of each stream among the entries joined so far."""

    def get(self, stream: bytes) -> Newest | None:
        """Return version and leaf hash of a stream's newest event."""
        ...

    def update(self, newest: dict[bytes, Newest]) -> None:
        """Take newer events of some streams."""
        ...


class PackedNewest(NewestEvents):
    """The newest events, each as the 72 bytes of its stream's head (docs/format.md §14)."""

    def __init__(self) -> None:
        self._packed: dict[bytes, bytes] = {}

    def get(self, stream: bytes) -> Newest | None:
        """Return version and leaf hash of a stream's newest event."""
        packed = self._packed.get(stream)
        return None if packed is None else read_head(packed)

    def update(self, newest: dict[bytes, Newest]) -> None:
        """Take newer events of some streams."""
        for stream, (version, leaf) in newest.items():
            self._packed[stream] = self._head(stream, StreamHead(version, leaf))

    def root_with(self, newer: dict[bytes, Newest]) -> tuple[int, str]:
        """Return the number of streams and the root over their heads if these were the newest.

        `update` with the same events, and more, may follow.
        """
        packed = dict(self._packed)
        for stream, (version, leaf) in newer.items():
            packed[stream] = self._head(stream, StreamHead(version, leaf))
        return root_over(packed.values())

    def _head(self, stream: bytes, head: StreamHead) -> bytes:
        before = self._packed.get(stream)
        key = head_key(uuid_text(stream)) if before is None else key_of_head(before)
        return head_of_key(key, head)


class SpanJoiner:
    """Takes spans in the order of their positions, then the head.

    After a gap the tree cannot be rebuilt, so the tree stays as it was before the gap, and what
    would be compared with it (tiles, head, what authors have seen) is not compared any more: the
    gap is the finding.

    Attributes:
        tree: of all entries before the first gap.
        whole: whether there was no gap so far.
        checked: number of rows taken.
        newest: of all streams, as their columns name them.
        next: the position that should come next.
    """

    def __init__(
        self, findings: Findings, *, newest: NewestEvents, leaves_of: LeavesOf = no_leaves
    ) -> None:
        self.tree = LedgerTree(leaves_of)
        self.whole = True
        self.checked = 0
        self.newest = newest
        self.next = 0
        self._findings = findings
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._received_at_ms = 0

    def expect(self, tiles: Iterable[StoredTile]) -> None:
        """Take stored tiles, which entries to come should complete."""
        self._tiles.update(((tile.level, tile.number), tile.hash) for tile in tiles)

    def join(self, span: CheckedSpan) -> None:
        """Take the next span."""
        self.checked += span.rows
        if span.first is not None:  # (2)
            self._miss_before(span.first)
            if self.whole:
                self._grow(span)  # (3)
            self.whole &= span.whole
            self.next = span.next
        for opening in span.openings:  # (4)
            self._check_opening(opening)
        self.newest.update(span.newest)
        if span.received is not None:  # (5)
            place, at_ms = span.received
            if at_ms < self._received_at_ms:
                self._findings.add("time-regression", place, "received before its predecessor")
            self._received_at_ms = span.received_last

    def finish(self, heads: Sequence[HeadRow]) -> None:
        """Check (1) the head row, and the tiles that no entry completed, when all rows are in.

        More rows may follow, of a later moment, and then it may be called again.
        """
        if len(heads) == 1 and heads[0].one:
            self._check_head(heads[0])
        else:
            last = Place(position=self.next - 1) if self.next else NOWHERE
            self._findings.add("head-mismatch", last, "there must be one head row, marked so")
        if not self.whole:
            return
        for level, number in sorted(self._tiles):
            place = Place(position=number * TILE_WIDTH**level)
            self._findings.add("tile-mismatch", place, "a tile hash that no entries complete")

    def _miss_before(self, position: int) -> None:
        if position > self.next:
            self.whole = False
            report_gap(self._findings, self.next, position - 1)

    def _grow(self, span: CheckedSpan) -> None:
        for at in range(0, len(span.blocks), HASH_BYTES):
            for tile in self.tree.append_block(span.blocks[at : at + HASH_BYTES]):
                self._check_tile(tile)
        for leaf in span.leaves:
            for tile in self.tree.append(leaf):
                self._check_tile(tile)

    def _check_tile(self, tile: TileHash) -> None:
        stored = self._tiles.pop((tile.level, tile.number), None)
        if stored != tile.hash:
            what = "is missing" if stored is None else "is not that of its leaves"
            width = TILE_WIDTH**tile.level
            self._findings.add(
                "tile-mismatch",
                Place(position=tile.number * width),
                f"the hash of the subtree up to position {(tile.number + 1) * width - 1} {what}",
            )

    def _check_opening(self, opening: Opening) -> None:
        fault = chain_fault(opening, self.newest.get(opening.stream) or NO_EVENT)
        if fault is not None:
            place = Place(
                position=opening.position,
                stream=uuid_text(opening.stream),
                event_id=uuid_text(opening.event_id),
            )
            self._findings.add(fault[0], place, fault[1])

    def _check_head(self, head: HeadRow) -> None:
        if head.size > self.next:
            self._miss_before(head.size)
        elif head.size < self.next:
            self._findings.add(
                "head-mismatch",
                Place(position=max(head.size, 0)),
                f"the head has size {head.size}; rows go on to position {self.next - 1}",
            )
        last = Place(position=head.size - 1) if head.size > 0 else NOWHERE
        if not self.whole:
            self._findings.add("head-mismatch", last, "entries of this tree are missing")
        elif 0 <= head.size <= self.tree.size:
            if self.tree.root_at(head.size) != head.root:
                self._findings.add("head-mismatch", last, "the root is not that of the entries")
            elif head.size == self.tree.size and head.peaks != self.tree.peaks:
                self._findings.add("head-mismatch", last, "the peaks are not those of the entries")
