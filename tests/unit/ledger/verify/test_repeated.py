"""Numbers that occur twice are noticed wherever they lie, and none other is."""

from array import array
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from ledger.verify.repeated import RepeatedNumbers

_EDGES = [0, 1, 2**56 - 1, 2**56, 2**63, 255 << 56, 2**64 - 1]
_NUMBERS = st.lists(st.one_of(st.sampled_from(_EDGES), st.integers(0, 2**64 - 1)), max_size=20)


@given(st.lists(_NUMBERS, max_size=5))
def test_exactly_the_numbers_that_occur_twice_are_found(spans: list[list[int]]) -> None:
    with TemporaryDirectory() as folder, RepeatedNumbers(Path(folder) / "ids") as numbers:
        for span in spans:
            numbers.add(array("Q", sorted(span)).tobytes())
        counts = Counter(number for span in spans for number in span)
        assert numbers.repeated() == {number for number, count in counts.items() if count > 1}
