"""Record in a ledger's schema which ledger succeeds it; from then on nothing is appended there."""

from typing import Final

from ledger.database import Connection, Database
from ledger.errors import EnvironmentRefusedError

_READ: Final = "SELECT origin FROM {ledger}.successor"
_RECORD: Final = """
INSERT INTO {ledger}.successor (origin) VALUES (%(origin)s) ON CONFLICT (one) DO NOTHING
"""


def read_successor(connection: Connection, database: Database) -> str | None:
    """Return the origin of the ledger that succeeds this one, None for none."""
    row = connection.execute(database.query(_READ)).fetchone()
    return None if row is None else str(row[0])


def record_successor(connection: Connection, database: Database, origin: str) -> None:
    """Record it for ever; durable on return, safe to repeat. No sequencer may run.

    Raises:
        EnvironmentRefusedError: another ledger succeeds it already.
    """
    connection.execute(database.query(_RECORD), {"origin": origin})
    found = read_successor(connection, database)
    if found != origin:
        raise EnvironmentRefusedError(f"schema {database.schema} is succeeded by {found} already")
