"""Measure the rebuild of the views that no record matters to: patients, search and staff."""

import time
from collections.abc import Iterator
from typing import Final

from ledger.database import Connection
from ledger.keyring import Keyring
from ledger.store import EntryStore
from projections.loaders import Target, load_in_processes
from projections.loading import Page
from projections.tracking import (
    create_generation,
    drop_generation,
    finish_loading,
    generations,
)
from tests.benchmarks.figures import Figures
from tests.benchmarks.site import Ground
from tests.benchmarks.workload import CORES

_PATIENTS: Final = """
SELECT stream::text, wrapped FROM {keys}.stream_key WHERE stream_kind = 'patient'
"""
_KEYS_OF: Final = """
SELECT stream::text, wrapped FROM {keys}.stream_key WHERE stream = ANY(%(streams)s::uuid[])
"""
_PAGE: Final = 300


def measure_simple_views(ground: Ground, figures: Figures) -> None:
    """Load and index these views in a generation aside, on all cores.

    No body of a record is opened. Their streams are found by the kind beside their keys; the rate
    counts all events of the ledger.
    """
    with ground.database.connect("owner") as connection:
        keyring = ground.new_keyring()
        number = max(generations(connection, ground.database)) + 1
        started = time.perf_counter()
        size = EntryStore(connection, ground.database).head().size
        with connection.transaction():
            create_generation(connection, ground.database, number, indexes=False)
        target = Target(
            database=ground.database, origin=keyring.origin, number=number, up_to=size - 1
        )
        pages = _pages(ground, connection, keyring)
        for _ in load_in_processes(connection, target, pages, processes=CORES):
            pass
        finish_loading(connection, ground.database, number, position=size - 1, leaf_hash=bytes(32))
        figures.add("rebuild of the simple views", size / (time.perf_counter() - started))
        drop_generation(connection, ground.database, number)


def _pages(ground: Ground, connection: Connection, keyring: Keyring) -> Iterator[Page]:
    patients = connection.execute(ground.database.query(_PATIENTS)).fetchall()
    for at in range(0, len(patients), _PAGE):
        yield Page(keys={s: keyring.remember(s, w) for s, w in patients[at : at + _PAGE]})
    staff = EntryStore(connection, ground.database).directory_streams()
    keys: dict[str, bytes | None] = dict.fromkeys(staff)
    rows = connection.execute(ground.database.query(_KEYS_OF), {"streams": staff}).fetchall()
    keys |= {stream: keyring.remember(stream, wrapped) for stream, wrapped in rows}
    yield Page(keys=keys, directory=True)
