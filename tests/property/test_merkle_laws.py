"""The fast tree is the naive tree; its proofs hold, and no other do."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle import (
    CompactRange,
    InvalidProofError,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from tests.counting_source import CountingSource
from tests.naive_merkle import mth, path, proof

MOST = 130
LEAVES = [leaf_hash(bytes([i])) for i in range(MOST)]
ROOTS = [mth(LEAVES[:size]) for size in range(MOST + 1)]


def flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_every_root_up_to_130_leaves_is_the_naive_one() -> None:
    tree = CompactRange()
    assert tree.root() == ROOTS[0]
    for size, leaf in enumerate(LEAVES, 1):
        tree.append(leaf)
        assert tree.root() == ROOTS[size] == root_at(CountingSource(LEAVES), size)


def test_every_inclusion_proof_up_to_130_leaves_is_the_naive_one_and_holds() -> None:
    source = CountingSource(LEAVES)
    for size in range(1, MOST + 1):
        for index in range(size):
            audit = inclusion_proof(source, index, size)
            assert audit == path(index, LEAVES[:size])
            verify_inclusion(index, size, leaf=LEAVES[index], proof=audit, root=ROOTS[size])


def test_every_consistency_proof_up_to_130_leaves_is_the_naive_one_and_holds() -> None:
    source = CountingSource(LEAVES)
    for new in range(1, MOST + 1):
        for old in range(1, new + 1):
            steps = consistency_proof(source, old, new)
            assert steps == proof(old, LEAVES[:new])
            verify_consistency(old, new, old_root=ROOTS[old], new_root=ROOTS[new], proof=steps)


sizes = st.integers(1, MOST)
bits = st.integers(0, 255)


@given(sizes, st.data())
def test_an_inclusion_proof_holds_for_one_place_in_one_tree_only(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    audit = inclusion_proof(CountingSource(LEAVES), index, size)
    claims = {
        "place": (data.draw(st.integers(0, MOST)), size, LEAVES[index], audit, ROOTS[size]),
        "size": (index, data.draw(sizes), LEAVES[index], audit, ROOTS[size]),
        "leaf": (index, size, flipped(LEAVES[index], data.draw(bits)), audit, ROOTS[size]),
        "root": (index, size, LEAVES[index], audit, flipped(ROOTS[size], data.draw(bits))),
        "longer": (index, size, LEAVES[index], [*audit, LEAVES[0]], ROOTS[size]),
        "shorter": (index, size, LEAVES[index], audit[:-1], ROOTS[size]),
    }
    if audit:
        step = data.draw(st.integers(0, len(audit) - 1))
        changed = [*audit]
        changed[step] = flipped(changed[step], data.draw(bits))
        claims["step"] = (index, size, LEAVES[index], changed, ROOTS[size])
        claims["order"] = (index, size, LEAVES[index], audit[::-1], ROOTS[size])
    for place, tree, leaf, steps, root in claims.values():
        if (place, leaf, steps, root) == (index, LEAVES[index], audit, ROOTS[size]) and (
            tree == size or shape(index, tree) == shape(index, size)
        ):
            continue
        with pytest.raises(InvalidProofError):
            verify_inclusion(place, tree, leaf=leaf, proof=steps, root=root)


def shape(index: int, size: int) -> list[str]:
    """Return on which side each step of the audit path lies: all a proof says of the size."""
    sides: list[str] = []
    start, end = 0, size
    while index < end and end - start > 1:
        k = 1
        while k * 2 < end - start:
            k *= 2
        if index < start + k:
            end = start + k
            sides.append("right")
        else:
            start += k
            sides.append("left")
    return sides if index < size else ["outside"]


@given(st.lists(sizes, min_size=2, max_size=2, unique=True).map(sorted), st.data())
def test_a_consistency_proof_holds_for_its_two_trees_only(
    pair: list[int], data: st.DataObject
) -> None:
    old, new = pair
    steps = consistency_proof(CountingSource(LEAVES), old, new)
    step = data.draw(st.integers(0, len(steps) - 1))
    changed = [*steps]
    changed[step] = flipped(changed[step], data.draw(bits))
    wrong_old = flipped(ROOTS[old], data.draw(bits))
    wrong_new = flipped(ROOTS[new], data.draw(bits))
    for old_root, new_root, claim in [
        (ROOTS[old], ROOTS[new], changed),
        (ROOTS[old], ROOTS[new], [*steps, LEAVES[0]]),
        (ROOTS[old], ROOTS[new], steps[:-1]),
        (wrong_old, ROOTS[new], steps),
        (ROOTS[old], wrong_new, steps),
        (ROOTS[new], ROOTS[old], steps),
        (ROOTS[old], ROOTS[new], []),
    ]:
        with pytest.raises(InvalidProofError):
            verify_consistency(old, new, old_root=old_root, new_root=new_root, proof=claim)


@given(st.lists(st.integers(0, MOST), min_size=2, max_size=6, unique=True).map(sorted))
def test_a_tree_grown_in_any_steps_from_its_peaks_is_the_same(stops: list[int]) -> None:
    tree = CompactRange()
    for start, end in pairwise([0, *stops]):
        tree = CompactRange.from_peaks(tree.size, tree.peaks)
        for leaf in LEAVES[start:end]:
            tree.append(leaf)
        assert tree.root() == ROOTS[end]


@given(sizes, bits, st.data())
def test_a_changed_leaf_changes_every_later_root(size: int, bit: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = [*LEAVES[:size]]
    leaves[index] = flipped(leaves[index], bit)
    assert root_at(CountingSource(leaves), size) != ROOTS[size]
