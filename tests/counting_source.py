"""Stored Merkle hashes in memory that count how they are read."""

from collections.abc import Sequence
from typing import Final

from typing_extensions import override

from ledger.merkle import HashSource
from tests.naive_merkle import mth


class CountingSource(HashSource):
    """Stored hashes in memory; counts what is read and refuses what is not stored."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves: Final = leaves
        self.reads = 0
        self.hashes_read = 0

    @override
    def leaf_hashes(self, start: int, end: int) -> Sequence[bytes]:
        return self._counted(self.leaves[start:end])

    @override
    def tile_hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        assert level >= 1, "level 0 is read as leaves"
        width = 256**level
        stored = len(self.leaves) // width
        return self._counted(
            [mth(self.leaves[i * width : (i + 1) * width]) for i in range(start, min(end, stored))]
        )

    def _counted(self, hashes: Sequence[bytes]) -> Sequence[bytes]:
        self.reads += 1
        self.hashes_read += len(hashes)
        assert len(hashes) <= 256, "more than a tile is read at once"
        return hashes
