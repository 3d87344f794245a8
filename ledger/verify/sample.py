"""Draw events at random, so that a seed tells afterwards which they were (docs/format.md §15)."""

import hashlib
import math
import re
from typing import Final

SEED_BYTES: Final = 32
LEAST: Final = 1000
"""How many events are sampled when nobody says how many,"""
PARTS: Final = 100
"""or one in so many, whichever is more."""

_PREFIX: Final = b"clinledger/sample/v1\n"
_NUMBER_BYTES: Final = 8
_NUMBERS: Final = 2 ** (8 * _NUMBER_BYTES)
_COUNT: Final = re.compile(r"(?P<number>0|[1-9][0-9]{0,17})(?P<percent>%?)", re.ASCII)
_PERCENT: Final = 100


def parse_count(text: str, size: int) -> int:
    """Read how many of `size` events to sample: a number, a percentage, `all`, or "" for a default.

    The default is 1,000 or 1 %, whichever is more.

    Raises:
        ValueError: it is none of these, or more than 100 %.
    """
    if not text:
        return min(size, max(LEAST, math.ceil(size / PARTS)))
    if text == "all":
        return size
    found = _COUNT.fullmatch(text)
    if found is None or (found["percent"] and int(found["number"]) > _PERCENT):
        raise ValueError("a number, a percentage such as 5%, or all")
    number = int(found["number"])
    if found["percent"]:
        number = math.ceil(size * number / _PERCENT)
    return min(size, number)


def draw(seed: bytes, count: int, size: int) -> frozenset[int]:
    """Return `count` different positions below `size`, each set of them equally likely.

    Floyd's algorithm over the numbers that SHA-256 makes of the seed and a counter; which
    positions are drawn cannot be told without the seed.

    Args:
        seed: 32 bytes.
        count: at most `size`.
        size: number of positions to draw from.
    """
    numbers = _Numbers(seed)
    drawn: set[int] = set()
    for last in range(size - count, size):
        position = numbers.below(last + 1)
        drawn.add(last if position in drawn else position)
    return frozenset(drawn)


def detectable(count: int, size: int) -> int | None:
    """Return how many altered events such a sample meets with 95 % probability, at least one.

    None when it meets none, because nothing is sampled.
    """
    if count <= 0:
        return None
    if count >= size:
        return 1
    return min(size, math.ceil(math.log(0.05) / math.log1p(-count / size)))


class _Numbers:
    """Numbers that look random to whoever does not know the seed."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._used = 0

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1; what would favour some of them is passed over."""
        whole = _NUMBERS - _NUMBERS % limit
        while True:
            data = _PREFIX + self._seed + self._used.to_bytes(_NUMBER_BYTES)
            self._used += 1
            number = int.from_bytes(hashlib.sha256(data).digest()[:_NUMBER_BYTES])
            if number < whole:
                return number % limit
