"""Build the views anew beside the live ones, then switch to them in one commit."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec
import psycopg

from ledger.database import Connection, Database
from ledger.errors import CorruptionError
from ledger.keyring import Keyring
from ledger.store import EntryStore
from projections.engine import BATCH, Engine
from projections.loaders import Target, load_here, load_in_processes
from projections.loading import Page
from projections.tables import views_query
from projections.tracking import (
    NO_LEAF,
    Tracking,
    active_number,
    create_generation,
    drop_generation,
    finish_loading,
    generations,
    install_views,
)

LAST: Final = "SELECT coalesce(max(position), -1) FROM {ledger}.entry"
STREAMS: Final = """
SELECT s.stream::text, s.events, k.wrapped
FROM (
  SELECT stream, count(*) AS events, min(position) AS opened
  FROM {ledger}.entry WHERE position >= 0 AND position <= %(up_to)s
  GROUP BY stream
) AS s LEFT JOIN {keys}.stream_key AS k USING (stream)
ORDER BY s.opened
"""
GAP: Final = """
SELECT min(e.position) + 1 FROM {ledger}.entry AS e
WHERE NOT EXISTS (SELECT FROM {ledger}.entry AS n WHERE n.position = e.position + 1)
"""
_LOCK_POINTER: Final = "SELECT number FROM {pointer}.active FOR UPDATE"
_SWITCH: Final = "UPDATE {pointer}.active SET number = %(number)s"
_FETCH: Final = 1_000
_FEW: Final = 10_000  # events; starting a process takes about as long as loading these


class RebuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to rebuild.

    Attributes:
        progress: called with the position reached, in numbers of events, now and then.
        limit: most events in one transaction, except where one stream has more.
        processes: how many load, this one among them. The caller's main
            module must be importable.
        few: a ledger with fewer events is loaded without further processes.
    """

    progress: Callable[[int], None] | None = None
    limit: int = 2 * BATCH
    processes: int = 1
    few: int = _FEW


def rebuild(
    connection: Connection,
    database: Database,
    keyring: Keyring,
    options: RebuildOptions | None = None,
) -> int:
    """Rebuild all views from position 0 and make them the active ones; return their generation.

    1. Create generation n+1 beside the others, without indexes. 2. Load it, whole streams at a
    time, as of the position that the ledger has now; index it. 3. Catch up. 4. Hold the live
    projector at a batch boundary, fold the rest, move the pointer: one commit. 5. Drop the others;
    readers that were in the middle of one look the pointer up again. A crash at any step leaves
    the old views in use, and the next rebuild clears what was left.

    Args:
        connection: of the owner.
        database: where the views are.
        keyring: opens sealed bodies.
        options: see there.

    Raises:
        CorruptionError: stored events contradict their digests; the old views stay in use.
        UnavailableError: a loading process was ended from outside; the same.
    """
    options = options or RebuildOptions()
    install_views(connection, database)
    drop_inactive(connection, database)
    number = max(generations(connection, database)) + 1
    with connection.transaction():
        create_generation(connection, database, number, indexes=False)
    load_views(connection, database, keyring, number=number, options=options)
    engine = Engine(connection, database, keyring, number=number)
    while (place := _fold_batch(connection, engine, options.limit)) is not None:
        if options.progress is not None:
            options.progress(place.position)
    _switch(connection, database, engine)
    drop_inactive(connection, database)
    return number


def load_views(
    connection: Connection,
    database: Database,
    keyring: Keyring,
    *,
    number: int,
    options: RebuildOptions,
) -> int:
    """Load and index a new generation as of the newest position, which is returned.

    Raises:
        CorruptionError, UnavailableError: as `rebuild`.
    """
    row = connection.execute(database.query(LAST)).fetchone()
    up_to = -1 if row is None else int(row[0])
    target = Target(database=database, origin=keyring.origin, number=number, up_to=up_to)
    pages = _pages(connection, keyring, target, options.limit)
    if options.processes > 1 and up_to >= options.few:
        counts = load_in_processes(connection, target, pages, processes=options.processes)
    else:
        counts = load_here(connection, target, pages)
    loaded = 0
    for count in counts:
        loaded += count
        if options.progress is not None:
            options.progress(loaded - 1)
    if loaded != up_to + 1:
        gap = connection.execute(database.query(GAP)).fetchone()
        raise CorruptionError("position-gap", None if gap is None else gap[0])
    leaf_hash = NO_LEAF
    if up_to >= 0:
        [leaf_hash] = EntryStore(connection, database).leaf_hashes(up_to, up_to + 1)
    finish_loading(connection, database, number, position=up_to, leaf_hash=leaf_hash)
    return up_to


def begin_anew(connection: Connection, database: Database) -> int:
    """Make empty views the active ones, within the caller's transaction; return their generation.

    For when the ledger itself was set back: what the old views have folded is not in it any more.
    The projector folds from position 0; `drop_inactive` clears the others afterwards.
    """
    number = max(generations(connection, database)) + 1
    connection.execute(views_query(_LOCK_POINTER, database, 0))
    create_generation(connection, database, number)
    connection.execute(views_query(_SWITCH, database, 0), {"number": number})
    return number


def drop_inactive(connection: Connection, database: Database) -> None:
    """Drop every generation but the active one; one that is busy is left for the next time."""
    active = active_number(connection, database)
    for number in generations(connection, database):
        if number != active:
            try:
                drop_generation(connection, database, number)
            except psycopg.errors.LockNotAvailable:
                continue


def _pages(connection: Connection, keyring: Keyring, target: Target, limit: int) -> Iterator[Page]:
    """Yield all streams: the directory first, then the others in the order of their opening.

    Streams opened at about the same time lie near one another in the ledger.
    """
    directory = set(EntryStore(connection, target.database).directory_streams())
    people: dict[str, bytes | None] = {}
    keys: dict[str, bytes | None] = {}
    events = 0
    with connection.cursor(name="clinledger_streams", withhold=True, binary=True) as cursor:
        cursor.itersize = _FETCH
        cursor.execute(target.database.query(STREAMS), {"up_to": target.up_to})
        for stream, count, wrapped in cursor:
            key = None if wrapped is None else keyring.remember(stream, wrapped)
            if stream in directory:
                people[stream] = key
                continue
            if keys and events + count > limit:
                yield Page(keys=keys)
                keys, events = {}, 0
            keys[stream] = key
            events += count
    yield Page(keys=keys)
    yield Page(keys=people, directory=True)


def _fold_batch(connection: Connection, engine: Engine, limit: int) -> Tracking | None:
    with connection.transaction():
        return engine.fold_batch(limit)


def _switch(connection: Connection, database: Database, engine: Engine) -> None:
    # The live projector holds the pointer for each batch, so while it is locked here the live
    # views stand still, and all that they have folded is committed: this generation overtakes them.
    with connection.transaction():
        connection.execute(views_query(_LOCK_POINTER, database, 0))
        while engine.fold_batch() is not None:
            pass
        connection.execute(views_query(_SWITCH, database, 0), {"number": engine.number})
