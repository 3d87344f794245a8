"""Store built events as the sequencer would, for tests of what reads a ledger."""

from collections.abc import Iterable
from uuid import UUID

from ledger.database import Connection, Database
from ledger.keyring import FileKeyWrapper, Keyring
from ledger.merkle import CompactRange, TileHash
from ledger.rows import Event, Head
from ledger.sealing import Frame, associated_data, encode_frame, plain_body, seal
from ledger.store import APPEND, EntryStore, NewEntry, append_parameters
from tests.builders_events import ORIGIN


def keyring() -> Keyring:
    """Return a keyring of the origin with a constant facility key."""
    return Keyring(FileKeyWrapper(bytes(range(32))), ORIGIN)


def found(connection: Connection, database: Database, ring: Keyring) -> None:
    """Write which ledger the schema holds."""
    query = "INSERT INTO {ledger}.ledger (origin, facility_key_id) VALUES (%s, %s)"
    connection.execute(database.query(query), [ring.origin, ring.facility_key_id])


def store_events(
    connection: Connection, database: Database, ring: Keyring, events: Iterable[Event]
) -> None:
    """Append events as the sequencer would, clinical bodies sealed under their streams' keys."""
    store = EntryStore(connection, database)
    old = store.head()
    tree = CompactRange.from_peaks(old.size, old.peaks)
    tiles: list[TileHash] = []
    entries: list[NewEntry] = []
    for event in events:
        tiles += tree.append(event.leaf_hash)
        entries.append(_new_entry(store, ring, event))
    new = Head(size=tree.size, root=tree.root(), peaks=tuple(tree.peaks))
    parameters = append_parameters(old, new, entries, tiles, channel=database.schema)
    moved = connection.execute(database.query(APPEND), parameters).fetchone()
    assert moved is not None


def _new_entry(store: EntryStore, ring: Keyring, event: Event) -> NewEntry:
    frame = encode_frame(
        Frame(
            statement=event.statement_bytes,
            container=event.container,
            salt=event.salt,
            content=event.content or b"",
        )
    )
    if event.statement.stream_kind in {"facility", "staff"}:
        body = plain_body(frame)
    else:
        aad = associated_data(ORIGIN, event.stream, event.event_id)
        body = seal(frame, key=_stream_key(store, ring, event), nonce=event.salt[:12], aad=aad)
    return NewEntry(
        stream=UUID(event.stream).bytes,
        version=event.version,
        event_id=UUID(event.event_id).bytes,
        entry=event.entry,
        leaf_hash=event.leaf_hash,
        link_salt=event.link_salt,
        body=body,
    )


def _stream_key(store: EntryStore, ring: Keyring, event: Event) -> bytes:
    known = ring.known(event.stream)
    if known is not None:
        return known
    wrapped = ring.new_wrapped(event.stream)
    kind = event.statement.stream_kind
    key_id = ring.facility_key_id
    store.add_stream_key(event.stream, stream_kind=kind, wrapped=wrapped, facility_key_id=key_id)
    return ring.remember(event.stream, wrapped)
