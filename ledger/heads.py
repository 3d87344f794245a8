r"""Bind the newest entry of every stream: the tree of `heads-published.v1` (docs/format.md §14).

One leaf for each stream, sorted by key: `key (32) || version (8) || newest leaf hash (32)`, where
the key is SHA-256("clinledger/head/v1\n" || stream id as text). The tree is RFC 9162's. Whoever is
shown a stream's entries can thus tell whether the newest one was withheld, as of that size.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from ledger.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_WIDTH,
    CompactRange,
    HashSource,
    inclusion_proof,
    leaf_hash,
)

MAX_LAG: Final = 16_384
"""How many events may lie between the size that the heads are of and the event that tells them."""

_KEY_BYTES: Final = 32
_PREFIX: Final = b"clinledger/head/v1\n"


class StreamHead(NamedTuple):
    """The newest event of a stream: its version, and its leaf hash in the ledger's tree."""

    version: int
    leaf_hash: bytes


def head_key(stream: str) -> bytes:
    """Return the key by which a stream's head is sorted; it hides the stream's id."""
    return sha256(_PREFIX + stream.encode()).digest()


def encode_head(stream: str, head: StreamHead) -> bytes:
    """Return the 72 bytes of a leaf."""
    return head_of_key(head_key(stream), head)


def head_of_key(key: bytes, head: StreamHead) -> bytes:
    """Return the 72 bytes of a leaf by its key, which is the same for all heads of a stream."""
    return key + head.version.to_bytes(8, signed=True) + head.leaf_hash


def key_of_head(head: bytes) -> bytes:
    """Return the key in a leaf's 72 bytes."""
    return head[:_KEY_BYTES]


def read_head(head: bytes) -> StreamHead:
    """Return what a leaf's 72 bytes say."""
    version = int.from_bytes(head[_KEY_BYTES:-HASH_BYTES], signed=True)
    return StreamHead(version, head[-HASH_BYTES:])


class HeadTree(HashSource):
    """The tree over the heads of all streams as of one size."""

    def __init__(self, heads: Mapping[str, StreamHead]) -> None:
        """Build the tree."""
        leaves = sorted((encode_head(stream, head), stream) for stream, head in heads.items())
        self._leaves = [leaf_hash(data) for data, _ in leaves]
        self._places = {stream: place for place, (_, stream) in enumerate(leaves)}
        self._range = _tree_of(self._leaves)

    @property
    def streams(self) -> int:
        """Number of streams."""
        return len(self._leaves)

    def root(self) -> bytes:
        """Return the root."""
        return self._range.root() if self._leaves else EMPTY_ROOT

    def prove(self, stream: str) -> tuple[int, list[bytes]]:
        """Return a stream's place among the leaves and its inclusion proof.

        Raises:
            KeyError: there is no such stream.
        """
        place = self._places[stream]
        return place, inclusion_proof(self, place, self.streams)

    def leaf_hashes(self, start: int, end: int) -> Sequence[bytes]:
        """Return leaf hashes."""
        return self._leaves[start:end]

    def tile_hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """Return hashes of full subtrees."""
        width = TILE_WIDTH**level
        return [
            _tree_of(self._leaves[number * width : (number + 1) * width]).root()
            for number in range(start, end)
        ]


def _tree_of(leaves: Iterable[bytes]) -> CompactRange:
    tree = CompactRange()
    for leaf in leaves:
        tree.append(leaf)
    return tree


def root_over(heads: Iterable[bytes]) -> tuple[int, str]:
    """Return how many heads there are, and the root over them, hex.

    Args:
        heads: encoded (`encode_head`), in any order.
    """
    row = [leaf_hash(head) for head in sorted(heads)]
    count = len(row)
    while len(row) > 1:  # row by row: a third of the time that a growing tree takes
        last = row[-1:] if len(row) % 2 else []  # without a pair it goes up as it is
        pairs = zip(row[::2], row[1::2], strict=False)
        row = [sha256(b"\x01" + left + right).digest() for left, right in pairs] + last
    return count, (row[0] if row else EMPTY_ROOT).hex()


class StreamHeads:
    """The heads of all streams now, and as of a size not much more than `MAX_LAG` events ago."""

    def __init__(self, *, spare: int = 0) -> None:
        """Remember so many events more than `MAX_LAG`."""
        self._now: dict[str, StreamHead] = {}
        self._before: deque[tuple[int, str, StreamHead | None]] = deque(maxlen=MAX_LAG + 1 + spare)

    def get(self, stream: str) -> StreamHead | None:
        """Return a stream's head now, or None before its first event."""
        return self._now.get(stream)

    def move(self, position: int, stream: str, head: StreamHead) -> None:
        """Take the event at a position for its stream's newest one."""
        self._before.append((position, stream, self._now.get(stream)))
        self._now[stream] = head

    def at(self, size: int) -> Mapping[str, StreamHead]:
        """Return the heads as of a size of the ledger, not more than `MAX_LAG` events ago."""
        heads = dict(self._now)
        for position, stream, before in reversed(self._before):
            if position < size:
                break
            if before is None:
                heads.pop(stream, None)
            else:
                heads[stream] = before
        return heads
