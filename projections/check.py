"""Compare the active views with the ledger: every row, every column, as of their own tracking.

Everything is folded again, a page of streams at a time, by the folds that wrote the rows; so
memory stays flat, and what was changed, deleted or added in any table is found and located.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import sql

from ledger.bare import BareReader
from ledger.database import Connection, Database
from ledger.errors import LedgerError
from ledger.keyring import Keyring
from ledger.reader import LedgerReader
from ledger.rows import BareEvent
from ledger.verify.report import Finding, Findings, Place
from projections.catalogue import LAYOUT, PROJECTIONS, TABLES
from projections.tables import Changes, Row, Table, select_rows, views_query
from projections.tracking import NO_LEAF

_PAGE: Final = 50  # streams; 2,000 events or so
_BEGIN: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_NO_TIMEOUT: Final = "SET LOCAL statement_timeout = 0"
_NO_STREAM: Final = UUID(int=0)
COLUMNS: Final = """
SELECT c.relname, a.attname
FROM pg_namespace AS n
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = %(schema)s
"""
POINTERS: Final = "SELECT one, number FROM {pointer}.active"
TRACKINGS: Final = "SELECT one, position, leaf_hash, layout FROM {views}.tracking"
LAST: Final = "SELECT coalesce(max(position), -1) FROM {ledger}.entry"
LEAF: Final = "SELECT leaf_hash FROM {ledger}.entry WHERE position = %(position)s"
STREAMS: Final = """
SELECT stream FROM {ledger}.entry
WHERE version = 1 AND stream > %(after)s AND position <= %(up_to)s
ORDER BY stream
LIMIT %(limit)s
"""
KNOWN: Final = """
SELECT stream FROM {ledger}.entry
WHERE version = 1 AND stream = ANY(%(streams)s) AND position <= %(up_to)s
"""
STRANGERS: Final = """
SELECT {columns} FROM {table} AS t
WHERE NOT EXISTS (
  SELECT FROM {ledger}.entry AS e
  WHERE e.stream = t.{stream} AND e.version = 1 AND e.position <= %(up_to)s
)
"""


def check_views(
    connection: Connection, database: Database, keyring: Keyring
) -> tuple[Finding, ...]:
    """Return what contradicts the ledger in the active views, code `view-mismatch`, by position.

    Works on one snapshot, so the ledger may be written to and projected meanwhile.

    Args:
        connection: in autocommit mode, of a role that reads ledger, keys and views.
        database: where both are.
        keyring: opens sealed bodies.
    """
    with connection.transaction():
        connection.execute(_BEGIN)
        connection.execute(_NO_TIMEOUT)
        checker = _Checker(connection, database, keyring)
        checker.check()
    return checker.findings.result()


class _Checker:
    def __init__(self, connection: Connection, database: Database, keyring: Keyring) -> None:
        self._connection = connection
        self._database = database
        self._reader = BareReader(LedgerReader(connection, database, keyring))
        self._number = 0
        self._up_to = -1
        self.findings = Findings()

    def check(self) -> None:
        """Find the active generation, then compare its tracking and its rows."""
        if not self._has_tables(f"{self._database.schema}_views", {"active": {"one", "number"}}):
            return
        pointers = self._rows(POINTERS)
        if len(pointers) != 1 or pointers[0][0] is not True:
            self._find(0, "the pointer to the active views is not one row")
            return
        self._number = pointers[0][1]
        expected = {table.name: {column.name for column in table.columns} for table in TABLES}
        expected["tracking"] = {"one", "position", "leaf_hash", "layout"}
        schema = self._database.views_schema(self._number)
        if self._has_tables(schema, expected) and self._check_tracking():
            self._check_rows()

    def _check_tracking(self) -> bool:
        last = self._rows(LAST)[0][0]
        trackings = self._rows(TRACKINGS)
        if len(trackings) != 1 or trackings[0][0] is not True:
            self._find(max(last, 0), "the tracking is not one row")
            return False
        _, position, leaf_hash, layout = trackings[0]
        self._up_to = min(position, last)
        if layout != LAYOUT:
            self._find(max(self._up_to, 0), "the views were made by another version, or relabelled")
            return False
        if not -1 <= position <= last:
            self._find(max(last, 0), "the tracking names a position that the ledger does not have")
            return False
        leaves = self._rows(LEAF, position=position)
        if leaf_hash != (leaves[0][0] if leaves else NO_LEAF):
            self._find(max(position, 0), "the tracking names another event at this position")
        return True

    def _check_rows(self) -> None:
        founded = self._founding()
        registrars = {owner for _, owner, _ in founded}
        for page in self._pages():
            events, damaged = self._events_of(page)
            self._compare([stream for stream in page if stream not in damaged], founded, events)
        known = {str(row[0]) for row in self._rows_of_streams(registrars)}
        self._compare(sorted(registrars - known), founded, [])
        for table in TABLES:
            self._check_strangers(table, registrars)

    def _founding(self) -> list[tuple[int, str, BareEvent]]:
        """Return the founding event with each member that it enrols besides its own stream."""
        if self._up_to < 0:
            return []
        try:
            events = self._reader.events(-1, 1)
            return list(_work(events, other_streams=True))
        except LedgerError:
            return []

    def _pages(self) -> Iterator[list[str]]:
        after = _NO_STREAM
        while True:
            rows = self._rows(STREAMS, after=after, up_to=self._up_to, limit=_PAGE)
            if not rows:
                return
            yield [str(row[0]) for row in rows]
            after = rows[-1][0]

    def _rows_of_streams(self, streams: Iterable[str]) -> list[Row]:
        return self._rows(KNOWN, streams=[UUID(text) for text in streams], up_to=self._up_to)

    def _events_of(self, streams: Sequence[str]) -> tuple[list[BareEvent], set[str]]:
        """Return the streams' events, and those of the streams whose events cannot be opened."""
        try:
            return self._opened(streams), set()
        except LedgerError:
            pass
        events: list[BareEvent] = []
        damaged: set[str] = set()
        for stream in streams:
            try:
                events.extend(self._opened([stream]))
            except LedgerError as error:
                damaged.add(stream)
                position = getattr(error, "position", None)
                self._find(position, "the ledger is damaged here, so its view cannot be told")
        return events, damaged

    def _opened(self, streams: Sequence[str]) -> list[BareEvent]:
        opened = self._reader.streams(streams, up_to=self._up_to)
        return [event for _, events in opened for event in events]

    def _compare(
        self,
        streams: Sequence[str],
        founded: Sequence[tuple[int, str, BareEvent]],
        events: Sequence[BareEvent],
    ) -> None:
        """Compare the rows of these streams in every table with what their events yield."""
        wanted = set(streams)
        states: dict[tuple[int, str], Any] = {}
        for place, owner, event in (*founded, *_work(events, other_streams=False)):
            if owner in wanted:
                projection = PROJECTIONS[place]
                key = place, owner
                states[key] = states.get(key) or projection.empty(owner)
                projection.evolve(states[key], event)
        changes = Changes()
        for (place, _), state in states.items():
            PROJECTIONS[place].write(changes, state, None)
        parameters = {"streams": [UUID(stream) for stream in streams]}
        for table in TABLES:
            query = select_rows(table, self._database.views_schema(self._number))
            stored = self._connection.execute(query, parameters, binary=True).fetchall()
            self._compare_rows(table, changes.rows(table), stored)

    def _compare_rows(self, table: Table, expected: Iterable[Row], stored: Iterable[Row]) -> None:
        missing = {table.key_of(row): row for row in expected}
        for row in stored:
            right = missing.pop(table.key_of(row), None)
            if right is None:
                self._find_row(table, row, "is not what the ledger yields: a row too many")
            elif row != right:
                wrong = next(i for i, value in enumerate(row) if value != right[i])
                name = table.columns[wrong].name
                self._find_row(table, right, f"is not what the ledger yields: column {name}")
        for row in missing.values():
            self._find_row(table, row, "is not what the ledger yields: a row is missing")

    def _check_strangers(self, table: Table, registrars: set[str]) -> None:
        """Find rows of streams that the ledger does not have."""
        query = sql.SQL(STRANGERS).format(
            columns=sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns),
            table=sql.Identifier(self._database.views_schema(self._number), table.name),
            ledger=sql.Identifier(self._database.schema),
            stream=sql.Identifier(table.stream),
        )
        cursor = self._connection.execute(query, {"up_to": self._up_to}, binary=True)
        for row in cursor.fetchall():
            if str(row[table.place(table.stream)]) not in registrars:
                self._find_row(table, row, "is about a stream that the ledger does not have")

    def _find_row(self, table: Table, row: Row, detail: str) -> None:
        names = {column.name for column in table.columns}
        position = row[table.place("position")]
        located = isinstance(position, int) and 0 <= position <= self._up_to
        event_id = row[table.place("event_id")] if "event_id" in names else None
        place = Place(
            position=position if located else max(self._up_to, 0),
            stream=str(row[table.place(table.stream)]),
            event_id=None if event_id is None else str(event_id),
        )
        self.findings.add("view-mismatch", place, f"{table.name} {detail}")

    def _find(self, position: int | None, detail: str) -> None:
        self.findings.add("view-mismatch", Place(position=position), detail)

    def _has_tables(self, schema: str, expected: dict[str, set[str]]) -> bool:
        found: dict[str, set[str]] = {}
        for table, column in self._connection.execute(COLUMNS, {"schema": schema}).fetchall():
            found.setdefault(table, set()).add(column)
        for table in sorted(expected.keys() | found.keys()):
            if found.get(table) != expected.get(table):
                self._find(0, f"the table {schema}.{table} is missing, strange or of another form")
        return all(found.get(table) == columns for table, columns in expected.items())

    def _rows(self, text: LiteralString, **parameters: object) -> list[Row]:
        query = views_query(text, self._database, self._number)
        return self._connection.execute(query, parameters, binary=True).fetchall()


def _work(
    events: Iterable[BareEvent], *, other_streams: bool
) -> Iterator[tuple[int, str, BareEvent]]:
    """Yield (place of a projection, owner, event), for owners of or besides the event's stream."""
    for event in events:
        for place, projection in enumerate(PROJECTIONS):
            if event.statement.stream_kind in projection.kinds:
                for owner in projection.owners(event):
                    if (owner != event.stream) == other_streams:
                        yield place, owner, event
