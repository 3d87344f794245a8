"""Our own tree answers for every earlier size, recent or not."""

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.merkle import EMPTY_ROOT, CompactRange
from ledger.verify.tree import LedgerTree

_LEAVES = [hashlib.sha256(number.to_bytes(4)).digest() for number in range(9000)]


def _grown(size: int) -> tuple[LedgerTree, list[bytes]]:
    tree, reference, roots = LedgerTree(), CompactRange(), [EMPTY_ROOT]
    for leaf in _LEAVES[:size]:
        tree.append(leaf)
        reference.append(leaf)
        roots.append(reference.root())
    return tree, roots


@settings(max_examples=50, deadline=None)
@given(size=st.integers(0, 700), data=st.data())
def test_the_root_at_any_size_is_the_root_the_tree_had(size: int, data: st.DataObject) -> None:
    """Against the incremental tree, which the vectors of RFC 6962 prove."""
    tree, roots = _grown(size)
    earlier = data.draw(st.integers(0, size))

    assert tree.root_at(earlier) == roots[earlier]
    assert tree.root() == roots[size]


def test_sizes_older_than_those_remembered_are_recomputed_from_the_leaves() -> None:
    """8192 sizes are remembered."""
    tree, roots = _grown(9000)

    for size in (0, 1, 2, 255, 256, 257, 511, 700, 808, 809, 8999, 9000):
        assert tree.root_at(size) == roots[size]
