"""What a hostile superuser does to a ledger's tables, and what `verify` says of it."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, LiteralString, NamedTuple, TypedDict, Unpack

import msgspec
import psycopg
from psycopg import sql

from ledger.database import Database
from ledger.entry import ZERO_HASH, decode_entry, encode_entry, link_hash
from ledger.merkle import CompactRange, leaf_hash
from ledger.sealing import (
    Frame,
    associated_data,
    encode_frame,
    is_sealed,
    open_body,
    plain_body,
    seal,
)
from ledger.verify import Report, VerifyOptions, verify_ledger
from ledger.verify.since import Basis
from signing.statement import encode_statement, parse_statement, statement_digest
from tests.hospital import Hospital
from tests.ledger_builder import Built

_CONSTRAINTS = """
SELECT c.conname, c.conrelid::regclass::text
FROM pg_constraint AS c JOIN pg_namespace AS n ON n.oid = c.connamespace
WHERE n.nspname = ANY(%s) AND c.contype IN ('p', 'u', 'c') AND c.coninhcount = 0
"""
# Partitions are covered by their table; which migrations were applied is no part of the ledger.
_COLUMNS = """
SELECT c.table_schema, c.table_name, c.column_name, c.data_type
FROM information_schema.columns AS c
  JOIN pg_class AS r ON r.oid = format('%%I.%%I', c.table_schema, c.table_name)::regclass
WHERE c.table_schema = ANY(%s) AND r.relkind IN ('r', 'p') AND NOT r.relispartition
  AND c.table_name <> 'migration'
ORDER BY c.table_schema, c.table_name, c.ordinal_position
"""


_POSITIONED: tuple[LiteralString, ...] = ("entry", "sealed")


class Column(NamedTuple):
    """A column of a table."""

    schema: str
    table: str
    name: str
    type: str

    @property
    def relation(self) -> sql.Identifier:
        """The table."""
        return sql.Identifier(self.schema, self.table)

    @property
    def kept(self) -> sql.Identifier:
        """The copy of the table."""
        return sql.Identifier("kept", self.table)


class Scope(TypedDict, total=False):
    """The fields of VerifyOptions."""

    record: str
    hashes_only: bool
    acks: Path
    checkpoints: tuple[Path, ...]
    since: Basis
    processes: int
    rules: bool
    alone_below: int


class Attack:
    """A superuser's session on a copy of the hospital's ledger, with all triggers off."""

    def __init__(self, database: Database, hospital: Hospital) -> None:
        self.database = database
        self.hospital = hospital.fork(database)
        self.connection = psycopg.connect(database.url, autocommit=True)
        self.connection.execute("SET session_replication_role = replica")

    @property
    def events(self) -> list[Built]:
        """What was appended, by position."""
        return self.hospital.builder.events

    def close(self) -> None:
        """End the session."""
        self.connection.close()

    def disarm(self) -> None:
        """Drop every constraint, give `sealed` room for any position, and keep copies."""
        schemas = [self.database.schema, self.database.keys_schema]
        for name, table in self.connection.execute(_CONSTRAINTS, [schemas]).fetchall():
            self.connection.execute(
                sql.SQL("ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE").format(
                    table=sql.SQL(table), name=sql.Identifier(name)
                )
            )
        # Without any index by position, entries would not be read by blocks.
        self.run("CREATE INDEX ON {ledger}.entry (position)")
        self.run("CREATE TABLE {ledger}.sealed_rest PARTITION OF {ledger}.sealed DEFAULT")
        self.connection.execute("CREATE SCHEMA kept")
        for column in self.columns():
            self.connection.execute(
                sql.SQL("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL").format(
                    table=column.relation, column=sql.Identifier(column.name)
                )
            )
            self.connection.execute(
                sql.SQL("CREATE TABLE IF NOT EXISTS {kept} AS TABLE {table}").format(
                    table=column.relation, kept=column.kept
                )
            )

    def restore(self, column: "Column") -> None:
        """Put a table back as it was."""
        self.connection.execute(sql.SQL("TRUNCATE {table}").format(table=column.relation))
        self.connection.execute(
            sql.SQL("INSERT INTO {table} SELECT * FROM {kept}").format(
                table=column.relation, kept=column.kept
            )
        )

    def columns(self) -> list["Column"]:
        """Return every column of every table of the ledger and its keys."""
        schemas = [self.database.schema, self.database.keys_schema]
        return [Column(*row) for row in self.connection.execute(_COLUMNS, [schemas]).fetchall()]

    def run(self, query: LiteralString, **parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement with {ledger} and {keys} filled in; return its rows, if any."""
        cursor = self.connection.execute(self.database.query(query), parameters)
        return cursor.fetchall() if cursor.description else []

    @staticmethod
    def only(query: LiteralString, table: LiteralString) -> LiteralString:
        """Put a table's name into a query."""
        return query.replace("TABLE", table)

    def verify(self, *, keyring: bool = True, **options: Unpack[Scope]) -> Report:
        """Verify what there is now."""
        return verify_ledger(
            self.database,
            keyring=self.hospital.builder.keyring if keyring else None,
            options=VerifyOptions(**options),
        )

    def acks(self, folder: Path, *, count: int | None = None) -> Path:
        """Write what clients were acknowledged so far."""
        path = folder / "acks.jsonl"
        lines = [
            msgspec.json.encode(
                {
                    "event_id": built.event_id,
                    "position": built.position,
                    "leaf_hash": built.leaf_hash.hex(),
                }
            )
            for built in self.events[:count]
        ]
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    def frame(self, position: int) -> Frame:
        """Open a stored body, as whoever also has the facility key can."""
        return open_body(self.body(position), key=self._key(position), aad=self._aad(position))

    def body(self, position: int) -> bytes:
        """Return a stored body."""
        found = self.run("SELECT body FROM {ledger}.sealed WHERE position = %(p)s", p=position)
        return bytes(found[0][0])

    def store(self, position: int, frame: Frame) -> None:
        """Replace a stored body by one of another frame, sealed as it should be."""
        data = encode_frame(frame)
        key = self._key(position)
        sealed = is_sealed(self.body(position))
        assert key is not None or not sealed
        body = (
            seal(data, key=key, nonce=bytes(12), aad=self._aad(position))
            if sealed and key is not None
            else plain_body(data)
        )
        self.run(
            "UPDATE {ledger}.sealed SET body = %(body)s WHERE position = %(p)s",
            body=body,
            p=position,
        )

    def set_entry(self, position: int, **fields: int | bytes) -> None:
        """Change fields inside the 108 bytes of an entry, and nothing else."""
        found = self.run("SELECT entry FROM {ledger}.entry WHERE position = %(p)s", p=position)
        changed = msgspec.structs.replace(decode_entry(bytes(found[0][0])), **fields)
        self.run(
            "UPDATE {ledger}.entry SET entry = %(entry)s WHERE position = %(p)s",
            entry=encode_entry(changed),
            p=position,
        )

    def rewrite_statement(self, position: int, **changes: str) -> None:
        """Change a statement and what hangs on it; the author's container stays as it was."""
        frame = self.frame(position)
        changed = msgspec.structs.replace(parse_statement(frame.statement), **changes)
        data = encode_statement(changed)
        self.store(position, msgspec.structs.replace(frame, statement=data))
        self.set_entry(position, statement_digest=statement_digest(data))

    def peaks_at(self, size: int) -> bytes:
        """Return the peaks of an earlier tree, joined."""
        tree = CompactRange()
        for built in self.events[:size]:
            tree.append(built.leaf_hash)
        return b"".join(tree.peaks)

    def rearrange(self, order: Sequence[int]) -> None:
        """Give positions 0, 1, 2... to the events that had these positions, bodies included."""
        for table in _POSITIONED:
            query = "UPDATE {ledger}.TABLE SET position = position + 1000000"
            self.run(self.only(query, table))
            for new, old in enumerate(order):
                self.move(table, old + 1_000_000, new)

    def move(self, table: LiteralString, old: int, new: int) -> None:
        """Change a row's position."""
        query = "UPDATE {ledger}.TABLE SET position = %(new)s WHERE position = %(old)s"
        self.run(self.only(query, table), old=old, new=new)

    def delete(self, *positions: int, tables: Sequence[LiteralString] = _POSITIONED) -> None:
        """Delete events' rows."""
        query = "DELETE FROM {ledger}.TABLE WHERE position = ANY(%(positions)s)"
        for table in tables:
            self.run(self.only(query, table), positions=list(positions))

    def truncate(self, size: int) -> None:
        """Delete all events from a position on."""
        self.delete(*range(size, len(self.events)))

    def rewind(self, size: int) -> None:
        """Let the builder go on from an earlier tree; its last events were one record's."""
        builder = self.hospital.builder
        gone = builder.events[size:]
        assert {built.stream for built in gone} == {self.hospital.other.record}
        del builder.events[size:], builder.roots[size + 1 :]
        builder.restart(builder.events[-1])

    def cover_up(self) -> None:
        """Recompute links, leaf hashes, tiles and head over what the rows now say."""
        rows = self.run(
            "SELECT position, stream, version, entry, link_salt FROM {ledger}.entry"
            " ORDER BY position"
        )
        tree, previous = CompactRange(), defaultdict[Any, bytes](lambda: ZERO_HASH)
        self.run("TRUNCATE {ledger}.tile")
        for position, stream, version, stored, salt in rows:
            link = link_hash(bytes(salt), version, previous[stream])
            entry = encode_entry(msgspec.structs.replace(decode_entry(bytes(stored)), link=link))
            leaf = previous[stream] = leaf_hash(entry)
            self.run(
                "UPDATE {ledger}.entry SET entry = %(entry)s, leaf_hash = %(leaf)s"
                " WHERE position = %(p)s",
                entry=entry,
                leaf=leaf,
                p=position,
            )
            for tile in tree.append(leaf):
                self.run(
                    "INSERT INTO {ledger}.tile (level, index, hash)"
                    " VALUES (%(level)s, %(number)s, %(hash)s)",
                    **tile._asdict(),
                )
        self.run(
            "UPDATE {ledger}.head SET size = %(size)s, root = %(root)s, peaks = %(peaks)s",
            size=tree.size,
            root=tree.root(),
            peaks=b"".join(tree.peaks),
        )

    def _key(self, position: int) -> bytes | None:
        return self.hospital.builder.keyring.known(self.events[position].stream)

    def _aad(self, position: int) -> bytes:
        built = self.events[position]
        return associated_data(self.hospital.builder.origin, built.stream, built.event_id)


def found(report: Report, code: str) -> list[int | None]:
    """Return the positions of the findings of a code."""
    return [finding.position for finding in report.findings if finding.code == code]


def codes_at(report: Report, position: int | None) -> set[str]:
    """Return the codes of the findings at a position."""
    return {finding.code for finding in report.findings if finding.position == position}
