"""Bring a ledger's schema to the form that this program needs: forward only, never edited.

Files `migrations/NNNN_words.sql` are numbered from 0001 without gaps. Each runs in one transaction
together with its row in `<schema>.migration`, so a crash leaves it applied or not begun. In a file
`{ledger}` and `{keys}` are the schemas, `{ledger_name}` the first one's name as a string; braces
of its own are doubled.
"""

import hashlib
import re
from pathlib import Path
from typing import Final, LiteralString, cast

import msgspec
import psycopg
from psycopg import sql

from ledger.database import Connection, Database, Role
from ledger.errors import EnvironmentRefusedError, UnavailableError
from ledger.privileges import existing_roles, grant_privileges

MIGRATIONS: Final = Path(__file__).parent / "migrations"
OLDEST_SERVER: Final = 15
ROLES: Final[tuple[Role, ...]] = ("writer", "projector", "reader", "auditor")
_FILE_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")

_TIMEOUTS: Final = "SET LOCAL lock_timeout = '4s'; SET LOCAL statement_timeout = '5s'"
_CREATE: Final = """
CREATE SCHEMA IF NOT EXISTS {ledger};
CREATE SCHEMA IF NOT EXISTS {keys};
CREATE TABLE IF NOT EXISTS {ledger}.migration (
  number integer NOT NULL,
  name text NOT NULL,
  checksum bytea NOT NULL CONSTRAINT checksum_is_32_bytes CHECK (octet_length(checksum) = 32),
  applied_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT migration_number_is_unique PRIMARY KEY (number)
);
COMMENT ON TABLE {ledger}.migration IS 'Which files of ledger/migrations this schema has had.';
COMMENT ON COLUMN {ledger}.migration.checksum IS 'SHA-256 of the file: an edited one is refused.';
"""
_EXISTS: Final = "SELECT to_regclass(format('%%I.migration', %(schema)s::text))"
_APPLIED: Final = "SELECT number, name, checksum FROM {ledger}.migration ORDER BY number"
_LOCK: Final = "LOCK TABLE {ledger}.migration IN SHARE ROW EXCLUSIVE MODE"
_INSERT: Final = """
INSERT INTO {ledger}.migration (number, name, checksum)
VALUES (%(number)s, %(name)s, %(checksum)s)
"""


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """One migration file.

    Attributes:
        number: from 1.
        name: the file's name.
        text: SQL with placeholders.
        checksum: SHA-256 of the file's bytes.
    """

    number: int
    name: str
    text: str
    checksum: bytes


class MigrationState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a schema is.

    Attributes:
        applied: names of the files it has had, in order.
        pending: names of the files it still needs, in order.
        missing_roles: database roles that do not exist; the ledger then works without
            separation of privileges, and `doctor` says so.
    """

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    missing_roles: tuple[str, ...]


def read_migrations(folder: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """Return the migrations of a folder in order.

    Raises:
        EnvironmentRefusedError: a misnamed file, or numbers with a gap.
    """
    migrations: list[Migration] = []
    for number, path in enumerate(sorted(folder.glob("*.sql")), start=1):
        named = _FILE_NAME.fullmatch(path.name)
        if named is None or int(named[1]) != number:
            raise EnvironmentRefusedError(f"migration {number:04} expected, found {path.name}")
        content = path.read_bytes()
        checksum = hashlib.sha256(content).digest()
        text = content.decode()
        migrations.append(Migration(number=number, name=path.name, text=text, checksum=checksum))
    return tuple(migrations)


def migrate(database: Database, folder: Path = MIGRATIONS) -> MigrationState:
    """Create the schema or bring it up to date, with its roles and privileges; safe to repeat.

    1. The server must be able to hold a ledger. 2. Schemas and the table of migrations, which must
    not contradict the files. 3. Roles, where the login may create them. 4. Each missing file in a
    transaction of its own. 5. Privileges. Two migrators at once wait for each other.

    Raises:
        EnvironmentRefusedError: server too old, encoding not UTF-8, schema newer than this
            program, an edited migration, or a migration that fails.
        UnavailableError: another migration runs, or a lock is not to be had in time.
    """
    migrations = read_migrations(folder)
    with database.connect("owner", name="clinledger-migrate") as connection:
        _check_server(connection)
        try:
            _prepare(connection, database)
            _compare(database, migrations, _applied(connection, database))
            with connection.transaction():
                connection.execute(database.query(_LOCK))
                for role in ROLES:
                    _ensure_role(connection, database, role)
            for migration in migrations:
                _apply(connection, database, migration)
            with connection.transaction():  # two at once would fail: "tuple concurrently updated"
                connection.execute(database.query(_LOCK))
                grant_privileges(connection, database)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled) as error:
            raise UnavailableError("another migration runs, or a table is in use") from error
        except psycopg.Error as error:
            raise EnvironmentRefusedError(
                f"migration failed (SQLSTATE {error.sqlstate})"
            ) from error
        return _state(connection, database, migrations)


def migration_state(database: Database, folder: Path = MIGRATIONS) -> MigrationState:
    """Return how far a schema is, changing nothing.

    Raises:
        EnvironmentRefusedError: as `migrate`.
    """
    with database.connect("owner", name="clinledger-migrate") as connection:
        _check_server(connection)
        return _state(connection, database, read_migrations(folder))


def _check_server(connection: Connection) -> None:
    major = connection.info.server_version // 10000
    if major < OLDEST_SERVER:
        raise EnvironmentRefusedError(
            f"PostgreSQL {major} is too old: {OLDEST_SERVER} or later is needed"
        )
    row = connection.execute("SHOW server_encoding").fetchone()
    if row is None or row[0] != "UTF8":
        raise EnvironmentRefusedError("the database's encoding must be UTF8")


def _prepare(connection: Connection, database: Database) -> None:
    with connection.transaction():
        connection.execute(_TIMEOUTS)
        # CREATE ... IF NOT EXISTS fails when two run at once: the lock makes the second wait.
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0))",
            {"name": f"clinledger migrate {database.schema}"},
        )
        exists = connection.execute(_EXISTS, {"schema": database.schema}).fetchone()
        if exists is None or exists[0] is None:
            connection.execute(database.query(_CREATE))


def _ensure_role(connection: Connection, database: Database, role: Role) -> None:
    if role in existing_roles(connection, database):
        return
    name = sql.Identifier(database.role_name(role))
    try:
        with connection.transaction():
            connection.execute(sql.SQL("CREATE ROLE {role} NOLOGIN").format(role=name))
            connection.execute(sql.SQL("GRANT {role} TO CURRENT_USER").format(role=name))
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        return  # roles belong to the whole server: another database's migration was quicker
    except psycopg.errors.InsufficientPrivilege:
        return  # the state returned names it


def _apply(connection: Connection, database: Database, migration: Migration) -> None:
    with connection.transaction():
        connection.execute(_TIMEOUTS)
        connection.execute(database.query(_LOCK))
        applied = _applied(connection, database)
        if migration.number <= len(applied):
            return
        # A file of ours, not text from outside, so it counts as literal.
        text = cast("LiteralString", migration.text)
        connection.execute(
            sql.SQL(text).format(
                ledger=sql.Identifier(database.schema),
                keys=sql.Identifier(database.keys_schema),
                ledger_name=sql.Literal(database.schema),
            )
        )
        connection.execute(database.query(_INSERT), msgspec.structs.asdict(migration))


def _applied(connection: Connection, database: Database) -> list[tuple[int, str, bytes]]:
    rows = connection.execute(database.query(_APPLIED)).fetchall()
    return [(int(number), str(name), bytes(checksum)) for number, name, checksum in rows]


def _compare(
    database: Database,
    migrations: tuple[Migration, ...],
    applied: list[tuple[int, str, bytes]],
) -> None:
    if len(applied) > len(migrations):
        raise EnvironmentRefusedError(
            f"schema {database.schema} was migrated by a newer program"
            f" ({applied[-1][1]}): install that version or a later one"
        )
    for migration, (number, name, checksum) in zip(migrations, applied, strict=False):
        if (migration.number, migration.checksum) != (number, checksum):
            raise EnvironmentRefusedError(
                f"migration {name} is not the one that schema {database.schema} has had"
            )


def _state(
    connection: Connection, database: Database, migrations: tuple[Migration, ...]
) -> MigrationState:
    exists = connection.execute(_EXISTS, {"schema": database.schema}).fetchone()
    applied = _applied(connection, database) if exists is not None and exists[0] else []
    _compare(database, migrations, applied)
    found = existing_roles(connection, database)
    return MigrationState(
        applied=tuple(name for _, name, _ in applied),
        pending=tuple(migration.name for migration in migrations[len(applied) :]),
        missing_roles=tuple(database.role_name(role) for role in ROLES if role not in found),
    )
