"""Run the benchmarks: `make bench`, `make bench SIZE=1m`; see docs/performance.md."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import uvloop

from tests.benchmarks.appends import CALLERS, append_chain, fill, measure_appends, prepare
from tests.benchmarks.baselines import Baselines, measure_library, new_pool
from tests.benchmarks.figures import Figures, say
from tests.benchmarks.posts import (
    measure_batches,
    measure_echo,
    measure_posts,
    measure_records,
    measure_validation,
    measure_workers,
)
from tests.benchmarks.profiling import profile_appends, profile_verification
from tests.benchmarks.readings import (
    measure_looks,
    measure_rebuild,
    measure_size,
    measure_verification,
    records,
)
from tests.benchmarks.report import write_report
from tests.benchmarks.site import Site
from tests.benchmarks.workload import CORES

_DEFAULT_SIZE: Final = "20k"
_ROUNDS: Final = 3
_LONG_RECORD: Final = 500
_LOOKS: Final = 300
# Shares of the size that one round appends in each way.
_SHARES: Final = {1: 0.01, 64: 0.06, 512: 0.08}
_POST_SHARE: Final = 0.04
_BATCH_SHARE: Final = 0.05
_DOCS: Final = Path(__file__).parent.parent.parent / "docs"


def main(arguments: Sequence[str]) -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--size", default=os.environ.get("SIZE") or _DEFAULT_SIZE)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each baseline")
    parser.add_argument("--docs", type=Path, default=_DOCS, help="where to write")
    parser.add_argument("--profile", action="store_true", help="only profile, to stdout")
    given = parser.parse_args(arguments)
    size = _number(given.size)
    started = time.monotonic()
    site = Site()
    pool = new_pool(CORES)
    try:
        if given.profile:
            profile_appends(site, events=size)
            profile_verification(site)
            return
        figures = Figures()
        _Run(site, pool, figures, size=size).run(given.rounds, given.seconds)
        write_report(given.docs, figures, size=size, minutes=(time.monotonic() - started) / 60)
    finally:
        pool.shutdown()
        site.close()
    say(f"done in {(time.monotonic() - started) / 60:.1f} minutes")


class _Run:
    def __init__(
        self, site: Site, pool: ProcessPoolExecutor, figures: Figures, *, size: int
    ) -> None:
        self._site = site
        self._pool = pool
        self._figures = figures
        self._size = size

    def run(self, rounds: int, seconds: float) -> None:
        """Measure everything, `rounds` times interleaved."""
        site = self._site
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            chain = site.patients.with_long_record(_LONG_RECORD)
            record = runner.run(append_chain(site, chain))
            baselines = Baselines(site, row_bytes=_row_bytes(site), seconds=seconds)
            for number in range(1, rounds + 1):
                say(f"round {number} of {rounds}, appending; load {os.getloadavg()[0]:.1f}")
                self._figures.add("load of the machine", os.getloadavg()[0])
                baselines.measure(self._figures)
                measure_library(self._figures, seconds=seconds, pool=self._pool)
                self._appends(runner)
                self._posts()
            baselines.close()
            missing = self._size - _size_of(site)
            if missing > 0:
                say(f"filling up with {missing} events")
                runner.run(fill(site, missing))
        for number in range(1, rounds + 1):
            say(f"round {number} of {rounds}, reading; load {os.getloadavg()[0]:.1f}")
            self._reads(record, seconds)
        measure_size(site, self._figures)

    def _appends(self, runner: asyncio.Runner) -> None:
        for callers in CALLERS:
            events = max(callers, int(self._size * _SHARES[callers]))
            queues = prepare(self._site, events, callers=callers)
            name = f"append, {callers} callers"
            runner.run(measure_appends(self._site, self._figures, name, queues))

    def _posts(self) -> None:
        site, figures, pool = self._site, self._figures, self._pool
        # Whole patients: the opening of a stream, which costs most, is in its natural proportion.
        whole = min(64 * 50, self._size // 6)
        events = max(64, whole, int(self._size * _POST_SHARE))
        measure_validation(site, figures)
        measure_echo(site, figures, pool, events=events)
        measure_posts(site, figures, pool, events=events)
        measure_batches(site, figures, pool, events=max(400, int(self._size * _BATCH_SHARE)))
        measure_workers(site, figures, pool, events=events)

    def _reads(self, record: str, seconds: float) -> None:
        site, figures = self._site, self._figures
        measure_library(figures, seconds=seconds, pool=self._pool, when=" (reading)")
        measure_verification(site, figures)
        measure_rebuild(site, figures)
        measure_looks(site, figures, record)
        measure_records(site, figures, self._pool, records(site, _LOOKS))


def _row_bytes(site: Site) -> int:
    """Return how long the bodies are that simulated events have, on average."""
    chains = site.patients.chains(2_000)
    events = [event for chain in chains for event in chain]
    parts = [(e.statement, e.container, e.salt, e.content) for e in events]
    return sum(len(part) for four in parts for part in four) // len(events) + 16 + 29


def _size_of(site: Site) -> int:
    with site.database.connect("reader") as connection:
        row = connection.execute("SELECT size FROM ledger.head").fetchone()
    assert row is not None
    return int(row[0])


def _number(text: str) -> int:
    lower = text.lower()
    factor = {"k": 1_000, "m": 1_000_000}.get(lower[-1:], 1)
    return int(lower.rstrip("km")) * factor


if __name__ == "__main__":
    main(sys.argv[1:])
