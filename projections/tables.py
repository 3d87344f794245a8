"""Describe the tables of the read models, create them, and write many rows in one statement.

One description serves the DDL, the writes and the check against the ledger, so that no column can
be written and not compared. All texts collate by code point, so that order and prefix ranges are
the same on every server.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final, LiteralString, NamedTuple, Protocol, cast

from psycopg import sql

from ledger.database import Connection, Database
from projections.binary_rows import COPY_BEGIN, COPY_END, array_data, row_encoder
from projections.packing import unpack

Row = tuple[Any, ...]
"""A row of a view; its ids are canonical text, which is cheaper to make than UUID objects."""

_ROWS_AT_ONCE: Final = 16
_COLLATED: Final[dict[str, LiteralString]] = {"text": 'text COLLATE "C"'}


class Column(NamedTuple):
    """A column: its name, its PostgreSQL type (or `packed`, see `packing`) and what it means."""

    name: LiteralString
    type: LiteralString
    comment: LiteralString
    nullable: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """A table of a read model.

    Attributes:
        key: columns of the primary key.
        stream: column with the stream whose fold yields the row.
        owner: column by whose value rows are replaced together; None: upserted one by one by key.
        indexes: column lists of further indexes.
        vacuumed: once loaded. Queries read many rows of an index alone, which PostgreSQL can do
            only where VACUUM has found a page's rows visible to all.
    """

    name: LiteralString
    comment: LiteralString
    columns: tuple[Column, ...]
    key: tuple[LiteralString, ...]
    stream: LiteralString
    owner: LiteralString | None = None
    indexes: tuple[LiteralString, ...] = ()
    vacuumed: bool = field(default=False, repr=False)  # no matter of the layout

    @cached_property
    def packed(self) -> int | None:
        """The place of the packed column in a row, if there is one."""
        kinds = [column.type for column in self.columns]
        return kinds.index("packed") if "packed" in kinds else None

    def unpack(self, row: Row) -> Row:
        """Return a row as it was written, from the row that is stored.

        Raises:
            ProjectionFailedError: what is packed in it is damaged.
        """
        place = self.packed
        return row if place is None else (*row[:place], unpack(row[place]), *row[place + 1 :])

    def place(self, name: str) -> int:
        """Return the place of a column in a row."""
        return next(i for i, column in enumerate(self.columns) if column.name == name)

    @cached_property
    def key_places(self) -> tuple[int, ...]:
        """The places of the primary key's columns in a row."""
        return tuple(self.place(name) for name in self.key)

    @cached_property
    def encode(self) -> Callable[[Row], bytes]:
        """What encodes a row for COPY."""
        return row_encoder([column.type for column in self.columns])

    def key_of(self, row: Row) -> Row:
        """Return the primary key of a row."""
        return tuple([row[place] for place in self.key_places])


class RowSink(Protocol):
    """Takes the rows that states are written to."""

    def put(self, table: Table, row: Row) -> None:
        """Insert the row, or replace the one with the same key."""
        ...

    def replace(self, table: Table, owner: object, rows: Sequence[Row]) -> None:
        """Make these rows the only ones of their owner."""
        ...


class Changes:
    """Rows to write at the end of a batch: the last version of each row wins."""

    def __init__(self) -> None:
        self.upserts: dict[Table, dict[Row, Row]] = {}
        self.replacements: dict[Table, dict[Any, Sequence[Row]]] = {}

    def put(self, table: Table, row: Row) -> None:
        """Insert the row, or replace the one with the same key."""
        self.upserts.setdefault(table, {})[table.key_of(row)] = row

    def replace(self, table: Table, owner: object, rows: Sequence[Row]) -> None:
        """Make these rows the only ones of their owner."""
        self.replacements.setdefault(table, {})[owner] = rows

    def rows(self, table: Table) -> list[Row]:
        """Return all rows that stand to be written to a table."""
        replaced = self.replacements.get(table, {}).values()
        return [*self.upserts.get(table, {}).values(), *(row for rows in replaced for row in rows)]

    def flush(self, connection: Connection, schema: str) -> None:
        """Write everything, inside the caller's transaction."""
        for table, owners in self.replacements.items():
            if table.owner is None:
                raise TypeError(f"{table.name} is not replaced by owner")
            kind = table.columns[table.place(table.owner)].type
            parameters = {"owners": array_data(kind, list(owners))}
            connection.execute(_delete_owned(table, schema), parameters)
            self._insert(
                connection, schema, table, [row for rows in owners.values() for row in rows]
            )
        for table, rows in self.upserts.items():
            self._insert(connection, schema, table, list(rows.values()))

    def _insert(
        self, connection: Connection, schema: str, table: Table, rows: Sequence[Row]
    ) -> None:
        if not rows:
            return
        columns = zip(table.columns, zip(*rows, strict=True), strict=True)
        parameters = {column.name: array_data(column.type, values) for column, values in columns}
        connection.execute(_upsert(table, schema), parameters)


def views_query(text: LiteralString, database: Database, number: int) -> sql.SQL:
    """Fill `{views}`, `{ledger}` and `{pointer}` in a query constant."""
    return _filled(text, database.schema, database.views_schema(number))


@lru_cache(maxsize=1024)
def _filled(text: LiteralString, ledger: str, views: str) -> sql.SQL:
    query = sql.SQL(text).format(
        views=sql.Identifier(views),
        ledger=sql.Identifier(ledger),
        pointer=sql.Identifier(f"{ledger}_views"),
    )
    return _rendered(query)


class NewRows:
    """Rows of streams that the tables have nothing of yet: written by COPY, unlike `Changes`.

    They are encoded as they come: a page of rows is long out of the processor's cache at its end.
    """

    def __init__(self) -> None:
        self._rows: dict[Table, list[bytes]] = {}

    def put(self, table: Table, row: Row) -> None:
        """Add a row; its key must be new."""
        self._rows.setdefault(table, []).append(table.encode(row))

    def replace(self, table: Table, owner: object, rows: Sequence[Row]) -> None:
        """Add the rows of an owner that has none."""
        del owner
        self._rows.setdefault(table, []).extend(map(table.encode, rows))

    def flush(self, connection: Connection, schema: str) -> None:
        """Write everything, inside the caller's transaction."""
        for table, rows in self._rows.items():
            query = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
                sql.Identifier(schema, table.name), _names(column.name for column in table.columns)
            )
            with connection.cursor() as cursor, cursor.copy(query) as copy:
                copy.write(COPY_BEGIN)
                for at in range(0, len(rows), _ROWS_AT_ONCE):
                    copy.write(b"".join(rows[at : at + _ROWS_AT_ONCE]))
                copy.write(COPY_END)
        self._rows.clear()


def create_tables(connection: Connection, schema: str, tables: Iterable[Table]) -> None:
    """Create the tables, without keys and indexes, inside the caller's transaction."""
    for table in tables:
        name = sql.Identifier(schema, table.name)
        columns = sql.SQL(", ").join(_column_ddl(column) for column in table.columns)
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(name, columns))
        connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(name, table.comment))
        for column in table.columns:
            if column.type == "packed":  # packed twice gains nothing
                external = sql.SQL("ALTER TABLE {} ALTER {} SET STORAGE EXTERNAL")
                connection.execute(external.format(name, sql.Identifier(column.name)))
            connection.execute(
                sql.SQL("COMMENT ON COLUMN {} IS {}").format(
                    sql.Identifier(schema, table.name, column.name), column.comment
                )
            )


def create_indexes(connection: Connection, schema: str, tables: Iterable[Table]) -> None:
    """Give the tables their keys and indexes, inside the caller's transaction."""
    for table in tables:
        name = sql.Identifier(schema, table.name)
        _create_key(connection, schema, table)
        for index in table.indexes:
            connection.execute(sql.SQL("CREATE INDEX ON {} ({})").format(name, sql.SQL(index)))


def _create_key(connection: Connection, schema: str, table: Table) -> None:
    connection.execute(
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY ({})").format(
            sql.Identifier(schema, table.name),
            sql.Identifier(f"{table.name}_is_unique"),
            _names(table.key),
        )
    )


@lru_cache(maxsize=256)
def select_rows(table: Table, schema: str) -> sql.SQL:
    """Return the query for a table's rows of some streams (parameter `streams`, UUIDs).

    What it finds is as it is stored: see `Table.unpack`.
    """
    query = sql.SQL("SELECT {} FROM {} WHERE {} = ANY(%(streams)s)").format(
        sql.SQL(", ").join(_selected(column) for column in table.columns),
        sql.Identifier(schema, table.name),
        sql.Identifier(table.stream),
    )
    return _rendered(query)


def _selected(column: Column) -> sql.Composable:
    name = sql.Identifier(column.name)
    return sql.SQL("{}::text").format(name) if column.type == "uuid" else name


def _rendered(query: sql.Composed) -> sql.SQL:
    # Rendered once: composing a query anew takes longer than a small batch's rows do.
    return sql.SQL(cast("LiteralString", query.as_string(None)))


def _column_ddl(column: Column) -> sql.Composed:
    kind = _COLLATED.get(column.type, _type(column))
    null: LiteralString = "" if column.nullable else " NOT NULL"
    return sql.SQL("{} {}{}").format(sql.Identifier(column.name), sql.SQL(kind), sql.SQL(null))


def _type(column: Column) -> LiteralString:
    return "bytea" if column.type == "packed" else column.type


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)


@lru_cache(maxsize=256)
def _upsert(table: Table, schema: str) -> sql.SQL:
    # Arrays go as binary (%b): three times faster than text.
    arrays = sql.SQL(", ").join(
        sql.SQL("{}::{}[]").format(sql.Placeholder(column.name, "b"), sql.SQL(_type(column)))
        for column in table.columns
    )
    others = [column.name for column in table.columns if column.name not in table.key]
    settings = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in others
    )
    action = sql.SQL("DO UPDATE SET {}").format(settings) if others else sql.SQL("DO NOTHING")
    query = sql.SQL("INSERT INTO {} ({}) SELECT * FROM unnest({}) ON CONFLICT ({}) {}").format(
        sql.Identifier(schema, table.name),
        _names(column.name for column in table.columns),
        arrays,
        _names(table.key),
        action,
    )
    return _rendered(query)


@lru_cache(maxsize=256)
def _delete_owned(table: Table, schema: str) -> sql.SQL:
    query = sql.SQL("DELETE FROM {} WHERE {} = ANY(%(owners)b)").format(
        sql.Identifier(schema, table.name), sql.Identifier(table.owner or "")
    )
    return _rendered(query)
