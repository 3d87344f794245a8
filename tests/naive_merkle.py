"""A Merkle tree written from the definitions of RFC 6962 §2.1 alone, and a source that counts."""

import hashlib
from collections.abc import Sequence
from typing import Final

from typing_extensions import override

from ledger.merkle import HashSource


def mth(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return MTH of leaves that are hashed already."""
    if not leaf_hashes:
        return hashlib.sha256(b"").digest()
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    k = split(len(leaf_hashes))
    return hashlib.sha256(b"\x01" + mth(leaf_hashes[:k]) + mth(leaf_hashes[k:])).digest()


def path(m: int, leaf_hashes: Sequence[bytes]) -> list[bytes]:
    """Return PATH(m, D[n]) of §2.1.1."""
    if len(leaf_hashes) == 1:
        return []
    k = split(len(leaf_hashes))
    if m < k:
        return [*path(m, leaf_hashes[:k]), mth(leaf_hashes[k:])]
    return [*path(m - k, leaf_hashes[k:]), mth(leaf_hashes[:k])]


def proof(m: int, leaf_hashes: Sequence[bytes]) -> list[bytes]:
    """Return PROOF(m, D[n]) of §2.1.2."""
    return subproof(m, leaf_hashes, known=True)


def subproof(m: int, leaf_hashes: Sequence[bytes], *, known: bool) -> list[bytes]:
    """Return SUBPROOF(m, D[n], b) of §2.1.2."""
    n = len(leaf_hashes)
    if m == n:
        return [] if known else [mth(leaf_hashes)]
    k = split(n)
    if m <= k:
        return [*subproof(m, leaf_hashes[:k], known=known), mth(leaf_hashes[k:])]
    return [*subproof(m - k, leaf_hashes[k:], known=False), mth(leaf_hashes[:k])]


def split(n: int) -> int:
    """Return the largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


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
