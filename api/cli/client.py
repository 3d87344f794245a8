"""Reach the ledger for writing: the running server, or the sequencer in this process."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from api.author import Author
from api.cli.access import open_database, open_reader
from api.client import LedgerClient
from api.connect import connect
from api.keystore import KeyStore
from api.settings import Settings
from ledger.clock import SystemClock
from ledger.errors import EnvironmentRefusedError
from ledger.reader import LedgerReader
from ledger.roles import Role
from ledger.state import DirectoryState
from ledger.stream_cache import StreamCache
from signing.keys import SoftKey

T = TypeVar("T")


def read_directory(reader: LedgerReader) -> DirectoryState:
    """Fold the directory (staff, keys, roles) from the ledger's own events."""
    cache = StreamCache()
    cache.load_directory(reader)
    return cache.directory


def open_directory() -> DirectoryState:
    """Open the ledger of the settings and fold its directory."""
    with open_reader() as reader:
        return read_directory(reader)


def named_key(chosen: Settings, name: str) -> SoftKey:
    """Return the private key in the file of this name under CLINLEDGER_HOME.

    Raises:
        EnvironmentRefusedError: when there is none.
    """
    key = KeyStore(chosen.keys).load(name)
    if key is None:
        raise EnvironmentRefusedError(f"no key named {name} in {chosen.keys}")
    return key


def key_of(
    chosen: Settings, staff: str, *, directory: DirectoryState, name: str | None = None
) -> SoftKey:
    """Return a private key of a member of staff found under CLINLEDGER_HOME.

    That of the file `name`, if given; else a key that is enrolled for them and not revoked; else
    that of the file named by the staff id, so that the ledger says what is wrong with it.

    Raises:
        EnvironmentRefusedError: when there is none.
    """
    if name is not None:
        return named_key(chosen, name)
    for key, holder in _usable_keys(directory, chosen):
        if holder == staff:
            return key
    return named_key(chosen, staff)


def holder_of(
    directory: DirectoryState, chosen: Settings, *roles: Role, but: str = ""
) -> tuple[str, SoftKey]:
    """Return a member of staff who holds one of the roles and whose valid key is found here.

    Args:
        directory: as it stands.
        chosen: where the keys are.
        roles: one or more.
        but: a member of staff who is not meant.

    Raises:
        EnvironmentRefusedError: when there is none.
    """
    for key, holder in _usable_keys(directory, chosen):
        if holder != but and not directory.roles_of(holder).isdisjoint(roles):
            return holder, key
    words = " or ".join(roles)
    raise EnvironmentRefusedError(f"no key of a {words} in {chosen.keys}: name one with --by")


def author_of(
    directory: DirectoryState, chosen: Settings, *, by: str | None, role: Role
) -> tuple[str, SoftKey]:
    """Return who signs: the staff member named, else any holder of the role with a key here."""
    if by is None:
        return holder_of(directory, chosen, role)
    return by, key_of(chosen, by, directory=directory)


def _usable_keys(directory: DirectoryState, chosen: Settings) -> Iterator[tuple[SoftKey, str]]:
    """Yield key and holder of each key here that is enrolled and not revoked."""
    store = KeyStore(chosen.keys)
    for name in store.names():
        key = store.load(name)
        state = None if key is None else directory.key_for(key.key_id)
        if key is not None and state is not None and state.revoked_at_position is None:
            yield key, state.staff


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
