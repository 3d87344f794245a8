"""The random sample: every set of positions equally likely, told again by its seed."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.verify.sample import detectable, draw, parse_count

SEED = bytes(range(32))
SAMPLED = [380, 572, 649, 696, 931]


@given(size=st.integers(0, 3000), part=st.floats(0, 1), seed=st.binary(min_size=32, max_size=32))
def test_as_many_different_positions_are_drawn_as_were_asked_for(
    size: int, part: float, seed: bytes
) -> None:
    count = round(size * part)
    drawn = draw(seed, count, size)
    assert len(drawn) == count
    assert all(0 <= position < size for position in drawn)
    assert drawn == draw(seed, count, size)


def test_the_draw_is_the_documented_one() -> None:
    """docs/format.md §15: who has the seed of a report can tell its positions, for ever."""
    assert sorted(draw(SEED, 5, 1000)) == SAMPLED  # and in the golden vectors
    assert draw(SEED, 1000, 1000) == frozenset(range(1000))
    assert sorted(draw(bytes(32), 5, 1000)) != SAMPLED


def test_no_position_is_favoured() -> None:
    """Each of 20 positions is drawn in a quarter of the cases, give or take five deviations."""
    counts = Counter(
        position for number in range(4000) for position in draw(number.to_bytes(32), 5, 20)
    )
    assert set(counts) == set(range(20))
    assert all(abs(count - 1000) < 5 * (4000 * 0.25 * 0.75) ** 0.5 for count in counts.values())


@pytest.mark.parametrize(
    ("text", "size", "count"),
    [
        ("", 10, 10),
        ("", 50_000, 1000),
        ("", 250_001, 2501),
        ("all", 77, 77),
        ("0", 77, 0),
        ("30", 77, 30),
        ("300", 77, 77),
        ("5%", 1001, 51),
        ("100%", 1001, 1001),
        ("0%", 1001, 0),
    ],
)
def test_a_sample_is_asked_for_by_number_percentage_or_all(
    text: str, size: int, count: int
) -> None:
    assert parse_count(text, size) == count


@pytest.mark.parametrize("text", ["-1", "+5", "05", "1.5%", "101%", "some", "%", "٣", "9" * 19])
def test_what_is_no_number_of_events_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a number, a percentage"):
        parse_count(text, 1000)


def test_what_a_sample_can_find_is_told_as_it_is() -> None:
    """Of 100,000 events 1,000 are sampled: 299 altered ones are met in 95 of 100 cases."""
    assert detectable(1000, 100_000) == 299
    assert 1 - 0.99**299 > 0.95 > 1 - 0.99**298
    assert detectable(100, 100) == 1
    assert detectable(0, 100) is None
    assert detectable(1, 2) == 2
