"""The newest event of each stream is remembered in few bytes, and the root over all from them."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.heads import StreamHead, encode_head, root_over
from ledger.verify.entries import Newest, uuid_text
from ledger.verify.joining import PackedNewest

# One stream is none: its column is null. Versions may be anything that a superuser can write.
_STREAMS = st.sampled_from([b"", *(bytes([number]) * 16 for number in range(6))])
_NEWEST = st.tuples(st.integers(-(2**63), 2**63 - 1), st.binary(min_size=32, max_size=32))
_SPANS = st.lists(st.dictionaries(_STREAMS, _NEWEST), max_size=4)


def _root(newest: dict[bytes, Newest]) -> tuple[int, str]:
    return root_over(
        encode_head(uuid_text(stream), StreamHead(*one)) for stream, one in newest.items()
    )


@given(_SPANS, st.dictionaries(_STREAMS, _NEWEST))
def test_the_root_is_that_of_the_newest_events_of_all(
    spans: list[dict[bytes, Newest]], newer: dict[bytes, Newest]
) -> None:
    packed = PackedNewest()
    known: dict[bytes, Newest] = {}
    for span in spans:
        packed.update(span)
        known |= span
    assert packed.root_with(newer) == _root(known | newer)
    assert packed.root_with({}) == _root(known)
    assert {stream: packed.get(stream) for stream in known} == known
    assert packed.get(b"another stream ") is None
