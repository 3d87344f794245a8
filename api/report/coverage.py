"""Divide a ledger into what was found, verified, only hashed, or rests on an earlier note."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from ledger.verify import Report
from ledger.verify.sample import draw

State = Literal["finding", "verified", "hashed", "note", "missing", "mixed"]
"""How a range of positions was looked at; `hashed`: entries without their sealed bodies."""

CELLS: Final = 200


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """A range of positions, as wide as the picture can show.

    Attributes:
        first: position.
        end: position after its last one.
        state: how it was looked at; a finding anywhere in it makes it one.
        sampled: how many of its positions were derived again at random.
    """

    first: int
    end: int
    state: State
    sampled: int


class Coverage:
    """What a report says of each range of positions.

    Attributes:
        size: of the tree that was verified.
        end: the picture's last position and one: beyond `size` lies what should be there.
    """

    def __init__(self, report: Report) -> None:
        """Take what the report says."""
        self.size = report.size
        self._note = 0 if report.since is None else report.since.size
        self._own: State = "verified" if report.opened == "all" else "hashed"
        self._found = _sorted_positions(report)
        beyond = max((self._found or [0])[-1] + 1, *(anchor.size for anchor in report.anchors), 0)
        # A forged position may be any number: the ledger keeps at least half of the picture.
        self.end = max(1, self.size, min(beyond, 2 * self.size + CELLS))
        since = report.since
        self._sampled = (
            []
            if since is None
            else sorted(draw(bytes.fromhex(since.seed), since.sampled, since.size))
        )

    @property
    def found(self) -> Sequence[int]:
        """The positions of findings, ascending, each once."""
        return self._found

    @property
    def note(self) -> int:
        """The size below which an earlier note is relied upon; 0 without one."""
        return self._note

    @property
    def states(self) -> frozenset[State]:
        """The states that occur among the cells."""
        return frozenset(cell.state for cell in self.cells())

    def cells(self) -> list[Cell]:
        """Return the whole ledger in at most `CELLS` ranges."""
        count = min(self.end, CELLS)
        edges = [self.end * number // count for number in range(count + 1)]
        return [self._cell(edges[n], edges[n + 1]) for n in range(count)]

    def state(self, first: int, end: int) -> State:
        """Return how a range was looked at."""
        if bisect_left(self._found, first) < bisect_left(self._found, end):
            return "finding"
        if first >= self.size:
            return "missing"
        if end <= self._note:
            return "note"
        return self._own if first >= self._note else "mixed"

    def _cell(self, first: int, end: int) -> Cell:
        state = self.state(first, end)
        if state == "mixed":  # a cell is small: what is not all verified is not called so
            state = "note"
        sampled = bisect_left(self._sampled, end) - bisect_left(self._sampled, first)
        return Cell(first=first, end=end, state=state, sampled=sampled)


def _sorted_positions(report: Report) -> list[int]:
    found = {one.position for one in report.findings if one.position is not None}
    return sorted(position for position in found if position >= 0)
