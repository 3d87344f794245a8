"""Read the stored rows of one ledger as of one moment, in position order, a few at a time.

Nothing here judges anything. Rows come through server-side cursors in one REPEATABLE READ
transaction, so a ledger may be verified while it is written to, and memory stays flat.
"""

from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Final, LiteralString, NamedTuple, TypeVar

import psycopg
from psycopg.rows import args_row

from ledger.database import Connection, Database
from ledger.errors import EnvironmentRefusedError, UnavailableError
from ledger.set_aside import SetAsideRows
from ledger.set_aside_table import read_set_aside

_BEGIN: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# A whole pass takes longer than a request may.
_NO_TIMEOUT: Final = "SET LOCAL statement_timeout = 0"
# A superuser can drop NOT NULL as well: what is null is read as a value that nothing can have.
LEDGER_ROWS: Final = """
SELECT one IS TRUE, coalesce(origin, ''), coalesce(facility_key_id, '')
FROM {ledger}.ledger
"""
HEAD_ROWS: Final = """
SELECT one IS TRUE, coalesce(size, -1), coalesce(root, ''), coalesce(peaks, '')
FROM {ledger}.head
"""
TILES: Final = """
SELECT coalesce(level, 0::smallint), coalesce(index, -1), coalesce(hash, '')
FROM {ledger}.tile
"""
KEYS: Final = """
SELECT coalesce(stream::text, ''), coalesce(stream_kind, ''), coalesce(wrapped, ''),
  coalesce(facility_key_id, '')
FROM {keys}.stream_key
"""
ENTRIES: Final = """
SELECT coalesce(position, -1), coalesce(stream::text, ''), coalesce(version, 0),
  coalesce(event_id::text, ''), coalesce(entry, ''), coalesce(leaf_hash, ''),
  coalesce(link_salt, '')
FROM {ledger}.entry
ORDER BY position
"""
BODIES: Final = """
SELECT coalesce(position, -1), coalesce(body, '')
FROM {ledger}.sealed
ORDER BY position
"""
# Of bodies that will not be opened only the first byte is read, which tells their form.
DIRECTORY_BODIES: Final = """
SELECT coalesce(position, -1),
  CASE WHEN substring(body FROM 1 FOR 1) = '\\x00' THEN body
    ELSE substring(coalesce(body, '') FROM 1 FOR 1) END
FROM {ledger}.sealed
ORDER BY position
"""
BODIES_OF_STREAMS: Final = """
SELECT coalesce(s.position, -1),
  CASE WHEN substring(s.body FROM 1 FOR 1) = '\\x00' OR e.stream = ANY(%(streams)s::uuid[])
    THEN coalesce(s.body, '') ELSE substring(coalesce(s.body, '') FROM 1 FOR 1) END
FROM {ledger}.sealed AS s LEFT JOIN {ledger}.entry AS e ON e.position = s.position
ORDER BY s.position
"""
CHECKPOINTS: Final = """
SELECT coalesce(number, -1), coalesce(size, -1), coalesce(note, '')
FROM {ledger}.checkpoint
ORDER BY number
"""
PUBLICATIONS: Final = """
SELECT coalesce(number, -1), coalesce(size, -1), coalesce(note, '')
FROM {ledger}.publication
ORDER BY number
"""
SUCCESSORS: Final = "SELECT coalesce(origin, '') FROM {ledger}.successor"
FIRST_OF_STREAM: Final = """
SELECT e.position, e.stream::text, e.version, coalesce(e.event_id::text, ''), e.entry,
  e.leaf_hash, e.link_salt, coalesce(s.body, '')
FROM {ledger}.entry AS e JOIN {ledger}.sealed AS s ON s.position = e.position
WHERE e.stream = %(stream)s::uuid
ORDER BY e.version
LIMIT 1
"""
FIRST_BODY: Final = """
SELECT coalesce(body, '')
FROM {ledger}.sealed
WHERE position = 0
"""
_PAGE: Final = 256
T = TypeVar("T")


class LedgerRow(NamedTuple):
    """A row of `ledger`."""

    one: bool
    origin: str
    facility_key_id: str


class HeadRow(NamedTuple):
    """A row of `head`."""

    one: bool
    size: int
    root: bytes
    peaks: bytes


class KeyRow(NamedTuple):
    """A row of `stream_key`."""

    stream: str
    stream_kind: str
    wrapped: bytes
    facility_key_id: str


class StoredEntry(NamedTuple):
    """A row of `entry`, as stored; ids as canonical text."""

    position: int
    stream: str
    version: int
    event_id: str
    entry: bytes
    leaf_hash: bytes
    link_salt: bytes


class StoredBody(NamedTuple):
    """A row of `sealed`, as stored."""

    position: int
    body: bytes


class StoredTile(NamedTuple):
    """A row of `tile`, as stored."""

    level: int
    number: int
    hash: bytes


class CheckpointRow(NamedTuple):
    """A row of `checkpoint` or `publication`, as stored."""

    number: int
    size: int
    note: bytes


class Snapshot:
    """The stored rows as of one moment; made by `open_snapshot`, not to be shared by threads."""

    def __init__(self, connection: Connection, database: Database) -> None:
        self._connection = connection
        self._database = database
        self._names: Final = count()

    def ledger_rows(self) -> list[LedgerRow]:
        """Return the rows of `ledger`; there should be one."""
        return self._all(LedgerRow, LEDGER_ROWS)

    def head_rows(self) -> list[HeadRow]:
        """Return the rows of `head`; there should be one."""
        return self._all(HeadRow, HEAD_ROWS)

    def tiles(self) -> list[StoredTile]:
        """Return all rows of `tile`, in no order: one for each 255 entries."""
        return self._all(StoredTile, TILES)

    def keys(self) -> Iterator[KeyRow]:
        """Return all rows of `stream_key`, in no order."""
        return self._stream(KeyRow, KEYS)

    def entries(self) -> Iterator[StoredEntry]:
        """Return all rows of `entry` by position."""
        return self._stream(StoredEntry, ENTRIES)

    def bodies(self, *, streams: Collection[str] | None) -> Iterator[StoredBody]:
        """Return all rows of `sealed` by position.

        Args:
            streams: whose bodies are wanted whole, besides the directory's, which always are;
                None for all. Of the rest there is the first byte.
        """
        if streams is None:
            return self._stream(StoredBody, BODIES)
        if not streams:
            return self._stream(StoredBody, DIRECTORY_BODIES)
        return self._stream(StoredBody, BODIES_OF_STREAMS, {"streams": list(streams)})

    def checkpoints(self) -> Iterator[CheckpointRow]:
        """Return all rows of `checkpoint` by number."""
        return self._stream(CheckpointRow, CHECKPOINTS)

    def publications(self) -> Iterator[CheckpointRow]:
        """Return all rows of `publication` by number."""
        return self._stream(CheckpointRow, PUBLICATIONS)

    def successors(self) -> list[str]:
        """Return the rows of `successor`; there should be one at most."""
        query = self._database.query(SUCCESSORS)
        return [str(row[0]) for row in self._connection.execute(query).fetchall()]

    def set_aside(self, *, start: int = 0) -> list[SetAsideRows]:
        """Return what was set aside from positions at or after `start` on, by position."""
        return read_set_aside(self._connection, self._database, start=start)

    def first_of_stream(self, stream: str) -> tuple[StoredEntry, bytes] | None:
        """Return the first row of a stream with its body, or None."""
        query = self._database.query(FIRST_OF_STREAM)
        row = self._connection.execute(query, {"stream": stream}, binary=True).fetchone()
        return None if row is None else (StoredEntry(*row[:-1]), row[-1])

    def first_body(self) -> bytes | None:
        """Return the stored body at position 0, or None."""
        row = self._connection.execute(self._database.query(FIRST_BODY), binary=True).fetchone()
        return None if row is None else bytes(row[0])

    def _all(
        self, kind: type[T], query: LiteralString, parameters: Mapping[str, object] | None = None
    ) -> list[T]:
        with self._connection.cursor(row_factory=args_row(kind)) as cursor:
            return cursor.execute(self._database.query(query), parameters, binary=True).fetchall()

    def _stream(
        self, kind: type[T], query: LiteralString, parameters: Mapping[str, object] | None = None
    ) -> Iterator[T]:
        name = f"verify_{next(self._names)}"
        with self._connection.cursor(name, row_factory=args_row(kind)) as cursor:
            cursor.execute(self._database.query(query), parameters, binary=True)
            while rows := cursor.fetchmany(_PAGE):
                yield from rows


@contextmanager
def open_snapshot(database: Database, *, with_keys: bool) -> Generator[Snapshot]:
    """Open a connection and one read-only transaction on it.

    Args:
        database: where the ledger lies.
        with_keys: whether stream keys will be read, which an auditor may not.

    Raises:
        UnavailableError: when the server does not answer, or ceases to.
        EnvironmentRefusedError: when the tables cannot be read: not migrated, not permitted,
            changed in their form, or damaged on disk.
    """
    role = "reader" if with_keys else "auditor"
    connection = database.connect(role, name="clinledger-verify")
    with connection, reading(connection, database):
        yield Snapshot(connection, database)


@contextmanager
def reading(connection: Connection, database: Database) -> Generator[None]:
    """Hold one read-only transaction on an open connection.

    Raises:
        UnavailableError, EnvironmentRefusedError: as `open_snapshot`.
    """
    try:
        with connection.transaction():
            connection.execute(_BEGIN)
            connection.execute(_NO_TIMEOUT)
            yield
    # Their texts may quote a row: only the SQLSTATE is told.
    except psycopg.OperationalError as error:
        raise UnavailableError(f"the database does not answer ({error.sqlstate})") from None
    except psycopg.Error as error:
        raise EnvironmentRefusedError(
            f"the tables of schema {database.schema} cannot be read (SQLSTATE {error.sqlstate})"
        ) from None
