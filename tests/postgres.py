"""PostgreSQL servers for tests: started in a folder of their own, and never left behind.

A watchdog process holds the other end of a pipe. When the test process ends, by any death, the
pipe closes and the watchdog stops the server and removes the folder.
"""

import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import psycopg
from psycopg import conninfo, sql

from ledger.embedded import EmbeddedPostgres
from ledger.server_programs import programs_in

_WATCHDOG = """
import pathlib, shutil, sys
from ledger.embedded import EmbeddedPostgres
sys.stdin.read()
home = pathlib.Path(sys.argv[1])
EmbeddedPostgres(home).stop(timeout_seconds=10)
shutil.rmtree(home, ignore_errors=True)
"""
_REPOSITORY = Path(__file__).parent.parent


class Server:
    """A running server on which tests make and drop databases."""

    def __init__(self, url: str) -> None:
        """Take the URL of a login that may create databases."""
        self.url = url

    def create_database(self, template_url: str | None = None) -> str:
        """Create an empty database, or a copy of the one at `template_url`; return its URL."""
        source = "template0" if template_url is None else _name_in(template_url)
        name = f"test_{uuid.uuid4().hex}"  # noqa: TID251  # names a scratch database
        query = sql.SQL("CREATE DATABASE {name} TEMPLATE {source} ENCODING 'UTF8'")
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                query.format(name=sql.Identifier(name), source=sql.Identifier(source))
            )
        return conninfo.make_conninfo(self.url, dbname=name)

    def drop_database(self, url: str) -> None:
        """Drop a database that `create_database` made, whoever is connected to it."""
        name = _name_in(url)
        query = sql.SQL("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(query.format(name=sql.Identifier(name)))


class OwnServer(Server):
    """An embedded server of the tests' own.

    Attributes:
        home: its temporary CLINLEDGER_HOME, removed at the end.
        embedded: for tests that stop or kill it.
    """

    def __init__(self, programs_directory: Path | None = None) -> None:
        """Start a server with these programs, default the wheel's."""
        self.home = Path(tempfile.mkdtemp(prefix="clinledger-test-"))
        self._watchdog = start_watchdog(self.home)
        self.embedded = EmbeddedPostgres(self.home, programs_directory=programs_directory)
        super().__init__(self.embedded.start())

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self._watchdog.communicate(timeout=60)
        shutil.rmtree(self.home, ignore_errors=True)


def start_watchdog(home: Path) -> subprocess.Popen[bytes]:
    """Promise that the server of `home` stops and `home` goes when this process ends."""
    return subprocess.Popen(  # noqa: S603  # our own interpreter and constants
        [sys.executable, "-c", _WATCHDOG, str(home)],
        stdin=subprocess.PIPE,
        cwd=_REPOSITORY,
        start_new_session=True,
    )


def oldest_programs() -> Path | None:
    """Return the folder of the oldest usable server programs of this machine's own, if any."""
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    found = [programs for programs in map(programs_in, folders) if programs is not None]
    usable = [programs for programs in found if programs.major >= 15]
    return min(usable, key=lambda programs: programs.major).directory if usable else None


def _name_in(url: str) -> str:
    return str(conninfo.conninfo_to_dict(url)["dbname"])
