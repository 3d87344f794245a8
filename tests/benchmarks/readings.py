"""Measure what reads the ledger: verification, rebuilding, replay, search, and table sizes."""

import random
import time
from collections.abc import Callable
from typing import Final

import psycopg

from ledger.database import Connection
from ledger.reader import LedgerReader
from ledger.verify import VerifyOptions, verify_ledger
from projections.reads import ViewReader
from projections.rebuild import rebuild
from projections.replay import record_as_of
from projections.search_queries import PatientQuery, search_patients
from tests.benchmarks.figures import Figures
from tests.benchmarks.site import Site
from tests.benchmarks.workload import CORES

_LOOKS: Final = 200
_SIZES: Final = """
SELECT
  pg_total_relation_size('ledger.entry') + pg_total_relation_size('ledger.tile') +
  (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits
   WHERE inhparent = 'ledger.sealed'::regclass),
  (SELECT sum(octet_length(body)) + count(*) * (108 + 32 + 32 + 16 + 16 + 8 + 8)
   FROM ledger.sealed),
  (SELECT size FROM ledger.head)
"""


def measure_verification(site: Site, figures: Figures) -> None:
    """Verify the whole ledger: everything in one process and in several, then hashes only."""
    cases = (
        ("verify, everything, one process", VerifyOptions(processes=1)),
        (f"verify, everything, {CORES} helpers", VerifyOptions(processes=CORES)),
        ("verify, hashes only", VerifyOptions(hashes_only=True)),
    )
    for name, options in cases:
        started = time.perf_counter()
        report = verify_ledger(site.database, keyring=site.new_keyring(), options=options)
        assert report.ok, report.findings[:3]
        figures.add(name, report.entries_checked / (time.perf_counter() - started))


def measure_rebuild(site: Site, figures: Figures) -> None:
    """Build all views anew, and read and open all events without doing anything with them."""
    with site.database.connect("owner") as connection:
        started = time.perf_counter()
        rebuild(connection, site.database, site.new_keyring())
        size = LedgerReader(connection, site.database, site.keyring).head().size
        figures.add("rebuild of all views", size / (time.perf_counter() - started))
        reader = LedgerReader(connection, site.database, site.new_keyring())
        started = time.perf_counter()
        after = -1
        while events := reader.events(after, 5_000):
            after = events[-1].position
        figures.add("read and open all events", size / (time.perf_counter() - started))


def measure_looks(site: Site, figures: Figures, long_record: str) -> None:
    """Look things up one after the other, as the routes do, without HTTP."""
    chance = random.Random(1)  # noqa: S311 - which ones to look at
    with site.database.connect("reader") as connection:
        reader = LedgerReader(connection, site.database, site.keyring)
        views = ViewReader(connection, site.database)
        positions = [event.position for event in reader.stream(long_record)]
        figures.add_latencies(
            f"record of {len(positions)} entries as of a position",
            _timed(lambda: record_as_of(reader, long_record, chance.choice(positions))),
        )
        queries = _queries(connection, site, chance)
        figures.add_latencies(
            "patient search",
            _timed(lambda: search_patients(views, chance.choice(queries))),
        )


def records(site: Site, count: int) -> list[str]:
    """Return some current records, among those of all sizes."""
    with site.database.connect("reader") as connection:
        query = "SELECT record::text FROM {views}.record"
        rows = ViewReader(connection, site.database).rows(query)
    chance = random.Random(2)  # noqa: S311 - which ones to look at
    return [chance.choice(rows)[0] for _ in range(count)]


def measure_size(site: Site, figures: Figures) -> None:
    """State what an event takes on disk, indexes included, and how much of it is its own bytes."""
    with psycopg.connect(site.url) as connection:
        row = connection.execute(_SIZES).fetchone()
    assert row is not None
    disk, own, size = (float(value) for value in row)
    figures.add("bytes on disk per event", disk / size)
    figures.add("bytes of its own per event", own / size)
    figures.add("events in the ledger", size)


def _queries(connection: Connection, site: Site, chance: random.Random) -> list[PatientQuery]:
    rows = ViewReader(connection, site.database).rows(
        "SELECT DISTINCT exact FROM {views}.search_word WHERE kind = 'name' LIMIT 2000"
    )
    words = [row[0] for row in rows]
    queries = [
        PatientQuery(text=f"{chance.choice(words)} {chance.choice(words)}") for _ in range(50)
    ]
    queries += [PatientQuery(text=chance.choice(words)[:2]) for _ in range(50)]
    return queries


def _timed(look: Callable[[], object]) -> list[float]:
    latencies: list[float] = []
    look()
    for _ in range(_LOOKS):
        started = time.perf_counter()
        look()
        latencies.append(time.perf_counter() - started)
    return latencies
