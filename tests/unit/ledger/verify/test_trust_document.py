"""docs/trust.md names every finding code and every attack, and its tests exist."""

import re
from pathlib import Path

from ledger.verify import FINDING_CODES

_ROOT = Path(__file__).parents[4]
_TRUST = (_ROOT / "docs" / "trust.md").read_text()
_HOSTILE = "".join(path.read_text() for path in (_ROOT / "tests" / "hostile").glob("*.py"))
_ROWS = [
    (int(number), status)
    for number, status in re.findall(r"^\| (\d+) \| [^|]+ \| ([a-z]+) \|", _TRUST, re.MULTILINE)
]


def test_every_finding_code_is_explained() -> None:
    """One row each, in the order of the interface."""
    assert re.findall(r"^\| `([a-z-]+)` \|", _TRUST, re.MULTILINE) == list(FINDING_CODES)


def test_every_attack_has_a_status_and_a_test_of_its_number() -> None:
    """43 rows."""
    numbered = re.findall(r"def test_(?:attack|rows?)_(\d\d)(?:_and_(\d\d))?", _HOSTILE)
    tested = {int(number) for pair in numbered for number in pair if number}

    assert [number for number, _ in _ROWS] == list(range(1, 44))
    assert {status for _, status in _ROWS} == {"found", "kept", "prevented", "waits"}
    assert tested == set(range(1, 44))


def test_what_waits_is_expected_to_fail_and_nothing_else_is() -> None:
    """Not skipped: the day it works, its test says so."""
    expected = re.findall(r"mark\.xfail\(\s*strict=True,[^@]*?def test_attack_(\d\d)", _HOSTILE)

    assert {int(number) for number in expected} == {
        number for number, status in _ROWS if status == "waits"
    }
    assert len(expected) == _HOSTILE.count("mark.xfail")
