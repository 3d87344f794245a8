"""Write the tables, their data and their plots: docs/performance.md, .json and one .svg a group."""

import json
import os
import platform
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.benchmarks.figures import Figures, Spread, spread_of
from tests.benchmarks.growth import label
from tests.benchmarks.plot import Bar, bars
from tests.benchmarks.rows import BOUND, ROWS, Row

BEGIN: Final = "<!-- written by make bench: begin -->"
END: Final = "<!-- written by make bench: end -->"
_HERE: Final = Path(__file__).parent
_MANY: Final = 1_000  # from there on decimals say nothing
_SIZED: Final = re.compile(r"(?P<what>.+) at (?P<size>[0-9]+[km])(?P<more>.*)")


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A row with what was measured for it."""

    row: Row
    value: Spread
    ratio: Spread | None

    @property
    def verdict(self) -> str:
        """Whether the target is met; "" where there is none."""
        return self.row.verdict(self.judged.median)

    @property
    def judged(self) -> Spread:
        """What the target is about."""
        return self.ratio or self.value


def write_report(docs: Path, figures: Figures, *, size: int, minutes: float) -> dict[str, str]:
    """Write all files; of the page only what lies between the marks is replaced.

    A size that has marks of its own (`make bench SIZE=10m: begin`) has files of its own too.

    Returns:
        The verdict of every row that has a target.
    """
    _add_derived(figures, size)
    judged = [_judge(figures, row) for row in ROWS if _is_measured(figures, row)]
    missing = [row.label for row in ROWS if not _is_measured(figures, row)]
    docs.mkdir(parents=True, exist_ok=True)
    page = docs / "performance.md"
    text = page.read_text() if page.exists() else f"# Performance\n\n{BEGIN}\n{END}\n"
    own = _own(BEGIN, size) in text
    begin, end = (_own(BEGIN, size), _own(END, size)) if own else (BEGIN, END)
    stem = _stem(size) if own else _stem()
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    lines = [_setting(figures, size=size, minutes=minutes), ""]
    for group in dict.fromkeys(one.row.group for one in judged):
        some = [one for one in judged if one.row.group == group]
        lines += _table(group, some, size)
        if any(one.verdict for one in some):
            plot = f"{stem}-{group.lower().replace(' ', '-')}.svg"
            (docs / plot).write_text(_plot(group, some, size))
            lines += [f"![{group}: figures against their targets]({plot})", ""]
    if missing:
        lines += [f"Not measured in this run: {'; '.join(missing)}.", ""]
    lines += _growth(figures)
    lines += ["", "### Every figure", "", "| figure | median (lowest-highest) |", "|---|--:|"]
    lines += [f"| {name} | {spread_of(values).text(1)} |" for name, values in figures.all().items()]
    page.write_text(f"{before}{begin}\n" + "\n".join(lines) + f"\n{end}{after}")
    verdicts = {one.row.label: one.verdict for one in judged if one.verdict}
    data = {
        "size": size,
        "environment": _environment(),
        "verdicts": verdicts,
        "figures": figures.all(),
    }
    (docs / f"{stem}.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    return verdicts


def changed_verdicts(verdicts: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    """Return the rows on whose target two runs do not agree, and how."""
    return [
        f"{name}: {before[name]} -> {verdict}"
        for name, verdict in verdicts.items()
        if name in before and (before[name] == "missed") != (verdict == "missed")
    ]


def committed_verdicts(size: int) -> Mapping[str, str]:
    """Return the verdicts of the committed run of this size, if there is one."""
    for stem in (_stem(size), _stem()):
        found = subprocess.run(  # noqa: S603 - constants and a number
            ["git", "show", f"HEAD:docs/{stem}.json"],  # noqa: S607 - whichever git there is
            capture_output=True,
            text=True,
            check=False,
            cwd=_HERE,
        )
        data: dict[str, Any] = json.loads(found.stdout) if found.returncode == 0 else {}
        if data.get("size") == size:
            return data.get("verdicts", {})
    return {}


def _own(mark: str, size: int) -> str:
    """Return the mark of a size that has a place of its own in the page."""
    return mark.replace("make bench", f"make bench SIZE={label(size)}")


def _stem(size: int | None = None) -> str:
    """Return how the names of a run's files begin."""
    return "performance" if size is None else f"performance-{label(size)}"


def _add_derived(figures: Figures, size: int) -> None:
    """Add what follows from the figures: the bound of a POST, and the largest ledger's as such."""
    parts = ("bare echo, 64 connections", "ES256 verify, one core", "FHIR and profile, one core")
    if all(figures.has(part) for part in parts):
        for rates in zip(*(figures.all()[part] for part in parts), strict=False):
            figures.add(BOUND, 1 / sum(1 / rate for rate in rates))
    for name, values in list(figures.all().items()):
        if f" at {label(size)}" in name:
            largest = name.replace(f" at {label(size)}", " at the largest")
            for value in values:
                figures.note(largest, value)


def _is_measured(figures: Figures, row: Row) -> bool:
    return figures.has(row.figure) and (not row.baseline or figures.has(row.baseline))


def _judge(figures: Figures, row: Row) -> Judged:
    ratio = figures.ratio(row.figure, row.baseline) if row.baseline else None
    return Judged(row=row, value=figures.spread(row.figure), ratio=ratio)


def _setting(figures: Figures, *, size: int, minutes: float) -> str:
    load = figures.spread("load of the machine")
    return (
        f"`make bench SIZE={label(size)}` on {time.strftime('%Y-%m-%d')}: {_environment()}. "
        f"rounds of appends: {len(figures.all()['load of the machine'])}; {minutes:.0f} minutes; "
        f"load average before the rounds {load.text(1)}; "
        f"{figures.spread('events in the ledger').median:,.0f} events in the largest ledger before "
        "the reading rounds. Each cell is the median of the rounds or turns (lowest-highest)."
    )


def _table(group: str, some: Sequence[Judged], size: int) -> list[str]:
    return [
        f"### {group}",
        "",
        "| measured | value | baseline of the same round | ratio | target (goal) | |",
        "|---|--:|---|--:|--:|---|",
        *(_line(one, size) for one in some),
        "",
    ]


def _line(one: Judged, size: int) -> str:
    row = one.row
    digits = 0 if one.value.median >= _MANY else 2
    ratio = one.ratio.text() if one.ratio else ""
    verdict = "**missed**" if one.verdict == "missed" else one.verdict
    cells = (row.figure, one.value.text(digits), row.baseline, ratio, _target(row), verdict)
    return f"| {' | '.join(cells)} |".replace("at the largest", f"at {label(size)}")


def _target(row: Row) -> str:
    if row.floor is None:
        return ""
    goal = "" if row.goal is None else f" ({row.goal:,})"
    return f"{'<' if row.less else '≥'} {row.floor:,}{goal}"


def _growth(figures: Figures) -> list[str]:
    """Return what was measured at each size, and where the bytes of an event are."""
    found = [match for name in figures.all() if (match := _SIZED.fullmatch(name))]
    sizes = list(dict.fromkeys(match["size"] for match in found))
    names = dict.fromkeys((match["what"], match["more"]) for match in found)
    lines = [
        "### Every size",
        "",
        f"| measured | {' | '.join(sizes)} |",
        f"|---|{'--:|' * len(sizes)}",
    ]
    for what, more in names:
        cells = [_cell(figures, f"{what} at {size}{more}") for size in sizes]
        lines.append(f"| {what}{more} | {' | '.join(cells)} |")
    prefix = "bytes per event, "
    parts = [
        f"{name.removeprefix(prefix)} {figures.spread(name).median:,.0f}"
        for name in figures.all()
        if name.startswith(prefix)
    ]
    return [*lines, "", f"Bytes per event in the largest ledger: {'; '.join(parts)}."]


def _cell(figures: Figures, name: str) -> str:
    if not figures.has(name):
        return ""
    spread = figures.spread(name)
    return spread.text(0 if spread.median >= _MANY else 2)


def _plot(group: str, some: Sequence[Judged], size: int) -> str:
    rows = [one for one in some if one.row.floor is not None]
    title = f"{group}: in multiples of the target (1 or more is met)"
    return bars(title, [_bar(one, size) for one in rows])


def _bar(one: Judged, size: int) -> Bar:
    row, spread = one.row, one.judged
    ends = sorted((row.reach(spread.low), row.reach(spread.high)))
    digits = 0 if spread.median >= _MANY else 2
    return Bar(
        label=row.figure.replace("at the largest", f"at {label(size)}"),
        value=row.reach(spread.median),
        low=ends[0],
        high=ends[1],
        goal=row.goal_reach(),
        text=f"{spread.median:,.{digits}f} ({_target(row)})",
    )


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
        cwd=_HERE,
    ).stdout.strip()
    return (
        f"{os.cpu_count()} cores of {model}, Python {platform.python_version()}, "
        f"embedded PostgreSQL with fsync, commit {commit or 'unknown'}"
    )
