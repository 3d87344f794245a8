"""Tie a schema to one ledger and its facility key, and find both again later.

Founding has two durable steps: the ledger's row (this module), then the signed founding event
through the sequencer. A crash between them leaves an empty ledger that the same founding
completes; another origin or another facility key is refused.
"""

from pathlib import Path
from typing import Final

from ledger.database import Connection, Database
from ledger.errors import EnvironmentRefusedError
from ledger.keyring import FileKeyWrapper, Keyring, create_facility_key, load_facility_key
from ledger.store import EntryStore

_CLAIM: Final = """
INSERT INTO {ledger}.ledger (origin, facility_key_id)
VALUES (%(origin)s, %(facility_key_id)s)
ON CONFLICT (one) DO NOTHING
"""


def facility_key_path(home: Path) -> Path:
    """Return where a small site keeps its facility key."""
    return home / "keys" / "facility.key"


def claim_schema(connection: Connection, database: Database, *, origin: str, home: Path) -> Keyring:
    """Make the schema the home of this ledger, generating its facility key; safe to repeat.

    Durable on return. The key's file is written before the row that names it.

    Raises:
        EnvironmentRefusedError: when the schema holds another ledger, or its facility key is not
            the one in `home`.
    """
    store = EntryStore(connection, database)
    path = facility_key_path(home)
    if store.ledger() is None:
        wrapper = load_facility_key(path) if path.exists() else create_facility_key(path)
        connection.execute(
            database.query(_CLAIM), {"origin": origin, "facility_key_id": wrapper.key_id}
        )
    keyring = open_keyring(store, home)
    if keyring.origin != origin:
        raise EnvironmentRefusedError(f"this schema holds another ledger: {keyring.origin}")
    return keyring


def open_keyring(store: EntryStore, home: Path) -> Keyring:
    """Return the keyring of the ledger in this schema.

    Raises:
        EnvironmentRefusedError: when there is no ledger, no facility key, or another's.
    """
    row = store.ledger()
    if row is None:
        raise EnvironmentRefusedError("there is no ledger here yet: see `clinledger init --help`")
    wrapper: FileKeyWrapper = load_facility_key(facility_key_path(home))
    if wrapper.key_id != row.facility_key_id:
        raise EnvironmentRefusedError(
            f"the facility key in {home} is {wrapper.key_id}, "
            f"this ledger was sealed under {row.facility_key_id}"
        )
    return Keyring(wrapper, row.origin)
