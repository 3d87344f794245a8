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
from tests.benchmarks.site import Ground, Site, stream_of
from tests.benchmarks.workload import Chain, deal, encode_prepared

_WARMING_SHARE: Final = 64
_GC_THRESHOLDS: Final = (100_000, 50, 1_000)  # as the server has them
Queues = Sequence[Sequence[Submission]]


@asynccontextmanager
async def sequencer_of(ground: Ground) -> AsyncGenerator[Sequencer]:
    """Be the ledger's sequencer for a while, with the garbage collector as the server has it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    sequencer = await Sequencer.start(
        ground.database, ground.keyring, clock=SystemClock(), where="a benchmark"
    )
    try:
        yield sequencer
    finally:
        await sequencer.close()
        gc.unfreeze()


def prepare(site: Site, ground: Ground, events: int, *, callers: int) -> list[list[Submission]]:
    """Return admitted events of a ledger for so many callers, each with the same number."""
    share = -(-events // callers)
    chains = site.patients.admitted(events, at_least=callers, most=share)
    return ground.sealed(deal(chains, callers=callers, events=share * callers))


def warming_events(size: int) -> int:
    """Return after how many appends to a ledger of this size the next ones are as any later ones.

    A page is logged whole when it is first written after a checkpoint, and read when it is first
    written after a start. Each event writes a page of its own of two indexes, 55 and 41 bytes an
    event: after a 64th of the events nine tenths of those pages have been written.
    """
    return size // _WARMING_SHARE


def in_turns(queues: Queues, turns: int) -> list[Queues]:
    """Return the queues in so many parts of the same length, to be appended one after the other."""
    share = len(queues[0]) // turns
    return [[queue[at * share : (at + 1) * share] for queue in queues] for at in range(turns)]


async def append_all(sequencer: Sequencer, queues: Queues) -> list[float]:
    """Let every caller append its events one after the other; return the latencies, seconds."""
    latencies: list[float] = []
    await asyncio.gather(*(_append(sequencer, queue, latencies) for queue in queues))
    return latencies


async def measure_appends(
    sequencer: Sequencer, figures: Figures, name: str, queues: Queues
) -> None:
    """Let every caller append its events one after the other; add rate and latencies."""
    started = time.perf_counter()
    latencies = await append_all(sequencer, queues)
    seconds = time.perf_counter() - started
    figures.add(name, len(latencies) / seconds)
    figures.add_latencies(name, latencies)


async def _append(
    sequencer: Sequencer, queue: Sequence[Submission], latencies: list[float]
) -> None:
    for submission in queue:
        started = time.perf_counter()
        await sequencer.submit(submission)
        latencies.append(time.perf_counter() - started)


async def append_chain(ground: Ground, chain: Chain) -> str:
    """Append one patient's events in order; return the stream of the last one."""
    queues = ground.sealed([[encode_prepared(event) for event in chain]])
    async with sequencer_of(ground) as sequencer:
        await append_all(sequencer, queues)
    return stream_of(chain[-1].statement)
