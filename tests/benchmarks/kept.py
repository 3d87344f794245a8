"""Keep the server and ledgers of one run for the next: `make bench SIZE=10m KEEP=FOLDER`.

A ledger of ten million events takes an hour or so to sign and import. A kept folder spares the runs
after the first that hour, and lets a run that was interrupted go on where it was.
"""

from pathlib import Path
from typing import Final, Self

import msgspec
from psycopg import conninfo

from ledger.durable import replace_file
from ledger.embedded import EmbeddedPostgres
from tests.postgres import Server

_FILE: Final = "benchmarks.json"
_PATIENTS_OF_A_RUN: Final = 10_000_000


class KeptServer(Server):
    """An embedded server in a folder that stays."""

    def __init__(self, home: Path) -> None:
        """Start the server of the folder, which is made if it is missing."""
        self.home = home
        self._embedded = EmbeddedPostgres(home)
        super().__init__(self._embedded.start())

    def close(self) -> None:
        """Stop the server."""
        self._embedded.stop()


class Kept(msgspec.Struct, kw_only=True):
    """What lies in the folder, as its file says.

    Attributes:
        home: the folder.
        runs: how many have begun there.
        seen: size at which the staff was enrolled: all that is ever signed names it as seen, since
            the copies know no later one.
        databases: by what they hold: `main`, and the copies by size.
        rates: at which they were loaded, by the names of figures.
    """

    home: str
    runs: int = 0
    seen: int = 0
    databases: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    rates: dict[str, float] = msgspec.field(default_factory=dict[str, float])

    @classmethod
    def read(cls, home: Path) -> Self:
        """Read what is there, and count this run."""
        file = home / _FILE
        found = (
            msgspec.json.decode(file.read_bytes(), type=cls)
            if file.exists()
            else cls(home=str(home))
        )
        found.runs += 1
        found.write()
        return found

    def url_of(self, what: str, server: Server) -> str:
        """Return the URL of a database, made empty if there is none yet."""
        name = self.databases.get(what)
        if name is not None:
            return conninfo.make_conninfo(server.url, dbname=name)
        url = server.create_database()
        self.add(what, str(conninfo.conninfo_to_dict(url)["dbname"]))
        return url

    def add(self, what: str, name: str) -> None:
        """Take note of a database."""
        self.databases[what] = name
        self.write()

    def seen_at(self, size: int) -> int:
        """Return the size to be named as seen: this one, or that of the first run."""
        if not self.seen:
            self.seen = size
            self.write()
        return self.seen

    def add_rate(self, name: str, rate: float) -> None:
        """Take note of how quickly something was loaded."""
        self.rates[name] = rate
        self.write()

    def first_patient(self) -> int:
        """Return a number from which on no earlier run has used any patient."""
        return (self.runs - 1) * _PATIENTS_OF_A_RUN + 1

    def write(self) -> None:
        """Make the file say what is known now."""
        replace_file(Path(self.home) / _FILE, msgspec.json.encode(self))
