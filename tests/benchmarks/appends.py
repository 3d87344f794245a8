"""Measure appends at the level of the sequencer: admitted, sealed events in, durable on return."""

import asyncio
import gc
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from ledger.clock import SystemClock
from ledger.sequencer import Sequencer
from ledger.submission import Submission
from tests.benchmarks.figures import Figures
from tests.benchmarks.site import Site, stream_of
from tests.benchmarks.workload import Chain, admitted, deal

CALLERS: Final = (1, 64, 512)
_GC_THRESHOLDS: Final = (100_000, 50, 1_000)  # as the server has them


@asynccontextmanager
async def sequencer_of(site: Site) -> AsyncGenerator[Sequencer]:
    """Be the ledger's sequencer for a while."""
    sequencer = await Sequencer.start(
        site.database, site.keyring, clock=SystemClock(), where="a benchmark"
    )
    try:
        yield sequencer
    finally:
        await sequencer.close()


def prepare(site: Site, events: int, *, callers: int) -> list[list[Submission]]:
    """Return admitted events for so many callers."""
    share = -(-events // callers)
    chains: list[Chain] = site.patients.chains(events, at_least=callers)
    site.add_stream_keys(chains)
    dealt = deal(chains, callers=callers, events=share * callers)
    return [[admitted(event, site.keyring) for event in queue] for queue in dealt]


async def measure_appends(
    site: Site, figures: Figures, name: str, queues: Sequence[Sequence[Submission]]
) -> None:
    """Let every caller append its events one after the other; add rate and latencies."""
    latencies: list[float] = []
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    async with sequencer_of(site) as sequencer:
        started = time.perf_counter()
        await asyncio.gather(*(_append(sequencer, queue, latencies) for queue in queues))
        seconds = time.perf_counter() - started
    gc.unfreeze()
    figures.add(name, len(latencies) / seconds)
    figures.add_latencies(name, latencies)


async def fill(site: Site, events: int, *, callers: int = 256) -> None:
    """Append so many events as fast as may be, measuring nothing."""
    queues = prepare(site, events, callers=callers)
    async with sequencer_of(site) as sequencer:
        await asyncio.gather(*(_append(sequencer, queue, []) for queue in queues))


async def _append(
    sequencer: Sequencer, queue: Sequence[Submission], latencies: list[float]
) -> None:
    for submission in queue:
        started = time.perf_counter()
        await sequencer.submit(submission)
        latencies.append(time.perf_counter() - started)


async def append_chain(site: Site, chain: Chain) -> str:
    """Append one patient's events in order; return the stream of the last one."""
    site.add_stream_keys([chain])
    async with sequencer_of(site) as sequencer:
        await _append(sequencer, [admitted(event, site.keyring) for event in chain], [])
    return stream_of(chain[-1].statement)[0]
