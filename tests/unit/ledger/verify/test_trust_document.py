"""docs/trust.md names every finding code and every attack, and its tests exist."""

import re
from pathlib import Path

from ledger.verify import FINDING_CODES

_ROOT = Path(__file__).parents[4]
_TRUST = (_ROOT / "docs" / "trust.md").read_text()
_HOSTILE = "".join(path.read_text() for path in (_ROOT / "tests" / "hostile").glob("*.py"))
_ELSEWHERE = {25: "tests/integration/projections/test_check.py"}


def test_every_finding_code_is_explained() -> None:
    """One row each, in the order of the interface."""
    assert re.findall(r"^\| `([a-z-]+)` \|", _TRUST, re.MULTILINE) == list(FINDING_CODES)


def test_every_attack_has_a_status_and_what_is_found_has_a_test() -> None:
    """43 rows; "found" is claimed only where a test of that number attacks."""
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([a-z]+) \|", _TRUST, re.MULTILINE)
    tested = {int(number) for number in re.findall(r"attack_(\d\d)", _HOSTILE)}
    tested |= {int(second) for second in re.findall(r"attack_\d\d_and_(\d\d)", _HOSTILE)}
    tested |= {number for number, path in _ELSEWHERE.items() if (_ROOT / path).exists()}
    tested.add(37)  # every byte of every column

    assert [int(number) for number, _ in rows] == list(range(1, 44))
    claimed = {int(number) for number, status in rows if status in {"found", "receipts"}}
    assert claimed <= tested
