"""Read the stored rows of one ledger as of one moment, in position order, a few at a time.

Nothing here judges anything. Rows come through server-side cursors in one REPEATABLE READ
transaction, so a ledger may be verified while it is written to, and memory stays flat.
"""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, count
from typing import Final, LiteralString, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import args_row

from ledger.database import Connection, Database
from ledger.errors import EnvironmentRefusedError, UnavailableError
from ledger.merkle import TILE_WIDTH, leaf_hash
from ledger.set_aside import SetAsideRows
from ledger.set_aside_table import read_set_aside
from ledger.verify import queries
from ledger.verify.report import Place
from ledger.verify.rows import (
    CheckpointRow,
    EntryBlock,
    HeadRow,
    KeyRow,
    LedgerRow,
    OddBody,
    StoredEntry,
    StoredEvent,
    StoredTile,
)
from ledger.verify.spans import Span

_BEGIN: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# A whole pass takes longer than a request may, and one connection waits while others read.
_NO_TIMEOUTS: Final = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL jit = off",
)
_PAGE: Final = 256
_BLOCKS: Final = 16
T = TypeVar("T")


class Snapshot:
    """The stored rows as of one moment; made by `open_snapshot`, not to be shared by threads."""

    def __init__(self, connection: Connection, database: Database) -> None:
        self._connection = connection
        self._database = database
        self._names: Final = count()

    def ledger_rows(self) -> list[LedgerRow]:
        """Return the rows of `ledger`; there should be one."""
        return self._all(LedgerRow, queries.LEDGER_ROWS)

    def head_rows(self) -> list[HeadRow]:
        """Return the rows of `head`; there should be one."""
        return self._all(HeadRow, queries.HEAD_ROWS)

    def tiles(self) -> list[StoredTile]:
        """Return all rows of `tile`, in no order: one for each 255 entries."""
        return self._all(StoredTile, queries.TILES)

    def stream_keys(self) -> Iterator[KeyRow]:
        """Return all rows of `stream_key`, in no order."""
        return self._stream(KeyRow, queries.KEYS)

    def keys_of(self, streams: Collection[str]) -> list[KeyRow]:
        """Return the rows of `stream_key` of these streams."""
        return self._all(KeyRow, queries.KEYS_OF, {"streams": [s for s in streams if s]})

    def span(self, size: int) -> int:
        """Return how far the positions reach that are worth dividing, given the head's size.

        That is the position after the last one; where that is not the head's size, somebody may
        have moved a row far away, and the number of rows tells more.
        """
        last = self._number(queries.LAST_POSITION)
        return size if last + 1 == size else self._number(queries.COUNT)

    def entries(self, span: Span) -> Iterator[StoredEntry]:
        """Return the rows of `entry` in a span by position."""
        return self._stream(StoredEntry, queries.ENTRIES, _bounds(span))

    def entry_blocks(self, span: Span) -> Iterator[EntryBlock]:
        """Return the rows of `entry` in a span, 256 positions at a time."""
        pages = self._pages(EntryBlock, queries.ENTRY_BLOCKS, _bounds(span), page=_BLOCKS)
        return chain.from_iterable(pages)

    def reads_blocks(self, span: Span) -> bool:
        """Tell whether `entry_blocks` is a way to read this span.

        Without an index by position it would read the whole table for each block.
        """
        schema = {"schema": self._database.schema}
        return not span.is_open and self._number(queries.INDEXES_BY_POSITION, schema) > 0

    def events(self, span: Span) -> Iterator[Sequence[StoredEvent]]:
        """Return the rows of `entry` in a span with their bodies, by position, a page at a time."""
        return self._pages(StoredEvent, queries.EVENTS, _bounds(span))

    def some_events(
        self,
        span: Span,
        *,
        odd: Collection[int],
        streams: Collection[str],
        positions: Collection[int],
    ) -> Iterator[Sequence[StoredEvent]]:
        """Return some rows of `entry` in a span, as `events` does.

        Args:
            span: which positions.
            odd: where events lie that have no body, or one that is not sealed: all of these,
            streams: those of these streams,
            positions: and those at these positions.
        """
        if not (odd or streams or positions):
            return iter(())
        lists = {"odd": list(odd), "streams": list(streams), "positions": list(positions)}
        return self._pages(StoredEvent, queries.SOME_EVENTS, {**_bounds(span), **lists})

    def odd_bodies(self, span: Span) -> list[OddBody]:
        """Return where in a span there is no body, one that is not sealed, or one by itself."""
        return self._all(OddBody, queries.ODD_BODIES, _bounds(span))

    def streams_from(self, start: int) -> set[str]:
        """Return the streams that have an event at or after a position."""
        query = self._database.query(queries.STREAMS_FROM)
        return {str(row[0]) for row in self._connection.execute(query, {"start": start}).fetchall()}

    def openings_from(self, start: int) -> Iterator[Sequence[StoredEvent]]:
        """Return the first events of streams that begin at or after a position, in pages."""
        return self._pages(StoredEvent, queries.OPENINGS_FROM, {"start": start})

    def orphans(self, span: Span) -> list[int]:
        """Return the positions of bodies in a span where no entry lies."""
        query = self._database.query(queries.ORPHANS)
        rows = self._connection.execute(query, _bounds(span)).fetchall()
        return [int(row[0]) for row in rows]

    def directory_streams(self, *, with_keys: bool) -> set[str]:
        """Return the streams that have a body in clear, or whose key is said to be of staff.

        Among them may be "", for events whose stream is null.
        """
        wanted = (queries.PLAIN_STREAMS, queries.STAFF_KEYS)
        return {
            str(row[0])
            for query in wanted[: 1 + with_keys]
            for row in self._connection.execute(self._database.query(query)).fetchall()
        }

    def events_of(self, streams: Collection[str]) -> Iterator[StoredEvent]:
        """Return the events of some streams that have bodies, by position; "" is for no stream."""
        named = [stream for stream in streams if stream]
        parameters = {"streams": named, "nulls": len(named) < len(streams)}
        return self._stream(StoredEvent, queries.EVENTS_OF, parameters)

    def checkpoints(self) -> Iterator[CheckpointRow]:
        """Return all rows of `checkpoint` by number."""
        return self._stream(CheckpointRow, queries.CHECKPOINTS)

    def publications(self) -> Iterator[CheckpointRow]:
        """Return all rows of `publication` by number."""
        return self._stream(CheckpointRow, queries.PUBLICATIONS)

    def successors(self) -> list[str]:
        """Return the rows of `successor`; there should be one at most."""
        query = self._database.query(queries.SUCCESSORS)
        return [str(row[0]) for row in self._connection.execute(query).fetchall()]

    def set_aside(self, *, start: int = 0) -> list[SetAsideRows]:
        """Return what was set aside from positions at or after `start` on, by position."""
        return read_set_aside(self._connection, self._database, start=start)

    def first_of_stream(self, stream: str) -> StoredEvent | None:
        """Return the first row of a stream that has a body, or None."""
        rows = self._all(StoredEvent, queries.FIRST_OF_STREAM, {"stream": stream})
        return rows[0] if rows else None

    def leaves_of(self, block: int) -> Sequence[bytes]:
        """Derive the leaf hashes of a complete block of 256 entries again."""
        first = block * TILE_WIDTH
        span = Span(first=first, last=first + TILE_WIDTH - 1)
        leaves: dict[int, bytes] = {}
        for row in self.entries(span):  # of two at one position the first counts, as in the pass
            leaves.setdefault(row.position, leaf_hash(row.entry))
        return list(leaves.values())

    def beginning_of(self, stream: str) -> Place | None:
        """Return where a stream's version 1 stands, or None."""
        if not stream:
            return None
        query = self._database.query(queries.BEGINNING)
        row = self._connection.execute(query, {"stream": stream}).fetchone()
        return None if row is None else Place(position=row[0], stream=stream, event_id=row[1])

    def first_body(self) -> bytes | None:
        """Return the stored body at position 0, or None."""
        row = self._connection.execute(
            self._database.query(queries.FIRST_BODY), binary=True
        ).fetchone()
        return None if row is None else bytes(row[0])

    def export(self) -> str:
        """Return a name by which other connections can see this very moment, while this lasts."""
        query = self._database.query("SELECT pg_export_snapshot()")
        row = self._connection.execute(query).fetchone()
        return "" if row is None else str(row[0])

    def _number(self, query: LiteralString, parameters: Mapping[str, object] | None = None) -> int:
        row = self._connection.execute(self._database.query(query), parameters).fetchone()
        return 0 if row is None else int(row[0])

    def _all(
        self, kind: type[T], query: LiteralString, parameters: Mapping[str, object] | None = None
    ) -> list[T]:
        with self._connection.cursor(row_factory=args_row(kind)) as cursor:
            return cursor.execute(self._database.query(query), parameters, binary=True).fetchall()

    def _stream(
        self, kind: type[T], query: LiteralString, parameters: Mapping[str, object] | None = None
    ) -> Iterator[T]:
        for page in self._pages(kind, query, parameters):
            yield from page

    def _pages(
        self,
        kind: type[T],
        query: LiteralString,
        parameters: Mapping[str, object] | None = None,
        *,
        page: int = _PAGE,
    ) -> Iterator[Sequence[T]]:
        name = f"verify_{next(self._names)}"
        with self._connection.cursor(name, row_factory=args_row(kind)) as cursor:
            cursor.execute(self._database.query(query), parameters, binary=True)
            while rows := cursor.fetchmany(page):
                yield rows


def _bounds(span: Span) -> dict[str, object]:
    return {"first": span.first, "last": span.last, "nulls": span.nulls}


@contextmanager
def open_snapshot(
    database: Database, *, with_keys: bool, exported: str | None = None
) -> Generator[Snapshot]:
    """Open a connection and one read-only transaction on it.

    Args:
        database: where the ledger lies.
        with_keys: whether stream keys will be read, which an auditor may not.
        exported: the moment to see, as `Snapshot.export` named it; None for now.

    Raises:
        UnavailableError: when the server does not answer, or ceases to.
        EnvironmentRefusedError: when the tables cannot be read: not migrated, not permitted,
            changed in their form, or damaged on disk.
    """
    role = "reader" if with_keys else "auditor"
    connection = database.connect(role, name="clinledger-verify")
    with connection, reading(connection, database, exported=exported):
        yield Snapshot(connection, database)


@contextmanager
def reading(
    connection: Connection, database: Database, *, exported: str | None = None
) -> Generator[None]:
    """Hold one read-only transaction on an open connection, as of an exported moment or of now.

    Raises:
        UnavailableError, EnvironmentRefusedError: as `open_snapshot`.
    """
    try:
        with connection.transaction():
            connection.execute(_BEGIN)
            if exported is not None:
                connection.execute(
                    sql.SQL("SET TRANSACTION SNAPSHOT {name}").format(name=sql.Literal(exported))
                )
            for setting in _NO_TIMEOUTS:
                connection.execute(setting)
            yield
    # Their texts may quote a row: only the SQLSTATE is told.
    except psycopg.OperationalError as error:
        raise UnavailableError(f"the database does not answer ({error.sqlstate})") from None
    except psycopg.Error as error:
        raise EnvironmentRefusedError(
            f"the tables of schema {database.schema} cannot be read (SQLSTATE {error.sqlstate})"
        ) from None
