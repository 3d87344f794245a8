"""Write the table, its data and its plot: docs/performance.md, .json and .svg."""

import json
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Final

import msgspec

from tests.benchmarks.figures import Figures, Spread, spread_of
from tests.benchmarks.plot import bars
from tests.benchmarks.workload import CORES

BEGIN: Final = "<!-- written by make bench: begin -->"
END: Final = "<!-- written by make bench: end -->"
BOUND: Final = "bound of a signed POST"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table.

    Attributes:
        figure: what was measured.
        baseline: what it is a multiple of; "" for a latency, which is judged by itself.
        floor: the target of issue 4; None where it sets none. A latency must be below it.
        goal: what it would rather have.
    """

    figure: str
    baseline: str = ""
    floor: float | None = None
    goal: float | None = None


_ALL: Final = f"ES256 verify, {CORES} processes (reading)"
ROWS: Final = (
    Row(figure="append, 1 callers", baseline="pgbench insert, 1 clients", floor=0.3, goal=0.4),
    Row(figure="append, 64 callers", baseline="pgbench insert, 64 clients", floor=1.1, goal=1.5),
    Row(figure="append, 512 callers", baseline="pgbench insert, 64 clients", floor=1.3, goal=2.5),
    Row(figure="append, 64 callers p99 ms", floor=20, goal=10),
    Row(figure="append, 64 callers", baseline="trigger hash chain, 64 clients"),
    Row(figure="append, 64 callers", baseline="eventsourcing recorder, 8 threads"),
    Row(figure="append, 512 callers", baseline="eventsourcing recorder, batches of 100"),
    Row(figure="append, 512 callers", baseline="COPY in, 1000 rows each"),
    Row(figure="signed POST, 64 connections", baseline=BOUND, floor=0.7),
    Row(figure="signed POST, 64 connections", baseline="bare echo, 64 connections"),
    Row(figure="signed POST, 64 connections", baseline="pgbench insert, 64 clients"),
    Row(figure="signed POST, 64 connections p99 ms", floor=30),
    Row(
        figure="serve --workers 2, signed POST",
        baseline="serve --workers 1, signed POST",
        floor=1.25,
    ),
    Row(
        figure="signed batches of 100, events",
        baseline="ES256 verify, one core",
        floor=0.45,
        goal=0.65,
    ),
    Row(figure=f"verify, everything, {CORES} helpers", baseline=_ALL, floor=0.45, goal=0.6),
    Row(
        figure="verify, everything, one process",
        baseline="ES256 verify, one core (reading)",
    ),
    Row(figure="verify, hashes only", baseline="binary read out"),
    Row(figure="rebuild of all views", baseline="read and open all events"),
    Row(figure="rebuild of all views", baseline="binary read out"),
    Row(figure="record of 500 entries as of a position p95 ms", floor=20),
    Row(figure="patient search p95 ms", floor=30),
    Row(figure="current record over HTTP p95 ms", floor=15),
)
_RATES: Final = (
    Row(figure="verify, hashes only", floor=200_000, goal=300_000),
    Row(figure="rebuild of all views", floor=40_000),
)


def write_report(docs: Path, figures: Figures, *, size: int, minutes: float) -> None:
    """Write all three files; of the page only what lies between the marks is replaced."""
    _add_bound(figures)
    page = docs / "performance.md"
    text = page.read_text() if page.exists() else f"# Performance\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    written = "\n".join(_section(figures, size=size, minutes=minutes))
    page.write_text(f"{before}{BEGIN}\n{written}\n{END}{after}")
    data = {"size": size, "environment": _environment(), "figures": figures.all()}
    (docs / "performance.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    judged = [(row, spread) for row, spread in _judged(figures) if row.floor is not None]
    (docs / "performance.svg").write_text(
        bars(
            "Measured, in multiples of the target (1 or more is met)",
            [(_label(row), _reach(row, spread.median), _goal_reach(row)) for row, spread in judged],
        )
    )


def _add_bound(figures: Figures) -> None:
    parts = ("bare echo, 64 connections", "ES256 verify, one core", "FHIR and profile, one core")
    for rates in zip(*(figures.all()[part] for part in parts), strict=True):
        figures.add(BOUND, 1 / sum(1 / rate for rate in rates))


def _section(figures: Figures, *, size: int, minutes: float) -> list[str]:
    load = figures.spread("load of the machine")
    setting = (
        f"`make bench SIZE={size}` on {time.strftime('%Y-%m-%d')}: {_environment()}. "
        f"{len(figures.all()['load of the machine'])} interleaved rounds, {minutes:.0f} minutes; "
        f"load average before the rounds {load.text(1)}; "
        f"{figures.spread('events in the ledger').median:,.0f} events in the ledger at the end. "
        "Each cell is the median of the rounds (lowest-highest)."
    )
    lines = [
        setting,
        "",
        "| measured | per s, or ms | baseline of the same round | ratio | target (goal) | |",
        "|---|--:|---|--:|--:|---|",
    ]
    lines += [_line(figures, row, spread) for row, spread in _judged(figures)]
    lines += ["", "![Figures against their targets](performance.svg)", ""]
    lines += ["Every figure of the run:", "", "| figure | median (lowest-highest) |", "|---|--:|"]
    lines += [f"| {name} | {spread_of(values).text(1)} |" for name, values in figures.all().items()]
    return lines


def _judged(figures: Figures) -> list[tuple[Row, Spread]]:
    return [
        (
            row,
            figures.ratio(row.figure, row.baseline) if row.baseline else figures.spread(row.figure),
        )
        for row in (*ROWS, *_RATES)
    ]


def _line(figures: Figures, row: Row, spread: Spread) -> str:
    digits = 2 if _is_latency(row) else 0
    value = figures.spread(row.figure).text(digits)
    ratio = spread.text() if row.baseline else ""
    return (
        f"| {row.figure} | {value} | {row.baseline} | {ratio} | {_target(row)} "
        f"| {_verdict(row, spread.median)} |"
    )


def _target(row: Row) -> str:
    if row.floor is None:
        return ""
    sign = "<" if _is_latency(row) else "≥"
    goal = "" if row.goal is None else f" ({row.goal:,})"
    return f"{sign} {row.floor:,}{goal}"


def _verdict(row: Row, value: float) -> str:
    if row.floor is None:
        return ""
    if _reach(row, value) < 1:
        return "**missed**"
    beyond = row.goal is not None and _reach(row, value) >= _goal_reach(row)
    return "met, goal too" if beyond else "met"


def _reach(row: Row, value: float) -> float:
    """Return the figure in multiples of its target, so that 1 or more is met."""
    assert row.floor is not None
    return row.floor / value if _is_latency(row) else value / row.floor


def _goal_reach(row: Row) -> float:
    return 1.0 if row.goal is None else _reach(row, row.goal)


def _is_latency(row: Row) -> bool:
    return row.figure.endswith(" ms")


def _label(row: Row) -> str:
    return f"{row.figure} / {row.baseline}" if row.baseline else row.figure


def _environment() -> str:
    model = "a processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(": ")[2] if names else model
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - whichever git there is
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    ).stdout.strip()
    return (
        f"{os.cpu_count()} cores of {model}, Python {platform.python_version()}, "
        f"embedded PostgreSQL with fsync, commit {commit or 'unknown'}"
    )
