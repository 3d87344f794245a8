"""Draw from a stream of numbers that depends on nothing but the words it is named after.

Own arithmetic on SHA-256 instead of `random`: the sequence is the same on every Python version
and machine, so that the same seed writes the same bytes for ever.
"""

import bisect
import hashlib
import itertools
import struct
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")

_WORDS = struct.Struct(">4Q")  # of a block, in the order of their use
_VARIANT = "89ab"  # RFC 9562 §4.1: the two bits 10, then two of the digest's


def derived_id(*words: str) -> str:
    """Return the UUID (version 8, RFC 9562 §5.8) that these words always give.

    Args:
        words: what the id names, the widest first; none of them may contain a line feed.

    Returns:
        The canonical lower-case form.
    """
    text = hashlib.sha256("\n".join(words).encode()).hexdigest()
    variant = _VARIANT[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


class Chance:
    """One stream of draws. Not thread-safe; two streams of the same words draw alike."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self._key = hashlib.sha256("\n".join(words).encode()).digest()
        self._block = 0
        self._pool: list[int] = []  # of the block, the next one last

    def fork(self, *words: str) -> "Chance":
        """Return a stream of its own, which draws on this one do not move."""
        return Chance(*self._words, *words)

    def below(self, bound: int) -> int:
        """Return a whole number from 0 up to, not including, `bound`."""
        if not self._pool:
            block = hashlib.sha256(self._key + self._block.to_bytes(8, "big")).digest()
            self._pool = [*_WORDS.unpack(block)][::-1]
            self._block += 1
        return self._pool.pop() % bound

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def near_middle(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, more often near the middle."""
        return (self.between(low, high) + self.between(low, high)) // 2

    def happens(self, percent: int) -> bool:
        """Return true in `percent` of a hundred draws."""
        return self.below(100) < percent

    def one_of(self, choices: Sequence[_T]) -> _T:
        """Return one of the choices, each as likely as the others."""
        return choices[self.below(len(choices))]

    def weighted(self, choices: Sequence[tuple[_T, int]]) -> _T:
        """Return one of the choices, each as likely as its weight says."""
        bounds = list(itertools.accumulate(weight for _, weight in choices))
        return choices[bisect.bisect_right(bounds, self.below(bounds[-1]))][0]

    def digits(self, count: int) -> str:
        """Return a text of `count` decimal digits."""
        return "".join(str(self.below(10)) for _ in range(count))
