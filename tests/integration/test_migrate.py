"""Migrations: numbered, checksummed, all or nothing, one migrator at a time."""

import shutil
import threading
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo, sql

from ledger.database import Database
from ledger.errors import EnvironmentRefusedError, UnavailableError
from ledger.migrate import MIGRATIONS, migrate, migration_state, read_migrations
from tests.postgres import Server


@pytest.fixture
def empty(empty_database_url: str) -> Database:
    return Database(empty_database_url, "ward")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The real migrations and one more, in a folder that tests may change."""
    copy = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, copy)
    number = len(read_migrations(copy)) + 1
    text = "CREATE TABLE {ledger}.extra (note text DEFAULT '{{}}');"
    (copy / f"{number:04}_extra.sql").write_text(text)
    return copy


def test_the_oldest_and_the_newest_server_get_every_migration(each_database: Database) -> None:
    """The floor is PostgreSQL 15 (A§6)."""
    state = migration_state(each_database)
    assert state.applied == tuple(migration.name for migration in read_migrations())
    assert state.pending == ()
    assert state.missing_roles == ()


def test_migrating_again_changes_nothing(empty: Database) -> None:
    """`clinledger migrate` may be run at every start."""
    assert migrate(empty) == migrate(empty)


def test_an_empty_database_reports_every_migration_as_pending(empty: Database) -> None:
    """`doctor` looks without changing anything."""
    state = migration_state(empty)
    assert state.applied == ()
    assert state.pending == tuple(migration.name for migration in read_migrations())


def test_a_later_program_adds_what_is_new(empty: Database, folder: Path) -> None:
    """Forward only: the files that were applied are not run again."""
    before = migrate(empty)
    after = migrate(empty, folder)
    assert after.applied[: len(before.applied)] == before.applied
    assert after.applied[-1].endswith("_extra.sql")


def test_a_schema_newer_than_the_program_is_refused(empty: Database, folder: Path) -> None:
    """An older program must not write what it does not understand."""
    migrate(empty, folder)
    with pytest.raises(EnvironmentRefusedError, match="newer program"):
        migrate(empty)
    with pytest.raises(EnvironmentRefusedError, match="newer program"):
        migration_state(empty)


def test_an_edited_migration_is_refused(empty: Database, folder: Path) -> None:
    """A file that has run anywhere is never changed."""
    migrate(empty, folder)
    extra = next(folder.glob("*_extra.sql"))
    extra.write_text(extra.read_text() + "-- edited")
    with pytest.raises(EnvironmentRefusedError, match=extra.name):
        migrate(empty, folder)


def test_an_edited_migration_stops_the_ones_after_it(empty: Database, folder: Path) -> None:
    """Nothing is built on a schema that is not what the files say."""
    migrate(empty)
    first = next(iter(sorted(folder.glob("*.sql"))))
    first.write_text(first.read_text() + "-- edited")
    with pytest.raises(EnvironmentRefusedError, match=first.name):
        migrate(empty, folder)
    assert migration_state(empty).pending == ()


def test_a_failing_migration_leaves_nothing_behind(empty: Database, folder: Path) -> None:
    """One transaction each: applied whole or not begun."""
    extra = next(folder.glob("*_extra.sql"))
    extra.write_text("CREATE TABLE {ledger}.half (); SELECT 1 / 0;")
    with pytest.raises(EnvironmentRefusedError, match="22012"):
        migrate(empty, folder)
    with empty.connect("owner") as connection:
        row = connection.execute("SELECT to_regclass('ward.half')").fetchone()
    assert row == (None,)
    assert migration_state(empty, folder).pending == (extra.name,)


@pytest.mark.parametrize("name", ["0009_gap.sql", "readme.sql", "2_short.sql"])
def test_a_gap_or_a_misnamed_file_is_refused(folder: Path, name: str) -> None:
    """Numbers say the order, so none may be missing."""
    (folder / name).write_text("SELECT 1;")
    with pytest.raises(EnvironmentRefusedError, match="expected, found"):
        read_migrations(folder)


def test_migrators_at_the_same_time_wait_for_each_other(empty: Database) -> None:
    """Several servers may be started together."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            migrate(empty)
        except BaseException as error:  # noqa: BLE001  # handed to the asserting thread
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert migration_state(empty).pending == ()


def test_a_migration_that_cannot_get_its_lock_gives_up_in_seconds(
    database: Database, folder: Path
) -> None:
    """lock_timeout is 4 s: a migration never queues behind a long transaction and blocks all."""
    with database.connect("owner") as other, other.transaction():
        other.execute("LOCK TABLE ledger.migration IN ROW EXCLUSIVE MODE")
        with pytest.raises(UnavailableError):
            migrate(database, folder)


def test_a_database_that_is_not_utf8_is_refused(postgres_server: Server) -> None:
    """Names are Vietnamese."""
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE test_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
        )
        try:
            url = conninfo.make_conninfo(postgres_server.url, dbname="test_latin")
            with pytest.raises(EnvironmentRefusedError, match="UTF8"):
                migrate(Database(url))
        finally:
            connection.execute("DROP DATABASE test_latin WITH (FORCE)")


def test_a_login_that_may_not_create_roles_migrates_and_says_so(
    postgres_server: Server, empty_database_url: str
) -> None:
    """Where separation of privileges cannot be had, `doctor` warns (A§6)."""
    name = conninfo.conninfo_to_dict(empty_database_url)["dbname"]
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE test_plain_login LOGIN PASSWORD 'plain'")
        grant = sql.SQL("GRANT CREATE ON DATABASE {name} TO test_plain_login")
        connection.execute(grant.format(name=sql.Identifier(str(name))))
    login = {"user": "test_plain_login", "password": "plain"}
    url = conninfo.make_conninfo(empty_database_url, **login)
    try:
        state = migrate(Database(url, "village"))
        assert state.pending == ()
        assert state.missing_roles == (
            "village_writer",
            "village_projector",
            "village_reader",
            "village_auditor",
        )
    finally:
        with psycopg.connect(empty_database_url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY test_plain_login CASCADE")
            connection.execute("DROP ROLE test_plain_login")
