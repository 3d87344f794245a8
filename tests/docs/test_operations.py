"""docs/operations.md: its roles, its backup and its restore work as written."""

import json
import re
import shutil
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from ledger.errors import EnvironmentRefusedError
from ledger.ids import new_id
from ledger.server_programs import find_programs
from tests.cli.facility import Facility, note
from tests.cli.shell import Shell
from tests.docs.documents import REPOSITORY, blocks_of, program_folder, run_bash, surroundings
from tests.postgres import Server

DOCUMENT = REPOSITORY / "docs" / "operations.md"


@pytest.fixture
def facility(database_url: str, tmp_path: Path) -> Facility:
    """A facility of the test's own."""
    return Facility(tmp_path / "home", database_url)


def _client_programs(url: str) -> Path:
    """Return the folder of pg_dump and pg_restore of the server's version."""
    with psycopg.connect(url) as connection:
        major = connection.info.server_version // 10_000
    try:
        return find_programs(major=major).directory
    except EnvironmentRefusedError:
        pytest.skip(f"no client programs of PostgreSQL {major} on this machine")


def test_a_backup_as_written_restores_a_ledger_that_verifies(
    facility: Facility, postgres_server: Server, tmp_path: Path
) -> None:
    """Dump, lose everything, restore: every receipt that was kept is met."""
    [backup], [restore] = _blocks_with("pg_dump"), _blocks_with("pg_restore")
    signed = facility.file(
        "note.signed",
        facility.sign(note(), "note-written.v1", facility.doctor, "--stream", facility.record).json,
    )
    assert facility("submit", signed, "--acks", tmp_path / "acks.jsonl").code == 0
    shown = facility("show", facility.record, "--json").out
    url = facility.variables["CLINLEDGER_DATABASE_URL"]
    programs = (program_folder(tmp_path / "bin"), _client_programs(url))
    environment = {**surroundings(*programs), **facility.variables}
    done = run_bash(backup, folder=tmp_path, environment=environment)
    assert done.returncode == 0, done.stdout
    empty = postgres_server.create_database()
    try:
        environment["CLINLEDGER_DATABASE_URL"] = empty
        done = run_bash(restore, folder=tmp_path, environment=environment)
        assert done.returncode == 0, done.stdout
        assert "whole: nothing was found" in done.stdout
        assert "anchor      1 receipts" in done.stdout
        restored = Shell(facility.home, empty)
        assert restored("show", facility.record, "--json").out == shown
    finally:
        postgres_server.drop_database(empty)


def _blocks_with(words: str) -> list[str]:
    return [block.commands for block in blocks_of(DOCUMENT) if words in block.commands]


def test_the_auditors_years_are_as_written(facility: Facility, tmp_path: Path) -> None:
    """A note in the first year, rested on in the next; then somebody edits an old content."""
    [first] = _blocks_with("--note 2025.note")
    [later] = _blocks_with("--note 2026.note")
    [again] = _blocks_with("--seed")
    home = tmp_path / "auditor"
    (home / "keys").mkdir(parents=True, mode=0o700)
    shutil.copy(facility.home / "keys" / "facility.key", home / "keys")
    environment = {
        **surroundings(program_folder(tmp_path / "bin")),
        **facility.variables,
        "CLINLEDGER_HOME": str(home),
    }
    done = run_bash(first, folder=tmp_path, environment=environment)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("so-y-te.example/auditor+")
    assert "whole: nothing was found" in done.stdout
    facility.write_note()
    done = run_bash(later, folder=tmp_path, environment=environment)
    assert done.returncode == 0, done.stdout
    report = json.loads((tmp_path / "2026.json").read_bytes())
    assert report["size"] == report["since"]["size"] + 1
    assert report["since"]["by"] == "so-y-te.example/auditor"
    assert f"from {report['since']['size']}\n" in (tmp_path / "2026.note").read_text()
    for year in ("2025", "2026"):
        assert "nothing was found" in (tmp_path / f"{year}.html").read_text(encoding="utf-8")
    done = run_bash(again, folder=tmp_path, environment=environment)
    assert done.returncode == 0, done.stdout
    assert f"seed {report['since']['seed']}" in done.stdout
    with psycopg.connect(facility.variables["CLINLEDGER_DATABASE_URL"]) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE ledger.sealed SET body = set_byte(body, 99, get_byte(body, 99) # 1)"
            " WHERE position = 3"
        )
    done = run_bash(later, folder=tmp_path, environment=environment)
    assert done.returncode == 1, done.stdout
    assert "no note was written" in done.stdout
    assert json.loads((tmp_path / "2026.json").read_bytes())["findings"][0]["position"] == 3


@pytest.fixture
def login(postgres_server: Server) -> Generator[tuple[str, str]]:
    """A login that may create no roles, and the URL of a database that it owns."""
    name = f"login_{new_id().replace('-', '')}"
    url = postgres_server.create_database()
    database = conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'".encode())
        connection.execute(f"ALTER DATABASE {database} OWNER TO {name}".encode())
    yield name, conninfo.make_conninfo(url, user=name, password="x")  # noqa: S106 - a test's own
    postgres_server.drop_database(url)
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"DROP ROLE {name}".encode())


def test_the_roles_as_written_are_what_migrate_asks_for(
    login: tuple[str, str], postgres_server: Server, tmp_path: Path
) -> None:
    """Without them `doctor` warns; with them everything works under least privilege."""
    name, url = login
    schema = f"s{new_id().replace('-', '')[:12]}"
    shell = Shell(tmp_path / "home", url, schema)
    first = shell("migrate")
    assert first.code == 0, first.err
    assert f"role {schema}_writer is missing" in first.err
    found = re.search(r"```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    statements = found[1].replace("clinledger", name).replace("ledger_", f"{schema}_")
    roles = re.findall(r"CREATE ROLE (\w+)", statements)
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(statements.encode())
        try:
            again = shell("migrate")
            assert (again.code, again.err) == (0, "")
            names = ("--registrar", "Trần Thị Bình", "--registrar", "Lê Văn Cường")
            assert shell("init", "roles.example/ledger", *names).code == 0
            checks = {check["name"]: check for check in shell("doctor", "--json").json["checks"]}
            assert checks["roles"]["state"] == "ok"
            for command in (
                ("staff", "enrol", "--name", "Nguyễn Thị Hoa", "--code", "BS-1"),
                ("projector", "--once"),
                ("search", "hoa"),
                ("rebuild",),
                ("checkpoint", "--once"),
                ("verify",),
            ):
                answer = shell(*command)
                assert answer.code == 0, (command, answer.err)
        finally:
            for view in (schema, f"{schema}_keys"):
                _drop(url, view)
            for role in roles:
                _drop_role(url, postgres_server, role)


def _drop(url: str, schema: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())


def _drop_role(url: str, server: Server, role: str) -> None:
    database = str(conninfo.conninfo_to_dict(url)["dbname"])
    own = conninfo.make_conninfo(server.url, dbname=database)
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {role} CASCADE".encode())
        connection.execute(f"DROP ROLE {role}".encode())
