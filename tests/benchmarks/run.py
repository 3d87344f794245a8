"""Run all measurements: grow the ledgers, then rounds of appending, then rounds of reading."""

import asyncio
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final

import msgspec
import uvloop

from tests.benchmarks.appends import (
    Queues,
    append_chain,
    in_turns,
    measure_appends,
    prepare,
    sequencer_of,
    warming_events,
)
from tests.benchmarks.baselines import Baselines, measure_library
from tests.benchmarks.beside import measure_beside
from tests.benchmarks.figures import Figures, say
from tests.benchmarks.growth import (
    label,
    measure_growth,
    measure_hashes,
    measure_sizes,
    measure_views_size,
    sizes_up_to,
)
from tests.benchmarks.incremental import measure_incremental
from tests.benchmarks.lag import measure_lag
from tests.benchmarks.loading import load
from tests.benchmarks.people import add_people, measure_search
from tests.benchmarks.posts import (
    measure_batches,
    measure_echo,
    measure_posts,
    measure_records,
    measure_validation,
    measure_workers,
)
from tests.benchmarks.readings import (
    measure_opening,
    measure_rebuild,
    measure_replay,
    measure_verification,
    records,
)
from tests.benchmarks.simple_views import measure_simple_views
from tests.benchmarks.site import Ground, Site
from tests.benchmarks.workload import CORES

MIDDLE: Final = 100_000
"""Size of the ledger on which what takes long is measured, where the largest one is larger."""
_LONG_RECORD: Final = 500
_LOOKS: Final = 400
_TURNS: Final = 3  # of appends and what they are compared with, in each round
_APPENDING_SHARE: Final = 0.6
_SERVING_SHARE: Final = 0.8
_MOST_PATIENTS: Final = 1_000_000
_ROW_SAMPLE: Final = 2_000


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much to do of everything.

    Attributes:
        size: of the largest ledger, events.
        seconds: of each baseline.
        minutes: after which no further round begins, though each kind has one at least.
    """

    size: int
    rounds: int
    seconds: float
    minutes: float = math.inf

    def share(self, parts: float, least: int, most: int) -> int:
        """Return so many parts of a thousand of the size, within bounds."""
        return max(least, min(most, int(self.size * parts / 1000)))


class Run:
    """One run on one site."""

    def __init__(self, site: Site, pool: ProcessPoolExecutor, figures: Figures, plan: Plan) -> None:
        self._site = site
        self._pool = pool
        self._figures = figures
        self._plan = plan
        self._started = time.monotonic()
        self._grounds: dict[int, Ground] = {}
        self._people = site.main

    @property
    def _middle(self) -> Ground:
        sizes = [size for size in self._grounds if size <= MIDDLE]
        return self._grounds[max(sizes, default=min(self._grounds))]

    def run(self) -> None:
        """Measure everything."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            record = self._grow(runner)
            baselines = Baselines(
                self._site, row_bytes=_row_bytes(self._site), seconds=self._plan.seconds / 2
            )
            for _ in self._rounds("appending", _APPENDING_SHARE):
                self._site.settle()
                self._figures.add("load of the machine", _load())
                self._appends(runner, baselines)
                self._posts()
                events = self._plan.share(4, 256, 4_000)
                measure_beside(self._site, runner, self._figures, events=events)
            baselines.close()
            measure_sizes(self._figures, self._grounds)
            self._views(runner)
        for _ in self._rounds("reading", 1.0):
            self._figures.add("load of the machine, reading", _load())
            self._reads(record)

    def _rounds(self, what: str, share: float) -> Iterator[int]:
        """Count rounds, as long as another one would end within its share of the time."""
        longest = 0.0
        for number in range(1, self._plan.rounds + 1):
            now = time.monotonic()
            if number > 1 and now - self._started + longest > share * 60 * self._plan.minutes:
                say(f"no time for round {number} of {what}")
                return
            say(f"round {number} of {self._plan.rounds}, {what}; load {_load():.1f}")
            yield number
            longest = max(longest, time.monotonic() - now)

    def _grow(self, runner: asyncio.Runner) -> str:
        """Grow the main ledger and keep a copy at each size; return a long record."""
        site = self._site
        chain = site.patients.with_long_record(_LONG_RECORD)
        record = runner.run(append_chain(site.main, chain))
        for size in sizes_up_to(self._plan.size):
            last = size == self._plan.size
            load(site, self._figures, size=size)
            kept = site.main if last else site.kept_copy(label(size))
            self._grounds[size] = kept or site.copy(label(size))
        return record

    def _appends(self, runner: asyncio.Runner, baselines: Baselines) -> None:
        site, figures, plan = self._site, self._figures, self._plan
        events = {1: plan.share(2, 200, 2_000), 64: plan.share(12, 1_280, 12_800)}
        events[512] = plan.share(20, 2_048, 20_480)
        prepared = {
            callers: in_turns(prepare(site, site.main, count, callers=callers), _TURNS)
            for callers, count in events.items()
        }
        warming = prepare(site, site.main, warming_events(plan.size), callers=max(events))
        runner.run(self._append_by_turns(baselines, prepared, warming))
        events_each = plan.share(12, 2_560, 12_800)
        measure_growth(site, runner, figures, self._grounds, events_each)

    async def _append_by_turns(
        self,
        baselines: Baselines,
        prepared: Mapping[int, Sequence[Queues]],
        warming: Queues,
    ) -> None:
        """Append and measure the baselines in turns, once appends are as they go on to be.

        One sequencer takes all turns: to another one every patient of the turn before would be new.
        """
        figures = self._figures
        async with sequencer_of(self._site.main) as sequencer:
            name = f"append right after a checkpoint, {max(prepared)} callers"
            await measure_appends(sequencer, figures, name, warming)
            for turn in range(_TURNS):
                for callers, turns in prepared.items():
                    if callers != max(prepared):
                        baselines.pgbench(figures, clients=callers)
                    name = f"append, {callers} callers"
                    await measure_appends(sequencer, figures, name, turns[turn])
                baselines.pgbench(figures, clients=8)
                baselines.measure(figures)

    def _posts(self) -> None:
        site, figures, pool = self._site, self._figures, self._pool
        # Whole patients: the opening of a stream, which costs most, is in its natural proportion.
        events = self._plan.share(6, 1_280, 8_960)
        measure_library(figures, seconds=self._plan.seconds / 2, pool=pool)
        measure_validation(site, figures)
        measure_echo(site, figures, pool, events=events)
        measure_posts(site, figures, pool, events=events)
        measure_batches(site, figures, pool, events=self._plan.share(8, 1_600, 8_000))

    def _views(self, runner: asyncio.Runner) -> None:
        """Build the largest views once, and meanwhile those to search in; measure what follows."""
        site, figures = self._site, self._figures
        people = min(_MOST_PATIENTS, self._plan.size)
        self._people, new = site.empty(f"{label(people)} patients")
        filling = self._pool.submit(add_people, self._people.url, people) if new else None
        say(f"views of {self._plan.size:,} events, and of {people:,} patients to search among")
        name = f"rebuild of all views at {label(self._plan.size)}, beside other work"
        measure_rebuild(site.main, figures, name)
        measure_views_size(figures, site.main)
        if filling is not None:
            filling.result()
            site.keep(f"{label(people)} patients", self._people)
        small = self._grounds[min(self._grounds)]
        if small is not site.main:
            smallest = label(min(self._grounds))
            measure_rebuild(small, figures, f"rebuild of all views at {smallest}")
        served = site.aside(small)
        for _ in self._rounds("serving", _SERVING_SHARE):
            seconds = self._plan.share(0.005, 2, 5)
            measure_lag(site, small, runner, figures, seconds=seconds)
            events = self._plan.share(4, 1_280, 4_480)
            measure_workers(site, served, figures, self._pool, events=events)

    def _reads(self, record: str) -> None:
        site, figures, middle = self._site, self._figures, self._middle
        seconds = self._plan.seconds / 2
        measure_library(figures, seconds=seconds, pool=self._pool, when=" (reading)")
        measure_opening(middle, figures)
        measure_rebuild(middle, figures, "rebuild of all views")
        measure_verification(middle, figures)
        measure_hashes(figures, self._grounds, processes=CORES)
        measure_incremental(site.main, figures)
        measure_simple_views(middle, figures)
        measure_replay(site.main, figures, record)
        measure_records(site, figures, self._pool, records(site.main, _LOOKS))
        measure_search(self._people, figures)


def _row_bytes(site: Site) -> int:
    """Return how long the bodies are that simulated events have, on average."""
    chains = site.patients.chains(_ROW_SAMPLE)
    events = [event for chain in chains for event in chain]
    parts = [(e.statement, e.container, e.salt, e.content) for e in events]
    return sum(len(part) for four in parts for part in four) // len(events) + 16 + 29


def _load() -> float:
    return os.getloadavg()[0]
