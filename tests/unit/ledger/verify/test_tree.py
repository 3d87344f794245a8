"""Our own tree answers for its every earlier size, and is the same by leaves and by blocks."""

import hashlib
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.merkle import EMPTY_ROOT, TILE_WIDTH, CompactRange, inclusion_proof, verify_inclusion
from ledger.verify.tree import LedgerTree, block_hash

_LEAVES = [hashlib.sha256(number.to_bytes(4)).digest() for number in range(70_000)]


def _block(number: int) -> Sequence[bytes]:
    return _LEAVES[number * TILE_WIDTH : (number + 1) * TILE_WIDTH]


def _grown(size: int) -> tuple[LedgerTree, list[bytes]]:
    tree, reference, roots = LedgerTree(_block), CompactRange(), [EMPTY_ROOT]
    for leaf in _LEAVES[:size]:
        assert tree.append(leaf) == reference.append(leaf)
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


def test_a_large_tree_completes_the_same_tiles_and_remembers_all_its_roots() -> None:
    """Beyond the first tile of the second level; asked in an order that no cache likes."""
    tree, roots = _grown(70_000)

    for size in (70_000, 0, 1, 65_535, 65_536, 65_537, 255, 256, 257, 69_999, 69_632, 511, 33_000):
        assert tree.root_at(size) == roots[size]


def test_a_tree_of_blocks_sent_to_another_process_is_the_tree_of_their_leaves() -> None:
    """Blocks are hashed where they are read; roots and proofs come out the same."""
    tree = LedgerTree(_block)
    for number in range(3):
        tree.append_block(block_hash(_block(number)))
    for leaf in _LEAVES[768:800]:
        tree.append(leaf)
    sent = LedgerTree.of(tree.state(), _block)
    _, roots = _grown(800)

    assert sent.size == 800
    assert [sent.root_at(size) for size in range(801)] == roots
    verify_inclusion(
        300, 800, leaf=_LEAVES[300], proof=inclusion_proof(sent, 300, 800), root=roots[800]
    )
