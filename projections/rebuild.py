"""Build the views anew beside the live ones, then switch to them in one commit."""

from collections.abc import Callable

import psycopg

from ledger.database import Connection, Database
from ledger.keyring import Keyring
from projections.engine import BATCH, Engine
from projections.tables import views_query
from projections.tracking import (
    active_number,
    create_generation,
    drop_generation,
    generations,
    install_views,
)

_LOCK_POINTER = "SELECT number FROM {pointer}.active FOR UPDATE"
_SWITCH = "UPDATE {pointer}.active SET number = %(number)s"


def rebuild(
    connection: Connection,
    database: Database,
    keyring: Keyring,
    *,
    progress: Callable[[int], None] | None = None,
    limit: int = 5 * BATCH,
) -> int:
    """Rebuild all views from position 0 and make them the active ones; return their generation.

    1. Create generation n+1 beside the others. 2. Catch up. 3. Hold the live projector at a batch
    boundary, fold the rest, move the pointer: one commit. 4. Drop the others; readers that were
    in the middle of one look the pointer up again. A crash at any step leaves the old views in
    use, and the next rebuild clears what was left.

    Args:
        connection: of the owner.
        database: where the views are.
        keyring: opens sealed bodies.
        progress: called with the position reached after each batch.
        limit: most events in one transaction.

    Raises:
        CorruptionError: stored events contradict their digests; the old views stay in use.
    """
    install_views(connection, database)
    drop_inactive(connection, database)
    number = max(generations(connection, database)) + 1
    with connection.transaction():
        create_generation(connection, database, number)
    engine = Engine(connection, database, keyring, number=number)
    while (place := engine.fold_batch(limit)) is not None:
        if progress is not None:
            progress(place.position)
    _switch(connection, database, engine)
    drop_inactive(connection, database)
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


def _switch(connection: Connection, database: Database, engine: Engine) -> None:
    # The live projector holds the pointer for each batch, so while it is locked here the live
    # views stand still, and all that they have folded is committed: this generation overtakes them.
    with connection.transaction():
        connection.execute(views_query(_LOCK_POINTER, database, 0))
        while engine.fold_batch() is not None:
            pass
        connection.execute(views_query(_SWITCH, database, 0), {"number": engine.number})
