"""Read and append the rows of the ledger: the one place whose SQL touches entry, sealed and head.

`APPEND` is the only statement that writes them. It inserts a whole batch and moves the head by
compare-and-swap, so it is fenced (a second writer changes nothing), atomic and one round trip:
one fsync and one NOTIFY per batch. Positions are handed out by the head, so they have no gaps.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from psycopg.rows import TupleRow

from ledger.binary_arrays import bytes_array, integers_array, uuids_array
from ledger.database import Connection, Database
from ledger.errors import CorruptionError
from ledger.merkle import TileHash
from ledger.rows import EntryRow, Head

HASH_BYTES: Final = 32
PARTITION_SPAN: Final = 4_194_304
"""Positions in a partition of sealed bodies, as `ensure_sealed_partition` makes them."""

# Arrays go as binary (%b): three times faster than text for bytea.
APPEND: Final = """
WITH moved AS (
  UPDATE {ledger}.head
  SET size = %(new_size)s, peaks = %(new_peaks)b, root = %(new_root)b
  WHERE size = %(old_size)s AND root = %(old_root)b
  RETURNING size
), entries AS (
  INSERT INTO {ledger}.entry (position, stream, version, event_id, entry, leaf_hash, link_salt)
  SELECT %(old_size)s::bigint + u.ordinal - 1,
    u.stream, u.version, u.event_id, u.entry, u.leaf_hash, u.link_salt
  FROM moved, unnest(
    %(streams)b::uuid[], %(versions)b::bigint[], %(event_ids)b::uuid[],
    %(entries)b::bytea[], %(leaf_hashes)b::bytea[], %(link_salts)b::bytea[]
  ) WITH ORDINALITY AS u (stream, version, event_id, entry, leaf_hash, link_salt, ordinal)
), bodies AS (
  INSERT INTO {ledger}.sealed (position, body)
  SELECT %(old_size)s::bigint + u.ordinal - 1, u.body
  FROM moved, unnest(%(bodies)b::bytea[]) WITH ORDINALITY AS u (body, ordinal)
), tiles AS (
  INSERT INTO {ledger}.tile (level, index, hash)
  SELECT u.level, u.index, u.hash
  FROM moved, unnest(
    %(tile_levels)b::bigint[]::smallint[], %(tile_indexes)b::bigint[], %(tile_hashes)b::bytea[]
  ) AS u (level, index, hash)
)
SELECT pg_notify(%(channel)s, size::text) FROM moved
"""

HEAD: Final = "SELECT size, root, peaks FROM {ledger}.head"
_ORIGIN: Final = "SELECT origin, facility_key_id FROM {ledger}.ledger"

_ROWS: Final = """
SELECT e.position, e.stream, e.version, e.event_id, e.entry, e.leaf_hash, e.link_salt,
  CASE WHEN e.version = 1 THEN decode(repeat('00', 32), 'hex')
    ELSE coalesce(p.leaf_hash, ''::bytea) END,
  s.body
FROM {ledger}.entry AS e
LEFT JOIN {ledger}.sealed AS s ON s.position = e.position
LEFT JOIN {ledger}.entry AS p ON p.stream = e.stream AND p.version = e.version - 1
"""
ROWS_AFTER: Final = (
    _ROWS + "WHERE e.position > %(after)s AND e.position < %(end)s ORDER BY e.position"
)
ROWS_OF_EVENTS: Final = _ROWS + "WHERE e.event_id = ANY(%(event_ids)s) ORDER BY e.position"
ROWS_OF_STREAMS: Final = (
    _ROWS + "WHERE e.stream = ANY(%(streams)s) AND e.position <= %(up_to)s ORDER BY e.position"
)
ROWS_IN_THE_OPEN: Final = _ROWS + "WHERE get_byte(s.body, 0) = 0 ORDER BY e.position"
DIRECTORY_STREAMS: Final = """
SELECT DISTINCT e.stream
FROM {ledger}.sealed AS s JOIN {ledger}.entry AS e USING (position)
WHERE get_byte(s.body, 0) = 0
UNION
SELECT stream FROM {keys}.stream_key WHERE stream_kind = 'staff'
"""
ENTRY_AT: Final = "SELECT entry FROM {ledger}.entry WHERE position = %(position)s"
LEAVES: Final = """
SELECT leaf_hash FROM {ledger}.entry
WHERE position >= %(start)s AND position < %(end)s
ORDER BY position
"""
TILES: Final = """
SELECT hash FROM {ledger}.tile
WHERE level = %(level)s AND index >= %(start)s AND index < %(end)s
ORDER BY index
"""
STREAM_KEYS: Final = "SELECT stream, wrapped FROM {keys}.stream_key WHERE stream = ANY(%(streams)s)"
NEW_STREAM_KEY: Final = """
INSERT INTO {keys}.stream_key (stream, stream_kind, wrapped, facility_key_id)
VALUES (%(stream)s, %(stream_kind)s, %(wrapped)b, %(facility_key_id)s)
ON CONFLICT (stream) DO NOTHING
"""
LAST_POSITION: Final = (1 << 63) - 1


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """Which ledger a schema holds."""

    origin: str
    facility_key_id: str


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One event ready to be inserted at the position that its place in the batch gives it.

    Attributes:
        stream: its UUID's 16 bytes,
        event_id: likewise.
    """

    stream: bytes
    version: int
    event_id: bytes
    entry: bytes
    leaf_hash: bytes
    link_salt: bytes
    body: bytes

    def __repr__(self) -> str:
        """Show nothing: the ids alone link a patient's entries."""
        return "NewEntry()"


def append_parameters(
    old: Head, new: Head, entries: Sequence[NewEntry], tiles: Sequence[TileHash], *, channel: str
) -> Mapping[str, Any]:
    """Return the parameters of APPEND for one batch on top of `old`.

    APPEND returns one row, or none when the head was not `old` any more (nothing was written).
    """
    return {
        "old_size": old.size,
        "old_root": old.root,
        "new_size": new.size,
        "new_peaks": b"".join(new.peaks),
        "new_root": new.root,
        "streams": uuids_array([entry.stream for entry in entries]),
        "versions": integers_array([entry.version for entry in entries]),
        "event_ids": uuids_array([entry.event_id for entry in entries]),
        "entries": bytes_array([entry.entry for entry in entries]),
        "leaf_hashes": bytes_array([entry.leaf_hash for entry in entries]),
        "link_salts": bytes_array([entry.link_salt for entry in entries]),
        "bodies": bytes_array([entry.body for entry in entries]),
        "tile_levels": integers_array([level for level, _, _ in tiles]),
        "tile_indexes": integers_array([index for _, index, _ in tiles]),
        "tile_hashes": bytes_array([tile_hash for _, _, tile_hash in tiles]),
        "channel": channel,
    }


def head_of_row(row: Sequence[Any] | None) -> Head:
    """Return the head of a row (size, root, peaks).

    Raises:
        CorruptionError: `head-mismatch`, when the row is missing or its parts cannot belong
            together.
    """
    if row is None:
        raise CorruptionError("head-mismatch", detail="the head row is missing")
    size, root, joined = int(row[0]), bytes(row[1]), bytes(row[2])
    peaks = tuple(joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES))
    if len(peaks) != size.bit_count():
        raise CorruptionError("head-mismatch", size, "the head's peaks do not fit its size")
    return Head(size=size, root=root, peaks=peaks)


class EntryStore:
    """Reads rows over one synchronous connection; not to be shared between threads."""

    def __init__(self, connection: Connection, database: Database) -> None:
        """Use an open connection, whose life stays the caller's affair."""
        self.connection = connection
        self.database = database

    def ledger(self) -> LedgerRow | None:
        """Return which ledger this schema holds, or None before it was founded."""
        row = self.connection.execute(self.database.query(_ORIGIN)).fetchone()
        return None if row is None else LedgerRow(origin=row[0], facility_key_id=row[1])

    def head(self) -> Head:
        """Return the committed head.

        Raises:
            CorruptionError: `head-mismatch`, when it cannot be one.
        """
        cursor = self.connection.execute(self.database.query(HEAD), binary=True)
        return head_of_row(cursor.fetchone())

    def rows_after(self, after: int, *, end: int) -> list[EntryRow]:
        """Return the rows with after < position < end, by position."""
        return self._rows(ROWS_AFTER, {"after": after, "end": end})

    def rows_of_events(self, event_ids: Sequence[str]) -> list[EntryRow]:
        """Return the rows of these events, by position."""
        return self._rows(ROWS_OF_EVENTS, {"event_ids": [UUID(text) for text in event_ids]})

    def rows_of_streams(
        self, streams: Sequence[str], *, up_to: int = LAST_POSITION
    ) -> list[EntryRow]:
        """Return the rows of these streams with position <= up_to, by position."""
        parameters = {"streams": [UUID(text) for text in streams], "up_to": up_to}
        return self._rows(ROWS_OF_STREAMS, parameters)

    def rows_in_the_open(self) -> list[EntryRow]:
        """Return the rows whose bodies are stored in the open (the directory), by position."""
        return self._rows(ROWS_IN_THE_OPEN, {})

    def directory_streams(self) -> list[str]:
        """Return the facility's stream and every staff stream."""
        cursor = self.connection.execute(self.database.query(DIRECTORY_STREAMS))
        return [str(row[0]) for row in cursor.fetchall()]

    def entry_at(self, position: int) -> bytes | None:
        """Return the 108 bytes at a position, or None when there is no such row."""
        cursor = self.connection.execute(
            self.database.query(ENTRY_AT), {"position": position}, binary=True
        )
        row = cursor.fetchone()
        return None if row is None else bytes(row[0])

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        """Return the stored leaf hashes of positions start <= p < end."""
        return self._hashes(LEAVES, {"start": start, "end": end})

    def tile_hashes(self, level: int, start: int, end: int) -> list[bytes]:
        """Return the stored roots of full subtrees of 256**level leaves, start <= index < end."""
        return self._hashes(TILES, {"level": level, "start": start, "end": end})

    def stream_keys(self, streams: Sequence[str]) -> dict[str, bytes]:
        """Return the wrapped keys of those of the streams that have one."""
        if not streams:
            return {}
        cursor = self.connection.execute(
            self.database.query(STREAM_KEYS),
            {"streams": [UUID(text) for text in streams]},
            binary=True,
        )
        return {str(row[0]): bytes(row[1]) for row in cursor.fetchall()}

    def add_stream_key(
        self, stream: str, *, stream_kind: str, wrapped: bytes, facility_key_id: str
    ) -> bool:
        """Store a stream's key unless it has one, and tell whether this call did.

        The first writer wins. Durable on return.
        """
        cursor = self.connection.execute(
            self.database.query(NEW_STREAM_KEY),
            {
                "stream": UUID(stream),
                "stream_kind": stream_kind,
                "wrapped": wrapped,
                "facility_key_id": facility_key_id,
            },
        )
        return cursor.rowcount == 1

    def ensure_partition(self, position: int) -> None:
        """Make sure that the body of this position will have a partition to go to."""
        self.connection.execute(
            self.database.query("SELECT {ledger}.ensure_sealed_partition(%(at)s)"),
            {"at": position},
        )

    def _rows(self, query: LiteralString, parameters: Mapping[str, Any]) -> list[EntryRow]:
        cursor = self.connection.execute(self.database.query(query), parameters, binary=True)
        return [_entry_row(row) for row in cursor.fetchall()]

    def _hashes(self, query: LiteralString, parameters: Mapping[str, Any]) -> list[bytes]:
        cursor = self.connection.execute(self.database.query(query), parameters, binary=True)
        return [bytes(row[0]) for row in cursor.fetchall()]


def _entry_row(row: TupleRow) -> EntryRow:
    position, stream, version, event_id, entry, leaf_hash, link_salt, previous, body = row
    return EntryRow(
        position=position,
        stream=stream,
        version=version,
        event_id=event_id,
        entry=entry,
        leaf_hash=leaf_hash,
        link_salt=link_salt,
        previous=previous,
        body=body,
    )
