"""Measure what reads a whole ledger: verification, rebuilding; and replay of one long record."""

import random
import time
from typing import Final

from ledger.reader import LedgerReader
from ledger.verify import VerifyOptions, verify_ledger
from projections.check import check_views
from projections.reads import ViewReader
from projections.rebuild import RebuildOptions, rebuild
from projections.replay import record_as_of
from tests.benchmarks.figures import Figures, timed
from tests.benchmarks.site import Ground
from tests.benchmarks.workload import CORES

_LOOKS: Final = 400
_PAGE: Final = 5_000


def measure_verification(ground: Ground, figures: Figures) -> None:
    """Verify a whole ledger on all cores: signatures and hashes, then everything, views too."""
    for what, rules in (("signatures and hashes", False), ("everything", True)):
        options = VerifyOptions(processes=CORES, rules=rules)
        started = time.perf_counter()
        report = verify_ledger(ground.database, keyring=ground.new_keyring(), options=options)
        assert report.ok, report.findings[:3]
        if rules:
            with ground.database.connect("reader") as connection:
                found = check_views(
                    connection, ground.database, ground.new_keyring(), processes=CORES
                )
            assert not found, found[:3]
        rate = report.entries_checked / (time.perf_counter() - started)
        figures.add(f"verify, {what}, {CORES} processes", rate)


def measure_rebuild(ground: Ground, figures: Figures, name: str) -> None:
    """Build all views of a ledger anew, on all cores."""
    with ground.database.connect("owner") as connection:
        started = time.perf_counter()
        options = RebuildOptions(processes=CORES)
        rebuild(connection, ground.database, ground.new_keyring(), options)
        seconds = time.perf_counter() - started
        reader = LedgerReader(connection, ground.database, ground.keyring)
        figures.add(name, reader.head().size / seconds)


def measure_opening(ground: Ground, figures: Figures) -> None:
    """Read and open all events of a ledger without doing anything with them."""
    with ground.database.connect("owner") as connection:
        reader = LedgerReader(connection, ground.database, ground.new_keyring())
        started = time.perf_counter()
        after = -1
        while events := reader.events(after, _PAGE):
            after = events[-1].position
        figures.add("read and open all events", (after + 1) / (time.perf_counter() - started))


def measure_replay(ground: Ground, figures: Figures, long_record: str) -> None:
    """Read a long record as of positions at random."""
    chance = random.Random(1)  # noqa: S311 - which ones to look at
    with ground.database.connect("reader") as connection:
        reader = LedgerReader(connection, ground.database, ground.new_keyring())
        positions = [event.position for event in reader.stream(long_record)]
        latencies = timed(
            lambda: record_as_of(reader, long_record, chance.choice(positions)), _LOOKS
        )
    figures.add_latencies(f"record of {len(positions)} entries as of a position", latencies)


def records(ground: Ground, count: int) -> list[str]:
    """Return some current records, among those of all sizes."""
    with ground.database.connect("reader") as connection:
        query = "SELECT record::text FROM {views}.record ORDER BY random() LIMIT 10000"
        rows = ViewReader(connection, ground.database).rows(query)
    chance = random.Random(2)  # noqa: S311 - which ones to look at
    return [chance.choice(rows)[0] for _ in range(count)]
