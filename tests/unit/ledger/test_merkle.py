"""The tree is that of RFC 6962: roots, tiles and proofs, and what no proof may claim."""

import hashlib
from collections.abc import Sequence

import pytest

from ledger.merkle import (
    EMPTY_ROOT,
    CompactRange,
    InvalidProofError,
    consistency_proof,
    inclusion_proof,
    largest_power_of_two_below,
    leaf_hash,
    node_hash,
    peaks_at,
    root_at,
    subtree_hash,
    verify_consistency,
    verify_inclusion,
)
from tests.counting_source import CountingSource
from tests.naive_merkle import mth

LEAVES = [leaf_hash(i.to_bytes(4)) for i in range(66_000)]


def grown(size: int) -> CompactRange:
    tree = CompactRange()
    for leaf in LEAVES[:size]:
        tree.append(leaf)
    return tree


def test_hashes_are_separated_by_domain() -> None:
    """RFC 6962 §2.1: "this domain separation is required to give second preimage resistance"."""
    assert leaf_hash(b"") == hashlib.sha256(b"\x00").digest()
    assert (
        node_hash(b"a" * 32, b"b" * 32)
        == hashlib.sha256(b"\x01aa" + b"a" * 30 + b"b" * 32).digest()
    )
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT


def test_an_empty_tree_has_the_empty_root() -> None:
    assert CompactRange().root() == EMPTY_ROOT == root_at(CountingSource([]), 0)


def test_a_growing_tree_has_the_roots_of_the_naive_one() -> None:
    tree = CompactRange()
    for size in range(1, 300):
        tree.append(LEAVES[size - 1])
        assert tree.size == size
        assert tree.root() == mth(LEAVES[:size])


def test_completed_subtrees_are_reported_once_with_their_place() -> None:
    tree = CompactRange()
    reported = [tile for leaf in LEAVES for tile in tree.append(leaf)]
    level_1 = [tile for tile in reported if tile.level == 1]
    assert [tile.number for tile in level_1] == list(range(len(LEAVES) // 256))
    for tile in level_1[:3] + level_1[-1:]:
        start = tile.number * 256
        assert tile.hash == mth(LEAVES[start : start + 256])
    assert [(tile.level, tile.number) for tile in reported if tile.level > 1] == [(2, 0)]
    assert reported[256].hash == mth(LEAVES[:65_536])


def test_a_copy_grows_apart_from_its_original() -> None:
    tree = grown(5)
    copy = tree.copy()
    copy.append(LEAVES[5])
    assert (tree.size, tree.root()) == (5, mth(LEAVES[:5]))
    assert (copy.size, copy.root()) == (6, mth(LEAVES[:6]))


def test_a_tree_is_restored_from_its_peaks() -> None:
    tree = grown(77)
    again = CompactRange.from_peaks(77, tree.peaks)
    assert again.append(LEAVES[77]) == tree.append(LEAVES[77])
    assert again.root() == tree.root() == mth(LEAVES[:78])


@pytest.mark.parametrize(
    ("size", "peaks"), [(-1, []), (0, [EMPTY_ROOT]), (3, [EMPTY_ROOT]), (1, [b"short"]), (4, [])]
)
def test_peaks_of_another_size_are_refused(size: int, peaks: Sequence[bytes]) -> None:
    with pytest.raises(ValueError, match="peaks"):
        CompactRange.from_peaks(size, peaks)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 4096, 65_793])
def test_a_root_and_a_proof_read_few_hashes_at_any_size(size: int) -> None:
    """O(256 log n): at most two tiles of each level."""
    source = CountingSource(LEAVES[:size])
    assert root_at(source, size) == grown(size).root()
    assert peaks_at(source, size) == tuple(grown(size).peaks)
    for index in {0, size // 3, size - 1}:
        source.hashes_read = source.reads = 0
        proof = inclusion_proof(source, index, size)
        assert source.reads <= 6
        assert source.hashes_read <= 6 * 256
        verify_inclusion(index, size, leaf=LEAVES[index], proof=proof, root=mth(LEAVES[:size]))
    for old in {1, size // 3 + 1, size}:
        source.hashes_read = source.reads = 0
        proof = consistency_proof(source, old, size)
        assert source.reads <= 6
        assert source.hashes_read <= 6 * 256
        verify_consistency(
            old,
            size,
            old_root=mth(LEAVES[:old]),
            new_root=mth(LEAVES[:size]),
            proof=proof,
        )


@pytest.mark.parametrize(("start", "end"), [(0, 1), (256, 512), (512, 700), (65_536, 66_000)])
def test_the_hash_of_an_aligned_part_is_that_of_its_leaves(start: int, end: int) -> None:
    assert subtree_hash(CountingSource(LEAVES), start, end) == mth(LEAVES[start:end])


@pytest.mark.parametrize(("start", "end"), [(1, 3), (3, 3), (4, 2), (-4, 0), (2, 6), (256, 768)])
def test_a_part_that_is_no_subtree_has_no_hash(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="subtree"):
        subtree_hash(CountingSource(LEAVES), start, end)


def test_a_source_that_lacks_hashes_is_noticed() -> None:
    with pytest.raises(LookupError):
        root_at(CountingSource(LEAVES[:100]), 101)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (6, 5), (-1, 5)])
def test_there_is_no_inclusion_proof_of_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="leaf"):
        inclusion_proof(CountingSource(LEAVES), index, size)
    with pytest.raises(InvalidProofError):
        verify_inclusion(index, size, leaf=LEAVES[0], proof=[], root=LEAVES[0])


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_there_is_no_consistency_proof_from_nothing_or_backwards(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="old tree"):
        consistency_proof(CountingSource(LEAVES), old, new)
    with pytest.raises(InvalidProofError) as caught:
        verify_consistency(old, new, old_root=EMPTY_ROOT, new_root=EMPTY_ROOT, proof=[])
    assert caught.value.code == "proof-invalid"


def test_a_proof_longer_than_its_tree_is_refused_even_when_it_leads_to_the_root() -> None:
    """Otherwise a leaf could be claimed to stand in a smaller tree than it does."""
    root = node_hash(LEAVES[0], LEAVES[1])
    verify_inclusion(1, 2, leaf=LEAVES[1], proof=[LEAVES[0]], root=root)
    with pytest.raises(InvalidProofError, match="too long"):
        verify_inclusion(0, 1, leaf=LEAVES[1], proof=[LEAVES[0]], root=root)


def test_trees_of_one_size_need_no_proof_and_take_none() -> None:
    root = mth(LEAVES[:3])
    verify_consistency(3, 3, old_root=root, new_root=root, proof=[])
    with pytest.raises(InvalidProofError):
        verify_consistency(3, 3, old_root=root, new_root=root, proof=[LEAVES[0]])
    with pytest.raises(InvalidProofError):
        verify_consistency(3, 3, old_root=root, new_root=mth(LEAVES[:4]), proof=[])


def test_bytes_cannot_move_between_the_hashes_of_a_proof() -> None:
    root = node_hash(LEAVES[0], LEAVES[1])
    moved = LEAVES[0][31:] + LEAVES[1]
    assert node_hash(LEAVES[0][:31], moved) == root
    with pytest.raises(InvalidProofError, match="32 bytes"):
        verify_inclusion(0, 2, leaf=LEAVES[0][:31], proof=[moved], root=root)


def test_a_hash_of_another_length_is_no_part_of_a_proof() -> None:
    source = CountingSource(LEAVES)
    root = mth(LEAVES[:3])
    proof = inclusion_proof(source, 0, 3)
    verify_inclusion(0, 3, leaf=LEAVES[0], proof=proof, root=root)
    joined = [b"".join(proof)]
    for leaf, wrong in [(LEAVES[0][:31], proof), (LEAVES[0], joined), (LEAVES[0], [b"", *proof])]:
        with pytest.raises(InvalidProofError):
            verify_inclusion(0, 3, leaf=leaf, proof=wrong, root=root)


@pytest.mark.parametrize(
    ("number", "power"), [(2, 1), (3, 2), (4, 2), (5, 4), (256, 128), (257, 256)]
)
def test_a_tree_splits_at_the_largest_power_of_two_below_its_size(number: int, power: int) -> None:
    assert largest_power_of_two_below(number) == power
