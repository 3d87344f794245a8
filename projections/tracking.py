"""Know which generation of views is active, and how far each has come.

`<schema>_views.active` points to the generation that readers use; in each generation,
`tracking` names the last position folded and its leaf hash, advanced in the transaction that
writes the rows. A projection's progress is tracking, never a checkpoint.
"""

import re
from typing import Final

import msgspec
from psycopg import sql

from ledger.database import Connection, Database, Role
from ledger.privileges import existing_roles
from projections.catalogue import LAYOUT, TABLES
from projections.errors import ProjectionFailedError
from projections.tables import create_indexes, create_tables, views_query

NO_LEAF: Final = bytes(32)
FIRST_GENERATION: Final = 1

_CREATE_POINTER: Final = """
CREATE TABLE IF NOT EXISTS {pointer}.active (
  one boolean NOT NULL DEFAULT true PRIMARY KEY CONSTRAINT active_is_one_row CHECK (one),
  number bigint NOT NULL
)
"""
_FIRST_POINTER: Final = """
INSERT INTO {pointer}.active (number) VALUES (%(number)s) ON CONFLICT (one) DO NOTHING
"""
_CREATE_TRACKING: Final = """
CREATE TABLE {views}.tracking (
  one boolean NOT NULL DEFAULT true PRIMARY KEY CONSTRAINT tracking_is_one_row CHECK (one),
  position bigint NOT NULL,
  leaf_hash bytea NOT NULL,
  layout text NOT NULL
) WITH (fillfactor = 10)
"""
_FIRST_TRACKING: Final = """
INSERT INTO {views}.tracking (position, leaf_hash, layout)
VALUES (-1, %(leaf_hash)s, %(layout)s)
"""
ACTIVE: Final = "SELECT number FROM {pointer}.active"
LOCK_ACTIVE: Final = "SELECT number FROM {pointer}.active FOR SHARE"
TRACKED: Final = "SELECT position, leaf_hash, layout FROM {views}.tracking"
LOCK_TRACKING: Final = "SELECT position, leaf_hash, layout FROM {views}.tracking FOR UPDATE"
ADVANCE: Final = "UPDATE {views}.tracking SET position = %(position)s, leaf_hash = %(leaf_hash)b"
FOLLOW: Final = """
UPDATE {views}.tracking
SET position = %(position)s, leaf_hash = (
  SELECT leaf_hash FROM {ledger}.entry WHERE position = %(position)s
)
RETURNING leaf_hash
"""
_MORE_MEMORY: Final = "SET LOCAL maintenance_work_mem = '256MB'"
_SCHEMAS: Final = "SELECT nspname FROM pg_namespace ORDER BY nspname"
_READ: Final = sql.SQL("SELECT")
_READ_WRITE: Final = sql.SQL("SELECT, INSERT, UPDATE, DELETE")


class Tracking(msgspec.Struct, frozen=True, kw_only=True):
    """How far one generation of views has come.

    Attributes:
        position: of the last event folded, -1 for none.
        leaf_hash: of that event, 32 zero bytes for none.
        layout: which tables and folds wrote the rows.
    """

    position: int
    leaf_hash: bytes
    layout: str


def install_views(connection: Connection, database: Database) -> int:
    """Create the pointer and the first generation where they are missing; grant privileges.

    Safe to repeat; needs the owner's connection. Returns the active generation's number.
    """
    with connection.transaction():
        # Two installations at once would collide on CREATE SCHEMA; the second one waits instead.
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s))", [database.schema + "_views"]
        )
        _create_schema(connection, f"{database.schema}_views")
        connection.execute(views_query(_CREATE_POINTER, database, 0))
        connection.execute(views_query(_FIRST_POINTER, database, 0), {"number": FIRST_GENERATION})
        number = active_number(connection, database)
        if number not in generations(connection, database):
            create_generation(connection, database, number)
        # Again, for roles that were made after it.
        _grant(connection, database, database.views_schema(number), writes=_READ_WRITE)
        _grant(connection, database, f"{database.schema}_views", writes=sql.SQL("SELECT, UPDATE"))
    return number


def create_generation(
    connection: Connection, database: Database, number: int, *, indexes: bool = True
) -> None:
    """Create the empty tables of one generation, inside the caller's transaction.

    Without `indexes` the tables are for loading only, until `finish_loading`.
    """
    schema = database.views_schema(number)
    _create_schema(connection, schema)
    create_tables(connection, schema, TABLES)
    if indexes:
        create_indexes(connection, schema, TABLES)
    connection.execute(views_query(_CREATE_TRACKING, database, number))
    connection.execute(
        views_query(_FIRST_TRACKING, database, number), {"leaf_hash": NO_LEAF, "layout": LAYOUT}
    )
    _grant(connection, database, schema, writes=_READ_WRITE)


def finish_loading(
    connection: Connection, database: Database, number: int, *, position: int, leaf_hash: bytes
) -> None:
    """Index a generation that was loaded up to a position, and set its tracking there.

    Not to be called within a transaction.
    """
    schema = database.views_schema(number)
    with connection.transaction():
        connection.execute(_MORE_MEMORY)
        create_indexes(connection, schema, TABLES)
        for table in TABLES:
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(schema, table.name)))
        connection.execute(
            views_query(ADVANCE, database, number), {"position": position, "leaf_hash": leaf_hash}
        )
    for table in TABLES:
        if table.vacuumed:
            # Autovacuum would do the same within minutes; where it is at it, nobody waits for it.
            query = sql.SQL("VACUUM (SKIP_LOCKED) {}")
            connection.execute(query.format(sql.Identifier(schema, table.name)))


def generations(connection: Connection, database: Database) -> list[int]:
    """Return the numbers of all generations that exist, ascending."""
    pattern = re.compile(re.escape(database.schema) + r"_views_([0-9]+)\Z")
    names = (str(row[0]) for row in connection.execute(_SCHEMAS).fetchall())
    return sorted(int(found[1]) for name in names if (found := pattern.match(name)))


def drop_generation(connection: Connection, database: Database, number: int) -> None:
    """Drop one generation and all its tables."""
    schema = sql.Identifier(database.views_schema(number))
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))


def active_number(connection: Connection, database: Database, *, lock: bool = False) -> int:
    """Return the active generation's number; with `lock` it stays so until the transaction ends.

    Raises:
        ProjectionFailedError: when there is none.
    """
    query = LOCK_ACTIVE if lock else ACTIVE
    row = connection.execute(views_query(query, database, 0)).fetchone()
    if row is None:
        raise ProjectionFailedError("no generation of views is active: run `clinledger rebuild`")
    return int(row[0])


def tracking(
    connection: Connection, database: Database, number: int, *, lock: bool = False
) -> Tracking:
    """Return how far a generation has come; with `lock` nobody else advances it meanwhile.

    Raises:
        ProjectionFailedError: when its tracking row is missing.
    """
    query = LOCK_TRACKING if lock else TRACKED
    row = connection.execute(views_query(query, database, number)).fetchone()
    if row is None:
        raise ProjectionFailedError("the views have lost their tracking: run `clinledger rebuild`")
    return Tracking(position=row[0], leaf_hash=row[1], layout=row[2])


def _create_schema(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(name)))


def _grant(connection: Connection, database: Database, schema: str, *, writes: sql.SQL) -> None:
    name = sql.Identifier(schema)
    rights: dict[Role, sql.SQL] = {"reader": _READ, "auditor": _READ, "projector": writes}
    for role in sorted(existing_roles(connection, database) & rights.keys()):
        holder = sql.Identifier(database.role_name(role))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(name, holder))
        text = sql.SQL("GRANT {} ON ALL TABLES IN SCHEMA {} TO {}")
        connection.execute(text.format(rights[role], name, holder))
