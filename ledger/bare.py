"""Open events for folds: checked against their digests like any read, parsed only as far as needed.

Statement and content were judged when they were admitted. Here their digests are checked, and the
statement is read without being judged again; that costs a third of opening everything.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from ledger.bare_rows import BareRow, rows_after, rows_of_streams
from ledger.content import content_digest
from ledger.entry import Entry, decode_entry
from ledger.errors import CorruptionError
from ledger.reader import LedgerReader
from ledger.rows import BareEvent
from ledger.sealing import Frame, StreamOpener, is_sealed
from ledger.store import LAST_POSITION
from signing.errors import MalformedStatementError
from signing.statement import Statement, read_statement, statement_digest


class BareReader:
    """Reads events for folds over a reader's connection; not to be shared between threads."""

    def __init__(self, reader: LedgerReader) -> None:
        """Use an open reader, whose life stays the caller's affair."""
        self._reader = reader

    def events(self, after: int, limit: int) -> list[BareEvent]:
        """Return up to `limit` events with position > after (-1 for all), by position.

        Raises:
            CorruptionError: when a row among them is missing, unreadable or contradicts a digest.
        """
        store = self._reader.store
        rows = rows_after(store.connection, store.database, after, end=after + 1 + limit)
        for expected, row in enumerate(rows, after + 1):
            if row[0] != expected:
                raise CorruptionError("position-gap", expected)
        openers = {
            stream: StreamOpener(key, origin=self._reader.origin, stream=stream)
            for stream, key in self._keys_for(rows).items()
        }
        return [_open(row, openers[row[1]]) for row in rows]

    def stream(self, stream: str, *, up_to: int = LAST_POSITION) -> list[BareEvent]:
        """Return a stream's events with position <= up_to, from version 1.

        Raises:
            CorruptionError: as `events`, and `version-gap`, when one is missing.
        """
        return [event for _, events in self.streams([stream], up_to=up_to) for event in events]

    def streams(
        self, streams: Sequence[str], *, up_to: int = LAST_POSITION
    ) -> Iterator[tuple[str, list[BareEvent]]]:
        """Yield each of the streams that has events by then, with its events from version 1.

        Raises:
            CorruptionError: as `stream`.
        """
        store = self._reader.store
        rows = rows_of_streams(store.connection, store.database, streams, up_to=up_to)
        yield from open_streams(rows, self._keys_for(rows), origin=self._reader.origin)

    def _keys_for(self, rows: Iterable[BareRow]) -> dict[str, bytes | None]:
        keys: dict[str, bytes | None] = {row[1]: None for row in rows}
        sealed = (row[1] for row in rows if row[5] and is_sealed(row[5]))
        keys.update(self._reader.load_keys(sealed))
        return keys


def open_streams(
    rows: Iterable[BareRow], keys: Mapping[str, bytes | None], *, origin: str
) -> Iterator[tuple[str, list[BareEvent]]]:
    """Yield streams with their events, from rows by stream and version and the streams' keys.

    Raises:
        CorruptionError: as `BareReader.stream`.
    """
    for stream, group in groupby(rows, key=itemgetter(1)):
        opener = StreamOpener(keys.get(stream), origin=origin, stream=stream)
        events = [_open(row, opener) for row in group]
        for expected, event in enumerate(events, 1):
            if event.version != expected:
                raise CorruptionError("version-gap", event.position)
        yield stream, events


def _open(row: BareRow, opener: StreamOpener) -> BareEvent:
    position, stream, version, event_id, entry_bytes, body = row
    if body is None:
        raise CorruptionError("body-missing", position)
    try:
        frame = opener.open(body, event_id)
        entry = decode_entry(entry_bytes)
        statement = _checked(frame, entry)
    except CorruptionError as error:
        raise CorruptionError(error.code, position) from None
    except MalformedStatementError:
        raise CorruptionError("statement-malformed", position) from None
    if statement.stream != stream or statement.event_id != event_id:
        raise CorruptionError("column-mismatch", position)
    return BareEvent(
        position=position,
        stream=stream,
        version=version,
        event_id=event_id,
        received_at_ms=entry.received_at_ms,
        statement=statement,
        content=frame.content,
    )


def _checked(frame: Frame, entry: Entry) -> Statement:
    """Return the statement after checking all three digests."""
    if statement_digest(frame.statement) != entry.statement_digest:
        raise CorruptionError("statement-mismatch")
    if statement_digest(frame.container) != entry.container_digest:
        raise CorruptionError("container-mismatch")
    statement = read_statement(frame.statement)
    if content_digest(frame.salt, frame.content).hex() != statement.content.digest:
        raise CorruptionError("content-mismatch")
    return statement
