"""Measure the same things on ledgers of several sizes, one beside the other."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, LiteralString

from ledger.merkle import consistency_proof, inclusion_proof
from ledger.reader import LedgerReader
from ledger.store import EntryStore
from ledger.verify import VerifyOptions, verify_ledger
from tests.benchmarks.appends import (
    Queues,
    append_all,
    in_turns,
    measure_appends,
    prepare,
    sequencer_of,
    warming_events,
)
from tests.benchmarks.figures import Figures
from tests.benchmarks.site import Ground, Site

SIZES: Final = (10_000, 100_000, 1_000_000, 10_000_000)
_PROOFS: Final = 400
_TURNS: Final = 6
_PARTS: Final[Mapping[str, LiteralString]] = {
    "entry, rows": "SELECT pg_relation_size('ledger.entry')",
    "entry, by position": "SELECT pg_relation_size('ledger.entry_position_is_unique')",
    "entry, by stream and version": "SELECT pg_relation_size('ledger.entry_version_is_unique')",
    "entry, by event_id": "SELECT pg_relation_size('ledger.entry_event_id_is_unique')",
    "sealed, rows": """
        SELECT coalesce(sum(pg_relation_size(inhrelid)), 0) FROM pg_inherits
        WHERE inhparent = 'ledger.sealed'::regclass""",
    "sealed, by position": """
        SELECT coalesce(sum(pg_indexes_size(inhrelid)), 0) FROM pg_inherits
        WHERE inhparent = 'ledger.sealed'::regclass""",
    "sealed, out of line": """
        SELECT coalesce(sum(pg_total_relation_size(reltoastrelid)), 0)
        FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'ledger.sealed'::regclass""",
    "tile": "SELECT pg_total_relation_size('ledger.tile')",
    "stream keys": "SELECT pg_total_relation_size('ledger_keys.stream_key')",
}
_VIEWS: Final = """
SELECT sum(pg_total_relation_size(c.oid))
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname ~ '^ledger_views_[0-9]+$'
"""
_OWN: Final = """
SELECT sum(octet_length(body)) + count(*) * (108 + 32 + 32 + 16 + 16 + 8 + 8) FROM ledger.sealed
"""


def label(size: int) -> str:
    """Return a size as people write it."""
    return f"{size // 1_000_000}m" if size >= 1_000_000 else f"{size // 1_000}k"


def sizes_up_to(size: int) -> list[int]:
    """Return the sizes to be measured for a largest ledger of `size`."""
    return [*(one for one in SIZES if one < size), size]


def measure_growth(
    site: Site, runner: asyncio.Runner, figures: Figures, grounds: Mapping[int, Ground], events: int
) -> None:
    """Append by 64 callers to each ledger by turns, and prove events of each."""
    turns = {
        size: in_turns(prepare(site, ground, events, callers=64), 1 + _TURNS)
        for size, ground in grounds.items()
    }
    for size, ground in grounds.items():
        if size != max(grounds):  # that one was appended to just before
            turns[size].insert(0, prepare(site, ground, warming_events(size), callers=64))
    runner.run(_append_by_turns(figures, grounds, turns))
    for size, ground in grounds.items():
        measure_proofs(ground, figures, size)


async def _append_by_turns(
    figures: Figures, grounds: Mapping[int, Ground], turns: Mapping[int, Sequence[Queues]]
) -> None:
    """Append in short turns, so that a slow second of the machine meets every size alike.

    The last turns of each ledger count; those before fill caches.
    """
    async with AsyncExitStack() as stack:
        sequencers = {
            size: await stack.enter_async_context(sequencer_of(ground))
            for size, ground in grounds.items()
        }
        for size, sequencer in sequencers.items():
            for warming in turns[size][:-_TURNS]:
                await append_all(sequencer, warming)
        for turn in range(-_TURNS, 0):
            for size, sequencer in sequencers.items():
                name = f"append at {label(size)}, 64 callers"
                await measure_appends(sequencer, figures, name, turns[size][turn])


def measure_proofs(ground: Ground, figures: Figures, size: int) -> None:
    """Prove inclusion of events at random, and consistency with sizes at random."""
    chance = random.Random(size)  # noqa: S311 - which ones to prove
    with ground.database.connect("reader") as connection:
        source = EntryStore(connection, ground.database)
        whole = source.head().size
        for name, prove in (("inclusion", inclusion_proof), ("consistency", consistency_proof)):
            latencies: list[float] = []
            for _ in range(_PROOFS):
                started = time.perf_counter()
                prove(source, chance.randrange(1, whole), whole)
                latencies.append(time.perf_counter() - started)
            figures.add_latencies(f"{name} proof at {label(size)}", latencies)


def measure_hashes(figures: Figures, grounds: Mapping[int, Ground], *, processes: int) -> None:
    """Verify the hashes of each ledger."""
    for size, ground in grounds.items():
        options = VerifyOptions(hashes_only=True, processes=processes)
        started = time.perf_counter()
        report = verify_ledger(ground.database, keyring=None, options=options)
        assert report.ok, report.findings[:3]
        rate = report.entries_checked / (time.perf_counter() - started)
        figures.add(f"verify hashes at {label(size)}", rate)


def measure_sizes(figures: Figures, grounds: Mapping[int, Ground]) -> None:
    """State what an event takes on disk, and how much of it is its own bytes."""
    for size, ground in grounds.items():
        with ground.database.connect("owner") as connection:
            connection.execute("SET statement_timeout = 0")
            reader = LedgerReader(connection, ground.database, ground.keyring)
            events = reader.head().size
            total = 0
            for part, query in _PARTS.items():
                row = connection.execute(query).fetchone()
                assert row is not None
                total += int(row[0])
                if size == max(grounds):
                    figures.add(f"bytes per event, {part}", int(row[0]) / events)
            figures.add(f"bytes per event at {label(size)}", total / events)
            if size == max(grounds):
                row = connection.execute(_OWN).fetchone()
                assert row is not None
                figures.add("bytes per event, its own", int(row[0]) / events)
                figures.add("events in the ledger", events)


def measure_views_size(figures: Figures, ground: Ground) -> None:
    """State what the views take on disk for each event, beside the ledger."""
    with ground.database.connect("owner") as connection:
        row = connection.execute(_VIEWS).fetchone()
        assert row is not None
        figures.add("bytes per event, the views beside it", int(row[0]) / ground.head().size)
