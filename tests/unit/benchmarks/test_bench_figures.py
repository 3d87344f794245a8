"""The figures of the benchmarks: percentiles, ratios within a round, targets met or missed."""

import json
from pathlib import Path

import pytest

from ledger.submitted import SubmittedEvent
from tests.benchmarks.figures import Figures, percentile
from tests.benchmarks.plot import bars
from tests.benchmarks.report import BEGIN, END, ROWS, write_report
from tests.benchmarks.workload import deal


def whole_run(**changed: float) -> Figures:
    """Return figures of one round, each 1 unless it was changed."""
    figures = Figures()
    names = {name for row in ROWS for name in (row.figure, row.baseline) if name}
    names |= {"verify, hashes only", "FHIR and profile, one core", "ES256 verify, one core"}
    names |= {"load of the machine", "events in the ledger"}
    for name in sorted(names - {"bound of a signed POST"}):
        figures.add(name, changed.get(name, 1.0))
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
    write_report(tmp_path, whole_run(), size=5, minutes=1)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert json.loads((tmp_path / "performance.json").read_text())["size"] == 5
    assert (tmp_path / "performance.svg").read_text().startswith("<svg")


def test_the_report_says_which_targets_are_met(tmp_path: Path) -> None:
    name, baseline = "append, 64 callers", "pgbench insert, 64 clients"
    for value, verdict in ((1.0, "**missed**"), (1.2, "met"), (1.6, "met, goal too")):
        write_report(tmp_path, whole_run(**{name: value}), size=5, minutes=1)
        lines = (tmp_path / "performance.md").read_text().splitlines()
        line = next(one for one in lines if one.startswith(f"| {name} ") and baseline in one)
        assert line.endswith(f"| {verdict} |")


def test_bars_are_escaped_and_bounded() -> None:
    drawing = bars("a < b", [("x & y", 50.0, 1.0), ("z", 0.5, 1.5)])
    assert "a &lt; b" in drawing
    assert "x &amp; y" in drawing
    assert "50.00" in drawing


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
