"""Open the ledger that a command is about."""

import os
from collections.abc import Generator
from contextlib import contextmanager

from api.settings import Settings, read_settings
from ledger.database import Database, Role
from ledger.errors import EnvironmentRefusedError
from ledger.founding import open_keyring
from ledger.keyring import Keyring
from ledger.migrate import migration_state
from ledger.reader import LedgerReader
from ledger.store import EntryStore


def settings() -> Settings:
    """Return the settings of this process (options are put into the environment first)."""
    return read_settings(os.environ)


def open_database(chosen: Settings) -> Database:
    """Return the migrated database of the settings, starting the embedded server if need be.

    Raises:
        EnvironmentRefusedError: when there is none, or it has not been migrated.
    """
    if chosen.database_url is None and not (chosen.home / "postgres").exists():
        # Else a command in the wrong folder would set up a server there.
        raise EnvironmentRefusedError(
            f"no database in {chosen.home}: run `clinledger init` or `clinledger migrate`, "
            "or say with --home or --database-url where the ledger is"
        )
    database = chosen.open_database()
    if migration_state(database).pending:
        raise EnvironmentRefusedError("the database is not up to date: run `clinledger migrate`")
    return database


def keyring_of(database: Database, chosen: Settings) -> Keyring:
    """Return the keyring of the ledger.

    Raises:
        EnvironmentRefusedError: when there is no ledger yet, or no facility key for it.
    """
    with database.connect("reader") as connection:
        return open_keyring(EntryStore(connection, database), chosen.home)


@contextmanager
def open_reader(role: Role = "reader") -> Generator[LedgerReader]:
    """Open the ledger of the settings for reading."""
    chosen = settings()
    database = open_database(chosen)
    keyring = keyring_of(database, chosen)
    with database.connect(role, name="clinledger-command") as connection:
        yield LedgerReader(connection, database, keyring)
