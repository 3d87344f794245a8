"""Grow our own Merkle tree over the entries as read, and answer for its every earlier size.

Of complete blocks of 256 leaves only the hash of each is kept; what is needed of a block's own
leaves is derived again from the stored entries.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from typing_extensions import override

from ledger.merkle import (
    HASH_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    HashSource,
    TileHash,
    node_hash,
    root_of,
)

LeavesOf = Callable[[int], Sequence[bytes]]
"""Derives again the 256 leaf hashes of a complete block, by the block's number."""

_CACHED_ROOTS: Final = 4096
_CACHED_TILES: Final = 64


class TreeState(msgspec.Struct, frozen=True, kw_only=True):
    """A tree as it is sent to another process.

    Attributes:
        levels: of each level above the leaves, the hashes of its complete subtrees, joined.
        tail: leaf hashes after the last complete block.
    """

    levels: tuple[bytes, ...]
    tail: tuple[bytes, ...]


def no_leaves(block: int) -> Sequence[bytes]:
    """Stand for leaves that nobody will ask for."""
    raise LookupError(f"the leaves of block {block} are not at hand")


class LedgerTree(HashSource):
    """The tree of all leaves so far.

    Attributes:
        leaves_of: derives the leaves of a complete block again.
    """

    def __init__(self, leaves_of: LeavesOf = no_leaves) -> None:
        self.leaves_of = leaves_of
        self._levels: list[bytearray] = [bytearray()]  # [0] has level 1
        self._tail: list[bytes] = []
        self._roots: dict[int, bytes] = {}
        self._nodes: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()

    @classmethod
    def of(cls, state: TreeState, leaves_of: LeavesOf) -> "LedgerTree":
        """Return the tree that `state` was taken of."""
        tree = cls(leaves_of)
        tree._levels = [bytearray(level) for level in state.levels]
        tree._tail = list(state.tail)
        return tree

    def state(self) -> TreeState:
        """Return what another process needs to know of the tree."""
        return TreeState(levels=tuple(map(bytes, self._levels)), tail=tuple(self._tail))

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0]) // HASH_BYTES * TILE_WIDTH + len(self._tail)

    @property
    def peaks(self) -> bytes:
        """The hashes of the perfect subtrees, largest first, joined."""
        return b"".join(reversed(self._peaks_at(self.size)))

    def append(self, leaf: bytes) -> list[TileHash]:
        """Add a leaf; return the tile hashes that it completes."""
        self._tail.append(leaf)
        if len(self._tail) < TILE_WIDTH:
            return []
        block, self._tail = self._tail, []
        return self.append_block(block_hash(block))

    def append_block(self, block: bytes) -> list[TileHash]:
        """Add the hash of 256 leaves where no block is begun; return the tiles it completes."""
        if self._tail:
            raise ValueError("a block follows complete blocks only")
        completed: list[TileHash] = []
        level, node = 1, block
        while True:
            if level > len(self._levels):
                self._levels.append(bytearray())
            row = self._levels[level - 1]
            row += node
            count = len(row) // HASH_BYTES
            completed.append(TileHash(level, count - 1, node))
            if count % TILE_WIDTH:
                return completed
            node = block_hash(_split(row, count - TILE_WIDTH, count))
            level += 1

    def root(self) -> bytes:
        """Return the root of all leaves."""
        return self.root_at(self.size)

    def root_at(self, size: int) -> bytes:
        """Return the root of the first `size` leaves, at most as many as there are."""
        root = self._roots.get(size)
        if root is None:
            if len(self._roots) >= _CACHED_ROOTS:
                self._roots.clear()
            root = self._roots[size] = root_of(self._peaks_at(size)[::-1])
        return root

    @override
    def leaf_hashes(self, start: int, end: int) -> Sequence[bytes]:
        found: list[bytes] = []
        for block in range(start // TILE_WIDTH, -(-end // TILE_WIDTH)):
            first = block * TILE_WIDTH
            found += self._tile(0, block)[max(start - first, 0) : end - first]
        return found

    @override
    def tile_hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        return [] if level > len(self._levels) else _split(self._levels[level - 1], start, end)

    def _peaks_at(self, size: int) -> list[bytes]:
        """Return the hashes of the perfect subtrees of an earlier size, the smallest first."""
        peaks: list[bytes] = []
        level, count = 0, size
        while count:
            tile, within = divmod(count, TILE_WIDTH)
            if within:
                rows = self._rows(level, tile, within)
                peaks += (
                    rows[height][(within >> height) - 1]
                    for height in range(TILE_HEIGHT)
                    if within >> height & 1
                )
            level, count = level + 1, tile
        return peaks

    def _rows(self, level: int, tile: int, least: int) -> list[list[bytes]]:
        """Return the rows of nodes over the hashes of a tile, at least so many of them."""
        rows = self._nodes.get((level, tile))
        if rows is None or len(rows[0]) < least:
            rows = [list(self._tile(level, tile))]
            while len(rows[-1]) > 1:
                rows.append(_parents(rows[-1]))
            self._nodes[level, tile] = rows
            if len(self._nodes) > _CACHED_TILES:
                self._nodes.popitem(last=False)
        else:
            self._nodes.move_to_end((level, tile))
        return rows

    def _tile(self, level: int, tile: int) -> Sequence[bytes]:
        if level:
            return self.tile_hashes(level, tile * TILE_WIDTH, (tile + 1) * TILE_WIDTH)
        if tile * TILE_WIDTH == self.size - len(self._tail):
            return self._tail
        return self.leaves_of(tile)


def block_hash(hashes: Sequence[bytes]) -> bytes:
    """Return the root over 256 hashes."""
    row = list(hashes)
    while len(row) > 1:
        row = _parents(row)
    return row[0]


def _parents(row: Sequence[bytes]) -> list[bytes]:
    """Return the nodes over the pairs of a row; a last one without its pair has none."""
    return [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=False)]


def _split(joined: bytearray, start: int, end: int) -> Sequence[bytes]:
    last = min(end * HASH_BYTES, len(joined))
    return [
        bytes(joined[at : at + HASH_BYTES]) for at in range(start * HASH_BYTES, last, HASH_BYTES)
    ]
