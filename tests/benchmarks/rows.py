"""Say which figures are judged, by what, and where the targets of issue 4 lie."""

from typing import Final

import msgspec

from tests.benchmarks.beside import ALONE, names
from tests.benchmarks.workload import CORES

BOUND: Final = "bound of a signed POST"
_ALL: Final = f"ES256 verify, {CORES} processes (reading)"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table.

    Attributes:
        group: rows of one group stand together, and have a plot of their own.
        figure: what was measured.
        baseline: what it is a multiple of; "" for a figure that is judged by itself.
        floor: the target of issue 4; None where it sets none.
        goal: what it would rather have.
        less: whether less is better, and the floor a bound from above.
    """

    group: str
    figure: str
    baseline: str = ""
    floor: float | None = None
    goal: float | None = None
    less: bool = False

    @property
    def label(self) -> str:
        """Name the row."""
        return f"{self.figure} / {self.baseline}" if self.baseline else self.figure

    def reach(self, value: float) -> float:
        """Return a value in multiples of the target, so that 1 or more is met."""
        assert self.floor is not None
        return self.floor / max(value, 1e-9) if self.less else value / self.floor

    def goal_reach(self) -> float:
        """Return the goal in multiples of the target."""
        return 1.0 if self.goal is None else self.reach(self.goal)

    def verdict(self, value: float) -> str:
        """Return `met, goal too`, `met` or `missed`; "" where there is no target."""
        if self.floor is None:
            return ""
        reached = self.reach(value)
        if reached < 1 or (self.less and reached == 1):
            return "missed"
        return "met, goal too" if self.goal and reached >= self.goal_reach() else "met"


def _latency(group: str, figure: str, floor: float, goal: float | None = None) -> Row:
    return Row(group=group, figure=figure, floor=floor, goal=goal, less=True)


_APPEND: Final = "Append"
_HTTP: Final = "HTTP"
_VERIFY: Final = "Verify"
_READ: Final = "Views and reads"
_GROWTH: Final = "Growth"
_BESIDE: Final = "Beside appends"
_APPENDS: Final = (
    Row(
        group=_APPEND,
        figure="append, 1 callers",
        baseline="pgbench insert, 1 clients",
        floor=0.3,
        goal=0.4,
    ),
    Row(
        group=_APPEND,
        figure="append, 64 callers",
        baseline="pgbench insert, 64 clients",
        floor=1.1,
        goal=1.5,
    ),
    Row(
        group=_APPEND,
        figure="append, 512 callers",
        baseline="pgbench insert, 64 clients",
        floor=1.3,
        goal=2.5,
    ),
    _latency(_APPEND, "append, 64 callers p99 ms", 20, 10),
    Row(group=_APPEND, figure="append, 64 callers", baseline="trigger hash chain, 64 clients"),
    Row(group=_APPEND, figure="append, 64 callers", baseline="eventsourcing recorder, 8 threads"),
    Row(
        group=_APPEND,
        figure="append, 512 callers",
        baseline="eventsourcing recorder, batches of 100",
    ),
    Row(group=_APPEND, figure="append, 512 callers", baseline="COPY in, 1000 rows each"),
)
_POSTS: Final = (
    Row(group=_HTTP, figure="signed POST, 64 connections", baseline=BOUND, floor=0.7),
    _latency(_HTTP, "signed POST, 64 connections p99 ms", 30),
    Row(
        group=_HTTP,
        figure="serve --workers 2, signed POST",
        baseline="serve --workers 1, signed POST",
        floor=1.25,
    ),
    Row(
        group=_HTTP,
        figure="signed batches of 100, events",
        baseline="ES256 verify, one core",
        floor=0.45,
        goal=0.65,
    ),
    Row(group=_HTTP, figure="signed POST, 64 connections", baseline="bare echo, 64 connections"),
    Row(group=_HTTP, figure="signed POST, 64 connections", baseline="pgbench insert, 64 clients"),
)
_VERIFICATION: Final = (
    Row(
        group=_VERIFY,
        figure=f"verify, signatures and hashes, {CORES} processes",
        baseline=_ALL,
        floor=0.75,
    ),
    Row(
        group=_VERIFY,
        figure=f"verify, everything, {CORES} processes",
        baseline=_ALL,
        floor=0.45,
        goal=0.6,
    ),
    Row(group=_VERIFY, figure="verify hashes at the largest", floor=200_000, goal=300_000),
    _latency(_VERIFY, "incremental verify, s for 100,000 new events", 15),
    _latency(_VERIFY, "incremental verify, MB of its largest process", 300),
)
_READS: Final = (
    Row(group=_READ, figure="rebuild of the simple views", floor=100_000),
    Row(group=_READ, figure="rebuild of all views", floor=40_000),
    Row(group=_READ, figure="rebuild of all views", baseline="read and open all events"),
    _latency(_READ, "views behind their events p99 ms", 100),
    _latency(_READ, "record of 500 entries as of a position p95 ms", 20),
    _latency(_READ, "patient search p95 ms", 30),
    _latency(_READ, "current record over HTTP p95 ms", 15),
)
_GROWN: Final = (
    Row(
        group=_GROWTH,
        figure="append at the largest, 64 callers",
        baseline="append at 10k, 64 callers",
        floor=0.85,
    ),
    Row(
        group=_GROWTH,
        figure="append at the largest, 64 callers p99 ms",
        baseline="append at 10k, 64 callers p99 ms",
        less=True,
    ),
    Row(
        group=_GROWTH,
        figure="inclusion proof at the largest p50 ms",
        baseline="inclusion proof at 10k p50 ms",
        less=True,
    ),
    Row(
        group=_GROWTH,
        figure="verify hashes at the largest",
        baseline="verify hashes at 100k",
    ),
    Row(
        group=_GROWTH,
        figure="bytes per event at the largest",
        baseline="bytes per event, its own",
        less=True,
    ),
)
ROWS: Final = (
    *_APPENDS,
    *_POSTS,
    *_VERIFICATION,
    *_READS,
    *_GROWN,
    *(
        Row(
            group=_BESIDE,
            figure=f"append beside {work} p99 ms",
            baseline=ALONE,
            floor=3,
            less=True,
        )
        for work in names()
    ),
)
