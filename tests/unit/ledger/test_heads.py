"""The tree over the newest entry of every stream: its leaves, its order, and its past."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.heads import (
    HeadTree,
    StreamHead,
    StreamHeads,
    encode_head,
    head_key,
    head_of_key,
    key_of_head,
    read_head,
    root_over,
)
from ledger.merkle import EMPTY_ROOT, leaf_hash, verify_inclusion
from tests.naive_merkle import mth

ONE = "01980000-0000-7000-8000-000000000001"


def _heads(count: int) -> dict[str, StreamHead]:
    return {
        f"01980000-0000-7000-8000-{number:012x}": StreamHead(
            number + 1, hashlib.sha256(bytes([number % 256])).digest()
        )
        for number in range(count)
    }


def test_a_leaf_is_name_version_and_newest_leaf_hash() -> None:
    """As docs/format.md and docs/evidence.md specify it: 72 bytes."""
    head = StreamHead(258, bytes(range(32)))
    name = hashlib.sha256(b"clinledger/head/v1\n" + ONE.encode()).digest()

    assert head_key(ONE) == name
    data = encode_head(ONE, head)
    assert data == name + bytes(6) + b"\x01\x02" + bytes(range(32))
    assert (key_of_head(data), read_head(data)) == (name, head)
    assert head_of_key(name, head) == data


@pytest.mark.parametrize("count", [0, 1, 2, 3, 255, 256, 257, 700])
def test_the_root_is_that_of_the_sorted_leaves(count: int) -> None:
    heads = _heads(count)
    tree = HeadTree(heads)
    leaves = sorted(encode_head(stream, head) for stream, head in heads.items())

    assert tree.streams == count
    assert tree.root() == (mth([leaf_hash(one) for one in leaves]) if count else EMPTY_ROOT)
    assert root_over(reversed(leaves)) == (count, tree.root().hex())


@pytest.mark.parametrize("count", [1, 2, 300])
def test_every_stream_is_proven_to_be_in_the_tree(count: int) -> None:
    heads = _heads(count)
    tree = HeadTree(heads)
    for stream, head in heads.items():
        place, proof = tree.prove(stream)
        leaf = leaf_hash(encode_head(stream, head))
        verify_inclusion(place, count, leaf=leaf, proof=proof, root=tree.root())
    with pytest.raises(KeyError):
        tree.prove("nobody")


@given(st.lists(st.sampled_from("abcde"), max_size=40), st.data())
def test_the_heads_of_an_earlier_size_are_those_that_were(
    streams: list[str], data: st.DataObject
) -> None:
    """Undone from the newest event back."""
    heads = StreamHeads()
    past: list[dict[str, StreamHead]] = [{}]
    for position, stream in enumerate(streams):
        before = heads.get(stream)
        head = StreamHead(before.version + 1 if before else 1, bytes([position]))
        heads.move(position, stream, head)
        past.append({**past[-1], stream: head})
    size = data.draw(st.integers(0, len(streams)))

    assert dict(heads.at(size)) == past[size]
