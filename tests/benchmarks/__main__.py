"""Run the benchmarks: `make bench`, `make bench SIZE=10m KEEP=FOLDER`; see docs/performance.md."""

import argparse
import math
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.baselines import new_pool
from tests.benchmarks.figures import Figures, say
from tests.benchmarks.profiling import profile_appends, profile_verification
from tests.benchmarks.report import changed_verdicts, committed_verdicts, write_report
from tests.benchmarks.run import Plan, Run
from tests.benchmarks.site import Site
from tests.benchmarks.workload import CORES

_DEFAULT_SIZE: Final = "1m"
_ROUNDS: Final = 3
_MINUTES: Final = 14.5
_LARGEST_IN_TIME: Final = 1_000_000
_DOCS: Final = Path(__file__).parent.parent.parent / "docs"


def main(arguments: Sequence[str]) -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--size", default=os.environ.get("SIZE") or _DEFAULT_SIZE)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each baseline")
    parser.add_argument("--docs", type=Path, default=_DOCS, help="where to write")
    kept = os.environ.get("KEEP") or None
    parser.add_argument("--keep", type=Path, default=kept, help="a folder for the ledgers to stay")
    parser.add_argument("--profile", action="store_true", help="only profile, to stdout")
    given = parser.parse_args(arguments)
    size = _number(given.size)
    minutes = _MINUTES if size <= _LARGEST_IN_TIME else math.inf
    plan = Plan(size=size, rounds=given.rounds, seconds=given.seconds, minutes=minutes)
    started = time.monotonic()
    site = Site(keep=given.keep)
    pool = new_pool(CORES)
    try:
        if given.profile:
            profile_appends(site, events=plan.size)
            profile_verification(site)
            return
        figures = Figures()
        Run(site, pool, figures, plan).run()
        minutes = (time.monotonic() - started) / 60
        _report(given.docs, figures, plan, minutes)
    finally:
        pool.shutdown()
        site.close()
    say(f"done in {(time.monotonic() - started) / 60:.1f} minutes")


def _report(docs: Path, figures: Figures, plan: Plan, minutes: float) -> None:
    verdicts = write_report(docs, figures, size=plan.size, minutes=minutes)
    missed = [name for name, verdict in verdicts.items() if verdict == "missed"]
    say(f"{len(verdicts) - len(missed)} of {len(verdicts)} targets are met; missed:")
    for name in missed:
        say(f"  {name}")
    before = committed_verdicts(plan.size)
    changed = changed_verdicts(verdicts, before)
    say(
        f"compared with the committed run of this size: {len(changed)} rows changed their verdict"
        if before
        else "there is no committed run of this size to compare with"
    )
    for line in changed:
        say(f"  {line}")


def _number(text: str) -> int:
    lower = text.lower()
    factor = {"k": 1_000, "m": 1_000_000}.get(lower[-1:], 1)
    return int(lower.rstrip("km")) * factor


if __name__ == "__main__":
    main(sys.argv[1:])
