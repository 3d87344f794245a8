"""Compare the active views with the ledger: every row, every column, as of their own tracking.

Everything is folded again, a page of streams at a time, by the folds that wrote the rows; so
memory stays flat, and what was changed, deleted or added in any table is found and located. Pages
can be compared by several processes, which see one moment.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from typing import Final, LiteralString, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from ledger.database import Connection, Database
from ledger.errors import UnavailableError
from ledger.keyring import Keyring, KeyWrapper
from ledger.verify.report import Finding, Findings, FoundPart, Place
from ledger.verify.snapshot import reading
from projections.catalogue import LAYOUT, TABLES
from projections.comparing import Comparer, Target
from projections.pool import map_in_processes
from projections.tables import Row, Table, views_query
from projections.tracking import NO_LEAF

_PAGE: Final = 50  # streams; 2,000 events or so
_FEW: Final = 20_000  # events; starting processes takes about as long as comparing these
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
EXPORT: Final = "SELECT pg_export_snapshot()"
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
    connection: Connection,
    database: Database,
    keyring: Keyring,
    *,
    processes: int = 1,
    few: int = _FEW,
) -> tuple[Finding, ...]:
    """Return what contradicts the ledger in the active views, code `view-mismatch`, by position.

    Works on one snapshot, so the ledger may be written to and projected meanwhile.

    Args:
        connection: in autocommit mode, of a role that reads ledger, keys and views.
        database: where both are.
        keyring: opens sealed bodies.
        processes: how many further processes compare; 1 for none. The caller's main
            module must be importable.
        few: a ledger with fewer events is compared without further processes.

    Raises:
        UnavailableError: a process was ended from outside, or lost the database.
    """
    with connection.transaction():
        connection.execute(_BEGIN)
        connection.execute(_NO_TIMEOUT)
        checker = _Checker(connection, database, keyring, processes=processes, few=few)
        checker.check()
    return checker.findings.result()


class _Checker:
    def __init__(
        self,
        connection: Connection,
        database: Database,
        keyring: Keyring,
        *,
        processes: int,
        few: int,
    ) -> None:
        self._connection = connection
        self._database = database
        self._keyring = keyring
        self._processes = processes
        self._few = few
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
        target = Target(database=self._database, number=self._number, up_to=self._up_to)
        comparer = Comparer(self._connection, self._keyring, target)
        if self._processes > 1 and self._up_to >= self._few:
            for part in self._compare_in_processes(target):
                comparer.findings.merge(part)
        else:
            for page in self._pages():
                comparer.compare(page)
        registrars = comparer.registrars
        known = {str(row[0]) for row in self._rows_of_streams(registrars)}
        comparer.compare_without_events(sorted(registrars - known))
        for table in TABLES:
            self._check_strangers(table, comparer)
        self.findings.merge(comparer.findings.take())

    def _compare_in_processes(self, target: Target) -> Iterator[FoundPart]:
        keyring = self._keyring
        exported = self._rows(EXPORT)[0][0]
        moment = _Moment(target, keyring.wrapper, keyring.origin, exported)
        tasks = ((moment, page) for page in self._pages())
        parts = map_in_processes(_compare, tasks, processes=self._processes, what="verifying")
        with closing(parts):
            for part in parts:
                if not isinstance(part, FoundPart):
                    raise UnavailableError(part)
                yield part

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

    def _check_strangers(self, table: Table, comparer: Comparer) -> None:
        """Find rows of streams that the ledger does not have."""
        query = sql.SQL(STRANGERS).format(
            columns=sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns),
            table=sql.Identifier(self._database.views_schema(self._number), table.name),
            ledger=sql.Identifier(self._database.schema),
            stream=sql.Identifier(table.stream),
        )
        cursor = self._connection.execute(query, {"up_to": self._up_to}, binary=True)
        for row in cursor.fetchall():
            if str(row[table.place(table.stream)]) not in comparer.registrars:
                comparer.found_row(table, row, "is about a stream that the ledger does not have")

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


class _Moment(NamedTuple):
    """What a further process must know: what is compared, by whose key, as of which moment."""

    target: Target
    wrapper: KeyWrapper
    origin: str
    exported: str


# What follows runs in the further processes. Each makes one comparer, for its first page, and holds
# its connection and transaction until it ends.
_comparers: list[Comparer] = []
_held: Final = ExitStack()


def _compare(task: tuple[_Moment, list[str]]) -> FoundPart | str:
    """Return what was found in a page of streams, or what became of the database."""
    moment, page = task
    try:
        if not _comparers:
            database = moment.target.database
            connection = _held.enter_context(database.connect("reader", name="clinledger-verify"))
            _held.enter_context(reading(connection, database, exported=moment.exported))
            keyring = Keyring(moment.wrapper, moment.origin)
            _comparers.append(Comparer(connection, keyring, moment.target))
        _comparers[0].compare(page)
        return _comparers[0].findings.take()
    except UnavailableError as error:
        return str(error)
    except psycopg.Error as error:  # its words may quote a row
        return f"the views cannot be read now ({error.sqlstate})"
