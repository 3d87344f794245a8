"""Reach the ledger for writing: the running server, or the sequencer in this process."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from api.author import Author
from api.cli.access import open_database
from api.client import LedgerClient
from api.connect import connect
from api.keystore import KeyStore
from api.settings import Settings
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.errors import EnvironmentRefusedError
from ledger.keyring import Keyring
from ledger.reader import LedgerReader
from ledger.roles import Role
from ledger.state import DirectoryState
from ledger.stream_cache import StreamCache
from signing.keys import SoftKey

T = TypeVar("T")


def read_directory(database: Database, keyring: Keyring) -> DirectoryState:
    """Fold the directory (staff, keys, roles) from the ledger's own events."""
    with database.connect("reader") as connection:
        cache = StreamCache()
        cache.load_directory(LedgerReader(connection, database, keyring))
        return cache.directory


def key_of(chosen: Settings, staff: str, *, name: str | None = None) -> SoftKey:
    """Return a private key found under CLINLEDGER_HOME.

    Raises:
        EnvironmentRefusedError: when there is none of this name (default: of this staff id).
    """
    key = KeyStore(chosen.keys).load(name or staff)
    if key is None:
        raise EnvironmentRefusedError(f"no key of {name or staff} in {chosen.keys}")
    return key


def holder_of(directory: DirectoryState, chosen: Settings, role: Role) -> tuple[str, SoftKey]:
    """Return a member of staff who holds the role and whose valid key is found here.

    Raises:
        EnvironmentRefusedError: when there is none.
    """
    store = KeyStore(chosen.keys)
    for name in store.names():
        key = store.load(name)
        state = None if key is None else directory.key_for(key.key_id)
        if key is None or state is None or state.revoked_at_position is not None:
            continue
        if role in directory.roles_of(state.staff):
            return state.staff, key
    raise EnvironmentRefusedError(f"no key of a {role} in {chosen.keys}: name one with --by")


def author_of(
    directory: DirectoryState, chosen: Settings, *, by: str | None, role: Role
) -> tuple[str, SoftKey]:
    """Return who signs: the staff member named, else any holder of the role with a key here."""
    if by is None:
        return holder_of(directory, chosen, role)
    return by, key_of(chosen, by)


@asynccontextmanager
async def writing(
    chosen: Settings, staff: str, key: SoftKey
) -> AsyncGenerator[tuple[LedgerClient, Author]]:
    """Connect for writing as a member of staff."""
    client = await connect(chosen, open_database(chosen), staff=staff, key=key)
    try:
        yield client, Author(client, staff, key, clock=SystemClock())
    finally:
        await client.close()


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end in an event loop of its own."""
    return asyncio.run(main())
