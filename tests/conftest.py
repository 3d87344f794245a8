"""Fixtures only: database servers, and a migrated database of its own for each test that asks.

`CLINLEDGER_TEST_DATABASE_URL` runs everything on a given server (its login must be able to create
databases); otherwise each pytest process starts an embedded one when the first test asks for it.
"""

import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from ledger.database import Database
from ledger.migrate import migrate
from tests.live import LiveHospital, LiveLedger
from tests.postgres import OwnServer, Server, oldest_programs, start_watchdog

URL_VARIABLE = "CLINLEDGER_TEST_DATABASE_URL"

# How quick something is shows in `make bench`; on a machine that is busy any test may take long.
settings.register_profile("clinledger", deadline=None)
settings.load_profile("clinledger")


@pytest.fixture(scope="session")
def postgres_server() -> Generator[Server]:
    """The server that tests use: the given one, else an embedded PostgreSQL."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        yield Server(given)
        return
    server = OwnServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def oldest_postgres_server() -> Generator[Server]:
    """The oldest supported server found on this machine; skips the test when there is none."""
    programs = oldest_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server programs in /usr/lib/postgresql")
    server = OwnServer(programs)
    yield server
    server.close()


@pytest.fixture(scope="session")
def template_url(postgres_server: Server) -> Generator[str]:
    """A migrated database, only ever copied: connecting to it would block the copying."""
    yield from _migrated_template(postgres_server)


@pytest.fixture(scope="session")
def oldest_template_url(oldest_postgres_server: Server) -> Generator[str]:
    """As `template_url`, on the oldest server."""
    yield from _migrated_template(oldest_postgres_server)


@pytest.fixture
def empty_database_url(postgres_server: Server) -> Generator[str]:
    """The URL of a new database with nothing in it."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def database_url(postgres_server: Server, template_url: str) -> Generator[str]:
    """The URL of a new database with the schema `ledger`, migrated, no ledger founded."""
    url = postgres_server.create_database(template_url)
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def database(database_url: str) -> Database:
    """A new migrated database, schema `ledger`, no ledger founded."""
    return Database(database_url, "ledger")


@pytest.fixture
def clinledger_home() -> Generator[Path]:
    """A CLINLEDGER_HOME (not there yet) whose embedded server, if any, is stopped at the end.

    Not below `tmp_path`: every start of pytest closes that folder to the server's account.
    """
    with tempfile.TemporaryDirectory(prefix="clinledger-test-") as folder:
        home = Path(folder) / "home"
        watchdog = start_watchdog(home)
        yield home
        watchdog.communicate(timeout=60)


@pytest.fixture(params=["embedded", "oldest"])
def each_database(request: pytest.FixtureRequest) -> Generator[Database]:
    """As `database`, and the test runs twice: also on the oldest server of the machine."""
    prefix = "" if request.param == "embedded" else "oldest_"
    server: Server = request.getfixturevalue(f"{prefix}postgres_server")
    url = server.create_database(request.getfixturevalue(f"{prefix}template_url"))
    yield Database(url, "ledger")
    server.drop_database(url)


def _migrated_template(server: Server) -> Generator[str]:
    url = server.create_database()
    migrate(Database(url, "ledger"))
    yield url
    server.drop_database(url)


@pytest.fixture
def live(database: Database, tmp_path: Path) -> Generator[LiveLedger]:
    """A running sequencer on a new ledger that is not founded yet."""
    ledger = LiveLedger(database, tmp_path)
    yield ledger
    ledger.close()


@pytest.fixture
def hospital(live: LiveLedger) -> LiveHospital:
    """A founded ledger with staff of every kind, a patient and an open record."""
    return LiveHospital(live)


def pytest_make_parametrize_id(
    config: pytest.Config,  # noqa: ARG001 - pytest's own signature
    val: object,
    argname: str,
) -> str | None:
    """Name cases with long values by their argument and number.

    Values may hold keys made anew in each process, and xdist wants all processes to name alike.
    """
    return argname if isinstance(val, str | bytes) and len(val) > 24 else None
