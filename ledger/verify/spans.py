"""Divide a ledger into spans of positions that can be read and checked apart from one another."""

from itertools import pairwise
from typing import Final

import msgspec

from ledger.merkle import TILE_WIDTH

_LEAST: Final = -(2**63)
_GREATEST: Final = 2**63 - 1
_WIDEST: Final = TILE_WIDTH * TILE_WIDTH


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of some positions.

    Attributes:
        first: lowest position.
        last: highest position, itself within.
        nulls: whether rows without a position belong here as well.
    """

    first: int
    last: int
    nulls: bool = False

    @property
    def is_open(self) -> bool:
        """Tell whether it goes on without end to either side."""
        return self.first == _LEAST or self.is_end

    @property
    def is_end(self) -> bool:
        """Tell whether no position lies beyond."""
        return self.last == _GREATEST


BEFORE: Final = Span(first=_LEAST, last=-1)
"""Where only rows lie whose position is none."""
EVERYTHING: Final = Span(first=_LEAST, last=_GREATEST, nulls=True)


def beyond(size: int) -> Span:
    """Return the span of all that should not be there: at or after a size, or without position."""
    return Span(first=size, last=_GREATEST, nulls=True)


def divide(start: int, end: int, *, parts: int, widest: int = _WIDEST) -> list[Span]:
    """Divide `start` up to, not including, `end` at multiples of 256.

    Args:
        start: first position; spans begin and end at multiples of 256 except here and at `end`.
        end: how far.
        parts: how many spans are wanted at least; none is wider than `widest`.
        widest: a multiple of 256.
    """
    blocks = -(-(end - start) // TILE_WIDTH)
    width = min(max(-(-blocks // parts), 1) * TILE_WIDTH, widest)
    first = start // width * width
    bounds = [start, *range(first + width, end, width), end]
    return [Span(first=low, last=high - 1) for low, high in pairwise(bounds) if low < high]
