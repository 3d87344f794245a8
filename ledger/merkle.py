"""Hash the ledger into a Merkle tree, and prove and check what it contains (RFC 6962, RFC 9162).

The tree is append-only. Hashes of full subtrees of 256^level leaves (C2SP tlog-tiles) are kept, so
that a root or a proof at any size reads at most 512 hashes for each factor of 256.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple, Protocol, Self

from ledger.errors import LedgerError

HASH_BYTES: Final = 32
TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
EMPTY_ROOT: Final = sha256().digest()
"""RFC 6962 §2.1: "The hash of an empty list is the hash of an empty string." """


class InvalidProofError(LedgerError):
    """A proof does not show what it should, or has the wrong form for its tree sizes."""

    code: Final = "proof-invalid"


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(peaks: Sequence[bytes]) -> bytes:
    """Return the root of a tree from the hashes of its maximal full subtrees, largest first."""
    if not peaks:
        return EMPTY_ROOT
    *others, root = peaks
    for peak in reversed(others):  # once for every receipt: no call but the hash itself
        root = sha256(b"\x01" + peak + root).digest()
    return root


class TileHash(NamedTuple):
    """The hash of a completed subtree of ``256 ** level`` leaves, the ``number``-th from 0."""

    level: int
    number: int
    hash: bytes


class CompactRange:
    """The state of a growing tree: the roots of its maximal full subtrees. Not thread-safe.

    Attributes:
        size: number of leaves.
        peaks: hashes of the full subtrees, largest first: one for each 1 bit of ``size``.
    """

    __slots__ = ("peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    @classmethod
    def from_peaks(cls, size: int, peaks: Sequence[bytes]) -> Self:
        """Restore a tree.

        Raises:
            ValueError: the number or length of the peaks cannot belong to a tree of this size.
        """
        if size < 0 or len(peaks) != size.bit_count() or any(len(p) != HASH_BYTES for p in peaks):
            raise ValueError("the peaks are not those of a tree of this size")
        tree = cls()
        tree.size = size
        tree.peaks = list(peaks)
        return tree

    def append(self, leaf: bytes) -> list[TileHash]:
        """Add a leaf hash; return the subtrees of 256, 65,536... leaves that it completes."""
        completed: list[TileHash] = []
        node, height, rest = leaf, 0, self.size
        peaks = self.peaks
        while rest & 1:
            node = sha256(b"\x01" + peaks.pop() + node).digest()
            height += 1
            rest >>= 1
            if height % TILE_HEIGHT == 0:
                completed.append(TileHash(height // TILE_HEIGHT, rest, node))
        peaks.append(node)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Return the Merkle root of the leaves so far."""
        return root_of(self.peaks)

    def copy(self) -> "CompactRange":
        """Return an independent copy."""
        return CompactRange.from_peaks(self.size, self.peaks)


class HashSource(Protocol):
    """Where stored hashes are read from. Ranges are half-open and lie within the stored tree."""

    def leaf_hashes(self, start: int, end: int) -> Sequence[bytes]:
        """Return the leaf hashes at positions ``start`` up to, not including, ``end``."""
        ...

    def tile_hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """Return hashes of full subtrees of ``256 ** level`` leaves, ``level`` at least 1."""
        ...


class _Tree:
    """The first ``size`` leaves of a source; every tile is read at most once."""

    def __init__(self, source: HashSource, size: int) -> None:
        self._source: Final = source
        self._size: Final = size
        self._tiles: Final[dict[tuple[int, int], Sequence[bytes]]] = {}

    def subtree(self, start: int, end: int) -> bytes:
        """Return MTH(D[start:end]); ``start`` is a multiple of the power of two above the width."""
        width = end - start
        if width & (width - 1) == 0:
            return self._full(start, width.bit_length() - 1)
        split = largest_power_of_two_below(width)
        return node_hash(self.subtree(start, start + split), self.subtree(start + split, end))

    def _full(self, start: int, height: int) -> bytes:
        level, within = divmod(height, TILE_HEIGHT)
        first = start >> (level * TILE_HEIGHT)
        hashes = self._tile(level, first // TILE_WIDTH)
        offset = first % TILE_WIDTH
        row = hashes[offset : offset + (1 << within)]
        while len(row) > 1:
            row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
        return row[0]

    def _tile(self, level: int, index: int) -> Sequence[bytes]:
        tile = self._tiles.get((level, index))
        if tile is None:
            start = index * TILE_WIDTH
            end = min(start + TILE_WIDTH, self._size >> (level * TILE_HEIGHT))
            if level == 0:
                tile = self._source.leaf_hashes(start, end)
            else:
                tile = self._source.tile_hashes(level, start, end)
            if len(tile) != end - start:
                raise LookupError("the source does not hold the hashes of this tree")
            self._tiles[level, index] = tile
        return tile


def subtree_hash(source: HashSource, start: int, end: int) -> bytes:
    """Return the hash of the leaves from ``start`` up to, not including, ``end``.

    Args:
        source: holds at least ``end`` leaves.
        start: a multiple of the smallest power of two that is not below ``end - start``.
        end: greater than ``start``.

    Raises:
        ValueError: such a range is no subtree.
        LookupError: the source holds fewer hashes.
    """
    if not 0 <= start < end or start % (1 << (end - start - 1).bit_length()):
        raise ValueError("the range is no subtree")
    return _Tree(source, end).subtree(start, end)


def peaks_at(source: HashSource, size: int) -> tuple[bytes, ...]:
    """Return the hashes of the maximal full subtrees of the first ``size`` leaves, largest first.

    Raises:
        LookupError: the source holds fewer hashes.
    """
    tree = _Tree(source, size)
    peaks: list[bytes] = []
    start = 0
    while start < size:
        width = 1 << ((size - start).bit_length() - 1)
        peaks.append(tree.subtree(start, start + width))
        start += width
    return tuple(peaks)


def root_at(source: HashSource, size: int) -> bytes:
    """Return the root of the first ``size`` leaves.

    Raises:
        LookupError: the source holds fewer hashes.
    """
    return root_of(peaks_at(source, size))


def inclusion_proof(source: HashSource, index: int, size: int) -> list[bytes]:
    """Return the audit path of leaf ``index`` (from 0) in the tree of ``size`` (RFC 6962 §2.1.1).

    Raises:
        ValueError: there is no such leaf in that tree.
    """
    if not 0 <= index < size:
        raise ValueError("the leaf is not in the tree")
    tree = _Tree(source, size)
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + largest_power_of_two_below(end - start)
        if index < middle:
            proof.append(tree.subtree(middle, end))
            end = middle
        else:
            proof.append(tree.subtree(start, middle))
            start = middle
    proof.reverse()
    return proof


def consistency_proof(source: HashSource, old: int, new: int) -> list[bytes]:
    """Return the proof that the tree of ``old`` is a prefix of ``new`` (RFC 6962 §2.1.2).

    Raises:
        ValueError: not ``0 < old <= new``.
    """
    if not 0 < old <= new:
        raise ValueError("the old tree must be neither empty nor larger than the new one")
    tree = _Tree(source, new)
    proof: list[bytes] = []
    start, end = 0, new
    while old != end:
        middle = start + largest_power_of_two_below(end - start)
        if old <= middle:
            proof.append(tree.subtree(middle, end))
            end = middle
        else:
            proof.append(tree.subtree(start, middle))
            start = middle
    if start != 0:  # otherwise the verifier has this hash: it is the old root
        proof.append(tree.subtree(start, end))
    proof.reverse()
    return proof


def verify_inclusion(
    index: int, size: int, *, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that ``leaf`` (a leaf hash) stands at ``index`` in the tree (RFC 9162 §2.1.3.2).

    Raises:
        InvalidProofError: it does not, or the proof has the wrong form.
    """
    if not 0 <= index < size:
        raise InvalidProofError("the leaf is not in the tree")
    _check_lengths(leaf, root, *proof)
    _, node = _climb(index, size - 1, start=leaf, path=proof)
    if node != root:
        raise InvalidProofError("the proof leads to another root")


def verify_consistency(
    old: int, new: int, *, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the old tree is a prefix of the new one (RFC 9162 §2.1.4.2).

    An empty old tree is refused: it is a prefix of everything and proves nothing.

    Raises:
        InvalidProofError: it is not, or the proof has the wrong form.
    """
    if not 0 < old <= new:
        raise InvalidProofError("the old tree must be neither empty nor larger than the new one")
    if old == new:
        if proof or old_root != new_root:
            raise InvalidProofError("trees of one size must have one root and an empty proof")
        return
    _check_lengths(old_root, new_root, *proof)
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        raise InvalidProofError("the proof is too short")
    # The proof starts at the root of the last full subtree of the old tree.
    height = (old & -old).bit_length() - 1
    first, second = _climb((old - 1) >> height, (new - 1) >> height, start=path[0], path=path[1:])
    if first != old_root or second != new_root:
        raise InvalidProofError("the proof leads to another root")


def _climb(place: int, last: int, *, start: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Hash from a node up to both roots: of the tree that ends with it, and of the whole tree.

    ``place`` is the node's index in its row and ``last`` the row's last index: fn and sn of
    RFC 9162, whose two algorithms differ only in where they start and which root they look at.
    """
    first = second = start
    for sibling in path:
        if last == 0:
            raise InvalidProofError("the proof is too long")
        if place & 1 or place == last:
            first = node_hash(sibling, first)
            second = node_hash(sibling, second)
            while place and not place & 1:
                place >>= 1
                last >>= 1
        else:
            second = node_hash(second, sibling)
        place >>= 1
        last >>= 1
    if last != 0:
        raise InvalidProofError("the proof is too short")
    return first, second


def largest_power_of_two_below(number: int) -> int:
    """Return the k of RFC 6962 §2.1: the largest power of two smaller than a number above 1."""
    return 1 << ((number - 1).bit_length() - 1)


def _check_lengths(*hashes: bytes) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise InvalidProofError("a hash does not have 32 bytes")
