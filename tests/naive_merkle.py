"""A Merkle tree written from the definitions of RFC 6962 §2.1 alone."""

import hashlib
from collections.abc import Sequence


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
