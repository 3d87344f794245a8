"""Check the rows of `entry` against themselves, the tree and the head: no key is needed here."""

from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from ledger.entry import ZERO_HASH, Entry, decode_entry, link_hash
from ledger.errors import CorruptionError
from ledger.heads import StreamHead, StreamHeads
from ledger.merkle import TILE_WIDTH, TileHash, leaf_hash
from ledger.verify.report import NOWHERE, Findings, Place
from ledger.verify.snapshot import HeadRow, StoredEntry, StoredTile
from ledger.verify.tree import LedgerTree

_HASH_BYTES: Final = 32
_BUCKETS: Final = 16
_NO_HEAD: Final = StreamHead(0, ZERO_HASH)


class EntryChecker:
    """Takes rows in position order, each once, then the head.

    After a gap the tree cannot be rebuilt, so the tree stays as it was before the gap, and what
    would be compared with it (tiles, head, what authors have seen) is not compared any more: the
    gap is the finding.

    Attributes:
        tree: of all entries before the first gap.
        whole: whether there was no gap so far.
        checked: number of rows taken.
        heads: of all streams, as their columns name them.
    """

    def __init__(self, findings: Findings, tiles: Iterable[StoredTile]) -> None:
        self.tree = LedgerTree()
        self.whole = True
        self.checked = 0
        self._findings = findings
        self._tiles: dict[tuple[int, int], bytes] = {}
        self.expect(tiles)
        self._next = 0
        self.heads = StreamHeads()
        self._received_at_ms = 0
        self._event_ids = RepeatedIds()

    @property
    def next_position(self) -> int:
        """The position that should come next."""
        return self._next

    def expect(self, tiles: Iterable[StoredTile]) -> None:
        """Take further stored tiles, which entries to come should complete."""
        self._tiles.update(((tile.level, tile.number), tile.hash) for tile in tiles)

    def check(self, row: StoredEntry, place: Place) -> tuple[bytes, Entry | None]:
        """Check one row; return its leaf hash, as computed, and its entry if it is one.

        (2) Its position follows the one before. (3) It is an entry, with its leaf hash, and
        completes the stored tiles. (4) It follows the previous version of its stream, and its
        event_id is new. (5) It was not received before its predecessor.
        """
        self.checked += 1
        follows = self._check_position(row.position, place)  # (2)
        leaf = leaf_hash(row.entry)  # (3)
        if leaf != row.leaf_hash:
            self._findings.add("leaf-mismatch", place, "the leaf hash is not that of the entry")
        try:
            entry = decode_entry(row.entry)
        except CorruptionError:
            entry = None
            self._findings.add("entry-malformed", place, "not an entry of a known form")
        if follows and self.whole:
            for tile in self.tree.append(leaf):
                self._check_tile(tile, place)
        self._check_chain(row, leaf, entry, place)  # (4)
        self._event_ids.add(row.event_id)
        if entry is not None:  # (5)
            if entry.received_at_ms < self._received_at_ms:
                self._findings.add("time-regression", place, "received before its predecessor")
            self._received_at_ms = entry.received_at_ms
        return leaf, entry

    def repeated_ids(self) -> frozenset[int]:
        """Return the hashes of event ids that occurred more than once."""
        return self._event_ids.repeated()

    def finish(self, heads: Sequence[HeadRow]) -> None:
        """Check (1) the head row, and the tiles that no entry completed, when all rows are in.

        More rows may follow, of a later moment, and then it may be called again.
        """
        if len(heads) == 1 and heads[0].one:
            self._check_head(heads[0])
        else:
            last = Place(position=self._next - 1) if self._next else NOWHERE
            self._findings.add("head-mismatch", last, "there must be one head row, marked so")
        if not self.whole:
            return
        for level, number in sorted(self._tiles):
            place = Place(position=number * TILE_WIDTH**level)
            self._findings.add("tile-mismatch", place, "a tile hash that no entries complete")

    def _check_position(self, position: int, place: Place) -> bool:
        expected = self._next
        if position == expected:
            self._next = position + 1
            return True
        if position < expected:
            detail = "two rows have this position" if position >= 0 else "not a position"
            self._findings.add("position-gap", place, detail)
            return False
        self._miss(expected, position - 1)
        self._next = position + 1
        return True

    def _miss(self, first: int, last: int) -> None:
        self.whole = False
        self._findings.add(
            "position-gap", Place(position=first), f"positions {first} to {last} have no row"
        )

    def _check_tile(self, tile: TileHash, place: Place) -> None:
        stored = self._tiles.pop((tile.level, tile.number), None)
        if stored != tile.hash:
            what = "is missing" if stored is None else "is not that of its leaves"
            self._findings.add(
                "tile-mismatch",
                Place(position=tile.number * TILE_WIDTH**tile.level),
                f"the hash of the subtree up to position {place.position} {what}",
            )

    def _check_chain(
        self, row: StoredEntry, leaf: bytes, entry: Entry | None, place: Place
    ) -> None:
        version, previous = self.heads.get(row.stream) or _NO_HEAD
        if row.version != version + 1:
            self._findings.add(
                "version-gap", place, f"version {row.version} of its stream after {version}"
            )
        elif len(row.link_salt) != _HASH_BYTES or (
            entry is not None and link_hash(row.link_salt, row.version, previous) != entry.link
        ):
            self._findings.add(
                "link-broken", place, "the link is not that of its version, salt and predecessor"
            )
        self.heads.move(row.position, row.stream, StreamHead(row.version, leaf))

    def _check_head(self, head: HeadRow) -> None:
        if head.size > self._next:
            self._miss(self._next, head.size - 1)
        elif head.size < self._next:
            self._findings.add(
                "head-mismatch",
                Place(position=max(head.size, 0)),
                f"the head has size {head.size}; rows go on to position {self._next - 1}",
            )
        last = Place(position=head.size - 1) if head.size > 0 else NOWHERE
        if not self.whole:
            self._findings.add("head-mismatch", last, "entries of this tree are missing")
        elif 0 <= head.size <= self.tree.size:
            if self.tree.root_at(head.size) != head.root:
                self._findings.add("head-mismatch", last, "the root is not that of the entries")
            elif head.size == self.tree.size and head.peaks != self.tree.peaks:
                self._findings.add("head-mismatch", last, "the peaks are not those of the entries")


class RepeatedIds:
    """Notices ids that occur twice, in 8 bytes an id: it keeps their hashes only."""

    def __init__(self) -> None:
        self._buckets = [array("q") for _ in range(_BUCKETS)]

    def add(self, text: str) -> None:
        """Take one id."""
        hashed = hash(text)
        self._buckets[hashed % _BUCKETS].append(hashed)

    def repeated(self) -> frozenset[int]:
        """Return the hashes that occurred more than once; ids of one hash may still differ."""
        found: set[int] = set()
        for bucket in self._buckets:
            ordered = sorted(bucket)
            found.update(a for a, b in pairwise(ordered) if a == b)
        return frozenset(found)
