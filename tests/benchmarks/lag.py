"""Measure how far the views lag behind while events come at a steady rate."""

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Sequence
from typing import Final

from ledger.rows import Outcome  # noqa: TC001 - as its neighbours
from ledger.sequencer import Sequencer
from ledger.submission import Submission
from projections.reads import ViewReader
from tests.benchmarks.appends import prepare, sequencer_of
from tests.benchmarks.figures import Figures, say
from tests.benchmarks.site import REPOSITORY, Ground, Site

RATE: Final = 2_000
_TICK_SECONDS: Final = 0.01
_LOOK_SECONDS: Final = 0.004
_PATIENCE_SECONDS: Final = 300


def measure_lag(
    site: Site, ground: Ground, runner: asyncio.Runner, figures: Figures, *, seconds: float
) -> None:
    """Append at a steady rate beside the live projector; add acknowledgement to view, and p99."""
    events = [
        submission
        for queue in prepare(site, ground, int(RATE * seconds), callers=1)
        for submission in queue
    ]
    first, events = events[:1], events[1:]
    with _projector(ground), _watching(ground) as seen:
        # The projector lives once it has shown an event that was appended after its start.
        before, _ = runner.run(_append(ground, first))
        _wait_for(seen, max(before))
        acknowledged, took = runner.run(_append(ground, events))
        _wait_for(seen, max(acknowledged))
    figures.add("events a second, while the lag was measured", len(acknowledged) / took)
    figures.add_latencies("views behind their events", _lags(acknowledged, seen))


def _lags(acknowledged: dict[int, float], seen: Sequence[tuple[float, int]]) -> list[float]:
    """Return how long after each acknowledgement a look found the position in the views."""
    looks = iter(seen)
    at, reached = next(looks)
    lags: list[float] = []
    for position in sorted(acknowledged):
        while reached < position:
            at, reached = next(looks)
        lags.append(max(0.0, at - acknowledged[position]))
    return lags


async def _append(ground: Ground, events: Sequence[Submission]) -> tuple[dict[int, float], float]:
    """Hand in so many events each tick; return when each position was acknowledged."""
    acknowledged: dict[int, float] = {}

    def answered(answer: "asyncio.Future[Outcome]") -> None:
        acknowledged[answer.result().receipt.position] = time.perf_counter()

    started = time.perf_counter()
    async with sequencer_of(ground) as sequencer:
        await _pace(sequencer, events, answered)
    return acknowledged, time.perf_counter() - started


async def _pace(sequencer: Sequencer, events: Sequence[Submission], answered: object) -> None:
    share = int(RATE * _TICK_SECONDS)
    started = time.perf_counter()
    answers: list[asyncio.Future[Outcome]] = []
    for tick, at in enumerate(range(0, len(events), share)):
        await asyncio.sleep(max(0.0, started + tick * _TICK_SECONDS - time.perf_counter()))
        for submission in events[at : at + share]:
            answer = sequencer.enqueue(submission)
            answer.add_done_callback(answered)  # pyright: ignore[reportArgumentType]
            answers.append(answer)
    await asyncio.gather(*answers)


@contextlib.contextmanager
def _projector(ground: Ground) -> Generator[None]:
    with subprocess.Popen(
        [sys.executable, "-m", "api.projecting"],
        env=ground.environment,
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
    ) as process:
        try:
            yield
        finally:
            assert process.stdin is not None
            process.stdin.close()  # as when the server ends
            process.wait(timeout=_PATIENCE_SECONDS)


@contextlib.contextmanager
def _watching(ground: Ground) -> Generator[list[tuple[float, int]]]:
    """Look how far the views are, again and again; yield the times and positions."""
    seen: list[tuple[float, int]] = []
    stop = threading.Event()

    def watch() -> None:
        with ground.database.connect("reader") as connection:
            views = ViewReader(connection, ground.database)
            while not stop.wait(_LOOK_SECONDS):
                reached = views.reached()
                seen.append((time.perf_counter(), reached))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _wait_for(seen: Sequence[tuple[float, int]], position: int) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not seen or seen[-1][1] < position:
        assert time.monotonic() < until, "the views do not follow"
        time.sleep(0.02)
    say(f"    the views are at {position:,}")
