"""The figures of the benchmarks: percentiles, ratios within a round, targets met or missed."""

import json
import re
from pathlib import Path

import pytest

from ledger.submitted import SubmittedEvent
from tests.benchmarks.figures import Figures, percentile
from tests.benchmarks.plot import Bar, bars
from tests.benchmarks.report import BEGIN, END, changed_verdicts, write_report
from tests.benchmarks.rows import BOUND, ROWS
from tests.benchmarks.workload import deal


def whole_run(**changed: float) -> Figures:
    """Return figures of one round, each 1 unless it was changed."""
    figures = Figures()
    names = {name for row in ROWS for name in (row.figure, row.baseline) if name}
    names |= {"FHIR and profile, one core", "load of the machine", "events in the ledger"}
    for name in sorted(names - {BOUND}):
        figures.add(name.replace("at the largest", "at 20k"), changed.get(name, 1.0))
    return figures


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (95, 95), (99, 99), (100, 100)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(
    percent: float, expected: int
) -> None:
    assert percentile(range(1, 101), percent) == expected
    assert percentile([7.0], percent) == 7.0


def test_a_ratio_is_by_the_baseline_of_the_same_round() -> None:
    figures = Figures()
    for mine, base in ((10, 1), (10, 10), (90, 30)):
        figures.add("mine", mine)
        figures.add("base", base)
    ratio = figures.ratio("mine", "base")
    assert (ratio.median, ratio.low, ratio.high) == (3, 1, 10)


def test_the_report_replaces_what_lies_between_its_marks_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_report(tmp_path, whole_run(), size=20_000, minutes=1)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert json.loads((tmp_path / "performance.json").read_text())["size"] == 20_000
    plots = re.findall(r"\]\((performance-[a-z-]+\.svg)\)", text)
    assert len(plots) == len({row.group for row in ROWS})
    for plot in plots:
        assert (tmp_path / plot).read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("name", "baseline", "verdicts"),
    [
        ("append, 64 callers", "pgbench insert, 64 clients", {1.0: "**missed**", 1.2: "met"}),
        ("append, 64 callers", "pgbench insert, 64 clients", {1.6: "met, goal too"}),
        ("append, 64 callers p99 ms", "", {20.0: "**missed**", 19.0: "met", 9.0: "met, goal too"}),
        ("record of 500 entries as of a position p95 ms", "", {19.0: "met", 21.0: "**missed**"}),
    ],
)
def test_the_report_says_which_targets_are_met(
    name: str, baseline: str, verdicts: dict[float, str], tmp_path: Path
) -> None:
    for value, verdict in verdicts.items():
        write_report(tmp_path, whole_run(**{name: value}), size=20_000, minutes=1)
        lines = (tmp_path / "performance.md").read_text().splitlines()
        start = f"| {name} |"
        line = next(one for one in lines if one.startswith(start) and f"| {baseline} |" in one)
        assert line.endswith(f"| {verdict} |")


def test_the_largest_ledger_is_named_by_its_size(tmp_path: Path) -> None:
    write_report(tmp_path, whole_run(), size=20_000, minutes=1)
    text = (tmp_path / "performance.md").read_text()
    assert "| append at 20k, 64 callers |" in text
    assert "| append at the largest, 64 callers | 1" not in text.split("### Every figure")[0]


def test_a_size_with_marks_of_its_own_leaves_the_other_run_as_it_was(tmp_path: Path) -> None:
    write_report(tmp_path, whole_run(), size=20_000, minutes=1)
    page = tmp_path / "performance.md"
    own = "<!-- written by make bench SIZE=10m: {} -->"
    first = page.read_text()
    page.write_text(f"{first}\n{own.format('begin')}\n{own.format('end')}\nlast\n")
    write_report(tmp_path, whole_run(), size=10_000_000, minutes=1)
    before, _, block = page.read_text().partition(own.format("begin"))
    assert before == f"{first}\n"
    block, _, after = block.partition(own.format("end"))
    assert "SIZE=10m" in block
    assert "(performance-10m-append.svg)" in block
    assert after == "\nlast\n"
    sizes = [json.loads(file.read_text())["size"] for file in sorted(tmp_path.glob("*.json"))]
    assert sizes == [10_000_000, 20_000]


def test_a_row_without_figures_is_told_and_not_judged(tmp_path: Path) -> None:
    figures = Figures()
    figures.add("load of the machine", 1)
    figures.add("events in the ledger", 1)
    figures.add("current record over HTTP p95 ms", 1)
    verdicts = write_report(tmp_path, figures, size=20_000, minutes=1)
    assert verdicts == {"current record over HTTP p95 ms": "met"}
    text = (tmp_path / "performance.md").read_text()
    told = next(line for line in text.splitlines() if line.startswith("Not measured in this run"))
    assert "append, 64 callers p99 ms" in told


def test_only_verdicts_that_turned_count_as_changed() -> None:
    before = {"a": "met", "b": "missed", "c": "met", "d": "missed"}
    after = {"a": "met, goal too", "b": "met", "c": "missed", "d": "missed", "e": "met"}
    assert changed_verdicts(after, before) == ["b: missed -> met", "c: met -> missed"]


def test_bars_are_escaped_and_bounded() -> None:
    drawing = bars(
        "a < b",
        [
            Bar(label="x & y", value=50.0, low=40.0, high=60.0, goal=1.0, text="50.00"),
            Bar(label="z", value=0.5, low=0.1, high=0.7, goal=1.5, text="0.50"),
        ],
    )
    assert "a &lt; b" in drawing
    assert "x &amp; y" in drawing
    assert "50.00" in drawing
    places = [float(place) for place in re.findall(r' x[12]?="([0-9.]+)"', drawing)]
    assert max(places) <= 900


def test_patients_are_dealt_in_order_and_to_one_caller_each() -> None:
    chains = [
        tuple(
            SubmittedEvent(statement=f"{chain}/{n}".encode(), container=b"", content=b"", salt=b"")
            for n in range(5)
        )
        for chain in range(6)
    ]
    dealt = deal(chains, callers=3, events=24)
    assert [len(queue) for queue in dealt] == [8, 8, 8]
    names = [[event.statement.decode() for event in queue] for queue in dealt]
    assert names[0] == [f"0/{n}" for n in range(5)] + [f"1/{n}" for n in range(3)]
    owners = [{name[0] for name in queue} for queue in names]
    assert not owners[0] & owners[1]
    assert not owners[1] & owners[2]
