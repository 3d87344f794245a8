"""Find the way to write: through the running server, or by being the sequencer oneself."""

from typing import Any

import msgspec

from api.client import LedgerClient
from api.http_client import HttpLedgerClient
from api.local_client import LocalLedgerClient
from api.settings import Settings
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.errors import UnavailableError
from ledger.founding import open_keyring
from ledger.store import EntryStore
from signing.keys import Signer


def server_url(chosen: Settings) -> str | None:
    """Return the URL that a server of this ledger has written down, whether or not it runs."""
    try:
        found: Any = msgspec.json.decode(chosen.server_file.read_bytes())
        return str(found["url"]) if found["schema"] == chosen.schema else None
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return None


async def connect(
    chosen: Settings, database: Database, *, staff: str, key: Signer, url: str | None = None
) -> LedgerClient:
    """Connect for writing as a member of staff.

    Args:
        chosen: where the keys and the server's whereabouts are.
        database: of the ledger, for the case that no server runs.
        staff: who submits.
        key: one of their keys.
        url: a server that must be used.

    Raises:
        UnavailableError: the server at `url` does not answer.
        EnvironmentRefusedError: no server is found, yet another process writes; it is named.
    """
    clock = SystemClock()
    known = url or server_url(chosen)
    if known is not None:
        try:
            return await HttpLedgerClient.connect(known, staff=staff, key=key, clock=clock)
        except UnavailableError:
            if url is not None:
                raise
    return await start_local(chosen, database)


async def start_local(chosen: Settings, database: Database) -> LocalLedgerClient:
    """Be the ledger's sequencer in this process until the client is closed.

    Raises:
        EnvironmentRefusedError: another process writes; it is named.
    """
    with database.connect("reader") as connection:
        keyring = open_keyring(EntryStore(connection, database), chosen.home)
    where = f"command in {chosen.home}"
    return await LocalLedgerClient.start(database, keyring, clock=SystemClock(), where=where)
