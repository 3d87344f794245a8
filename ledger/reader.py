"""Open stored rows into events, checking each against its digests, over one connection.

What comes out of here was hashed, not merely read: the statement and container meet the digests
in the entry, the content meets the digest in the statement. Whether the entry belongs to the tree
and the signature to its author is for `verify` to say.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence

from ledger.content import content_digest
from ledger.database import Connection, Database
from ledger.entry import decode_entry
from ledger.errors import CorruptionError
from ledger.keyring import Keyring
from ledger.merkle import peaks_at, root_at
from ledger.rows import EntryRow, Event, Head, Receipt
from ledger.sealing import associated_data, is_sealed, open_body
from ledger.store import LAST_POSITION, EntryStore
from signing.errors import MalformedStatementError
from signing.statement import parse_statement, statement_digest


def open_event(row: EntryRow, *, key: bytes | None, origin: str) -> Event:
    """Open one row with its stream's key (None for directory bodies) and check its digests.

    Raises:
        CorruptionError: naming the position and what does not agree.
    """
    stream, event_id = str(row.stream), str(row.event_id)
    if row.body is None:
        raise CorruptionError("body-missing", row.position)
    try:
        frame = open_body(row.body, key=key, aad=associated_data(origin, stream, event_id))
        entry = decode_entry(row.entry)
        statement = parse_statement(frame.statement)
    except CorruptionError as error:
        raise CorruptionError(error.code, row.position) from None
    except MalformedStatementError:
        raise CorruptionError("statement-malformed", row.position) from None
    if not hmac.compare_digest(statement_digest(frame.statement), entry.statement_digest):
        raise CorruptionError("statement-mismatch", row.position)
    if not hmac.compare_digest(statement_digest(frame.container), entry.container_digest):
        raise CorruptionError("container-mismatch", row.position)
    digest = content_digest(frame.salt, frame.content).hex()
    if not hmac.compare_digest(digest, statement.content.digest):
        raise CorruptionError("content-mismatch", row.position)
    if statement.stream != stream or statement.event_id != event_id:
        raise CorruptionError("column-mismatch", row.position)
    return Event(
        position=row.position,
        stream=stream,
        version=row.version,
        event_id=event_id,
        received_at_ms=entry.received_at_ms,
        entry=row.entry,
        leaf_hash=row.leaf_hash,
        link_salt=row.link_salt,
        previous=row.previous,
        statement_bytes=frame.statement,
        statement=statement,
        container=frame.container,
        salt=frame.salt,
        content=frame.content,
    )


class LedgerReader:
    """Reads events, heads and receipts of one founded ledger; not to be shared between threads."""

    def __init__(self, connection: Connection, database: Database, keyring: Keyring) -> None:
        """Use an open connection, whose life stays the caller's affair."""
        self.store = EntryStore(connection, database)
        self.keyring = keyring

    @property
    def origin(self) -> str:
        """The ledger's origin, as given by the keyring."""
        return self.keyring.origin

    def head(self) -> Head:
        """Return the committed head."""
        return self.store.head()

    def events(self, after: int, limit: int) -> list[Event]:
        """Return up to `limit` events with position > after (-1 for all), by position.

        Raises:
            CorruptionError: when a row among them is missing, unreadable or contradicts a digest.
        """
        rows = self.store.rows_after(after, end=after + 1 + limit)
        for expected, row in enumerate(rows, after + 1):
            if row.position != expected:
                raise CorruptionError("position-gap", expected)
        return self.open_rows(rows)

    def event(self, event_id: str) -> Event | None:
        """Return the event with this id, or None."""
        found = self.events_by_id([event_id])
        return found[0] if found else None

    def events_by_id(self, event_ids: Sequence[str]) -> list[Event]:
        """Return those of the events that exist, by position."""
        return self.open_rows(self.store.rows_of_events(event_ids))

    def stream(self, stream: str, *, up_to: int = LAST_POSITION) -> list[Event]:
        """Return a stream's events with position <= up_to, from version 1.

        Raises:
            CorruptionError: `version-gap`, when one is missing.
        """
        events = self.streams([stream], up_to=up_to)
        for expected, event in enumerate(events, 1):
            if event.version != expected:
                raise CorruptionError("version-gap", event.position)
        return events

    def streams(self, streams: Sequence[str], *, up_to: int = LAST_POSITION) -> list[Event]:
        """Return the events of several streams with position <= up_to, by position."""
        return self.open_rows(self.store.rows_of_streams(streams, up_to=up_to))

    def position_at(self, received_at_ms: int) -> int:
        """Return the last position received at or before a time (ms since 1970), -1 when none.

        received_at never decreases with position, so a binary search finds it.
        """
        low, high = -1, self.store.head().size - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self._received_at(middle) <= received_at_ms:
                low = middle
            else:
                high = middle - 1
        return low

    def root_at(self, size: int) -> bytes:
        """Return the root of the tree at an earlier size, from stored leaves and tiles."""
        return root_at(self.store, size)

    def receipt(self, event: Event) -> Receipt:
        """Return the receipt that was, or would have been, acknowledged for a committed event."""
        size = event.position + 1
        return Receipt(
            event_id=event.event_id,
            stream=event.stream,
            position=event.position,
            version=event.version,
            received_at_ms=event.received_at_ms,
            entry=event.entry,
            previous=event.previous,
            link_salt=event.link_salt,
            leaf_hash=event.leaf_hash,
            head_size=size,
            head_peaks=peaks_at(self.store, size),
        )

    def load_keys(self, streams: Iterable[str]) -> Mapping[str, bytes]:
        """Return the keys of those of these streams that have one.

        They go to the keyring too, which may have forgotten some again by the end: it is bounded.
        """
        keys: dict[str, bytes] = {}
        missing: list[str] = []
        for stream in dict.fromkeys(streams):
            key = self.keyring.known(stream)
            if key is None:
                missing.append(stream)
            else:
                keys[stream] = key
        for stream, wrapped in self.store.stream_keys(missing).items():
            keys[stream] = self.keyring.remember(stream, wrapped)
        return keys

    def open_rows(self, rows: Sequence[EntryRow]) -> list[Event]:
        """Open rows, loading the keys they need, and check their digests."""
        keys = self.load_keys(str(row.stream) for row in rows if row.body and is_sealed(row.body))
        return [
            open_event(row, key=keys.get(str(row.stream)), origin=self.keyring.origin)
            for row in rows
        ]

    def _received_at(self, position: int) -> int:
        entry = self.store.entry_at(position)
        if entry is None:
            raise CorruptionError("position-gap", position)
        return decode_entry(entry).received_at_ms
