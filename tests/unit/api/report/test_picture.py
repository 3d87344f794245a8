"""The picture: what each part of the ledger is drawn as."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from api.report.coverage import CELLS, Coverage
from api.report.picture import LEFT, PLOT, WIDTH, picture, split
from ledger.verify import Report
from ledger.verify.report import Marks
from tests.reports import busy, finding, report, since

SHOWN = [
    report(),
    report(size=0, root="", genesis=None),
    report(size=1),
    report(size=2, since=since(size=2, sampled=2)),
    report(size=255, opened="directory"),
    report(size=10**9, since=since(size=10**9 - 1, sampled=1000)),
    report(size=5, since=since(size=50, sampled=5)),
    report(size=5, findings=(finding("position-gap", 2**62),)),
    busy(),
]


@pytest.mark.parametrize("shown", SHOWN, ids=range(len(SHOWN)))
def test_every_picture_is_well_formed_and_stays_in_its_frame(shown: Report) -> None:
    """Whatever the sizes; and it stays small, since pages of it are sent by mail."""
    drawn = picture(shown)
    assert len(drawn) < 120_000
    root = ET.fromstring(drawn)  # noqa: S314 - our own text
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert width == WIDTH
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        if "x" in box.attrib:
            x, wide = float(box.attrib["x"]), float(box.attrib["width"])
            assert LEFT - 4 <= x < x + wide <= WIDTH
            assert float(box.attrib["y"]) + float(box.attrib["height"]) <= height


@pytest.mark.parametrize("shown", SHOWN, ids=range(len(SHOWN)))
def test_the_cells_cover_every_position_once(shown: Report) -> None:
    cells = Coverage(shown).cells()
    assert len(cells) <= CELLS
    assert cells[0].first == 0
    assert cells[-1].end == Coverage(shown).end >= max(1, shown.size)
    for before, after in pairwise(cells):
        assert before.first < before.end == after.first


def test_a_cell_is_drawn_as_the_worst_that_is_in_it() -> None:
    """A finding before everything; then what rests on a note."""
    cells = Coverage(busy()).cells()
    states = {cell.state: cell for cell in reversed(cells)}
    assert states["finding"].first <= 211 < states["finding"].end
    assert states["note"].first == 0
    assert states["verified"].first >= 640
    assert states["missing"].first >= 1000
    assert sum(cell.sampled for cell in cells) == 64
    assert all(cell.sampled == 0 for cell in cells if cell.first >= 640)


def test_what_was_hashed_only_is_not_drawn_as_verified() -> None:
    assert Coverage(report(opened="record")).states == {"hashed"}
    assert "verified now" not in picture(report(opened="directory"))
    assert "entries only" in picture(report(opened="directory"))


def test_the_tree_is_divided_as_its_hashes_are() -> None:
    """RFC 6962 §2.1: the largest power of two smaller than the size."""
    assert [split(size) for size in (2, 3, 4, 5, 8, 9, 1000)] == [1, 2, 2, 4, 4, 8, 512]
    drawn = picture(report())
    for size in ("1\N{NO-BREAK SPACE}000", "512", "488", "256", "232"):
        assert f">{size}</text>" in drawn


def test_checkpoints_stand_at_their_sizes() -> None:
    drawn = picture(report(marks=Marks(stored=(500,))))
    [x] = re.findall(r'd="M([0-9.]+) [0-9.]+ l5.5 5.5', drawn)
    assert float(x) == pytest.approx(LEFT + PLOT / 2, abs=0.1)
    assert "l5.5 5.5" not in picture(report())
