"""`make bench` runs from beginning to end and leaves nothing behind but its report."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.rows import ROWS

REPOSITORY = Path(__file__).parent.parent.parent


@pytest.mark.long
@pytest.mark.timeout(1_600)
def test_the_benchmarks_run_at_a_small_size(tmp_path: Path) -> None:
    small = ["--size", "1k", "--rounds", "1", "--seconds", "0.2", "--docs", str(tmp_path)]
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.benchmarks", *small],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=1_500,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    data = json.loads((tmp_path / "performance.json").read_text())
    assert all(value >= 0 for values in data["figures"].values() for value in values)
    assert len(data["verdicts"]) > 20
    text = (tmp_path / "performance.md").read_text()
    for group in dict.fromkeys(row.group for row in ROWS):
        assert f"### {group}\n" in text
