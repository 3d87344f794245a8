"""Grow our own Merkle tree over the entries as read, and answer for its every earlier size."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from typing_extensions import override

from ledger.merkle import EMPTY_ROOT, CompactRange, HashSource, TileHash, node_hash, root_at

_HASH_BYTES: Final = 32
_RECENT_SIZES: Final = 8192
_CACHED_ROOTS: Final = 4096


class LedgerTree(HashSource):
    """The tree of all leaves so far: 32 bytes a leaf, and roots at any size up to now.

    Authors name the head that they knew, which is nearly always a recent one; so the peaks of
    recent sizes are kept, and older roots are recomputed from the leaves (RFC 6962 §2.1).
    """

    def __init__(self) -> None:
        self._leaves = bytearray()
        self._tiles: dict[int, bytearray] = {}
        self._range = CompactRange()
        self._recent: deque[tuple[bytes, ...]] = deque(maxlen=_RECENT_SIZES)
        self._roots: dict[int, bytes] = {}

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._range.size

    @property
    def peaks(self) -> bytes:
        """The hashes of the perfect subtrees, largest first, joined."""
        return b"".join(self._range.peaks)

    def append(self, leaf: bytes) -> list[TileHash]:
        """Add a leaf; return the tile hashes that it completes."""
        self._leaves += leaf
        completed = self._range.append(leaf)
        for tile in completed:
            self._tiles.setdefault(tile.level, bytearray()).extend(tile.hash)
        self._recent.append(tuple(self._range.peaks))
        return completed

    def root(self) -> bytes:
        """Return the root of all leaves."""
        return self._range.root()

    def root_at(self, size: int) -> bytes:
        """Return the root of the first `size` leaves, at most as many as there are."""
        if size == 0:
            return EMPTY_ROOT
        root = self._roots.get(size)
        if root is None:
            if len(self._roots) >= _CACHED_ROOTS:
                self._roots.clear()
            root = self._roots[size] = self._compute(size)
        return root

    def _compute(self, size: int) -> bytes:
        back = self._range.size - size
        if 0 <= back < len(self._recent):
            peaks = self._recent[-1 - back]
            node = peaks[-1]
            for peak in peaks[-2::-1]:
                node = node_hash(peak, node)
            return node
        return root_at(self, size)

    @override
    def leaf_hashes(self, start: int, end: int) -> Sequence[bytes]:
        return _split(self._leaves, start, end)

    @override
    def tile_hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        return _split(self._tiles.get(level, bytearray()), start, end)


def _split(joined: bytearray, start: int, end: int) -> Sequence[bytes]:
    last = min(end * _HASH_BYTES, len(joined))
    return [
        bytes(joined[at : at + _HASH_BYTES]) for at in range(start * _HASH_BYTES, last, _HASH_BYTES)
    ]
