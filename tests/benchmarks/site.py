"""Set up what is measured: a server of its own, and on it ledgers of several sizes.

The sizes are copies of one growing ledger, so that all have one beginning and take the same signed
events. Everything lies in one temporary folder and is gone at the end, however the run ends; or in
a folder that is kept, where the next run finds the ledgers as large as this one left them.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import psycopg
from psycopg import conninfo, sql

from api.keystore import KeyStore
from api.local_client import LocalLedgerClient
from api.simulate.runner import Simulation, Surroundings, run_simulation
from api.simulate.staff import STAFF
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.founding import claim_schema
from ledger.keyring import Keyring, load_facility_key
from ledger.migrate import migrate
from ledger.reader import LedgerReader
from ledger.rows import Head
from ledger.sealing import NONCE_BYTES, associated_data, seal
from ledger.server_programs import find_programs
from ledger.store import EntryStore
from ledger.stream_keys import make_stream_keys
from ledger.submission import Submission
from projections.tracking import install_views
from signing.statement import Seen, Statement, parse_statement
from tests.benchmarks.kept import Kept, KeptServer
from tests.benchmarks.workload import ORIGIN, SEED, Patients, Prepared, recipe_for
from tests.postgres import OwnServer

REPOSITORY: Final = Path(__file__).parent.parent.parent
_READER_KEYS: Final = 100_000
_KEYS_AT_ONCE: Final = 5_000
_prepared: Final = msgspec.msgpack.Decoder(Prepared)


class Ground:
    """One ledger.

    Attributes:
        url: of its database.
        home: with the keys, which all grounds of a site share.
        keyring: knows the keys of the streams that were prepared for it.
    """

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self.home = home
        self.database = Database(url, "ledger")
        self.keyring = self.new_keyring()

    @property
    def keys(self) -> Path:
        """The folder of the staff's keys."""
        return self.home / "keys"

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which commands find this ledger."""
        own = {"CLINLEDGER_HOME": str(self.home), "CLINLEDGER_DATABASE_URL": self.url}
        return {**os.environ, **own}

    def new_keyring(self) -> Keyring:
        """Return a keyring that knows no stream's key yet."""
        wrapper = load_facility_key(self.keys / "facility.key")
        return Keyring(wrapper, ORIGIN, capacity=_READER_KEYS)

    def head(self) -> Head:
        """Return the committed head."""
        with self.database.connect("reader") as connection:
            return EntryStore(connection, self.database).head()

    def seen_at(self, size: int) -> Seen:
        """Return what an author who has seen so many entries says of them."""
        with self.database.connect("reader") as connection:
            root = LedgerReader(connection, self.database, self.keyring).root_at(size)
        return Seen(root=root.hex(), size=size)

    def add_stream_keys(self, kinds: dict[str, str]) -> None:
        """Give every stream that has none its key, as admission would have."""
        new = [stream for stream in kinds if self.keyring.known(stream) is None]
        with self.database.connect("writer") as connection:
            reader = LedgerReader(connection, self.database, self.keyring)
            for at in range(0, len(new), _KEYS_AT_ONCE):
                some = {stream: kinds[stream] for stream in new[at : at + _KEYS_AT_ONCE]}
                make_stream_keys(reader, some)

    def sealed(self, queues: Sequence[Sequence[bytes]]) -> list[list[Submission]]:
        """Return events of `Patients.admitted` as the sequencer of this ledger takes them."""
        decoded = [[_prepared.decode(data) for data in queue] for queue in queues]
        statements = [parse_statement(event.statement) for queue in decoded for event in queue]
        self.add_stream_keys({one.stream: one.stream_kind for one in statements})
        supply = iter(statements)
        return [[self._seal(event, next(supply)) for event in queue] for queue in decoded]

    def run(self, *arguments: str, data: bytes | None = None) -> bytes:
        """Run a command to its good end; return what it prints."""
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "api.cli.main", *arguments],
            env=self.environment,
            cwd=REPOSITORY,
            input=data,
            stdout=subprocess.PIPE,
            check=True,
        )
        return done.stdout

    def _seal(self, event: Prepared, statement: Statement) -> Submission:
        key = self.keyring.known(statement.stream)
        assert key is not None
        aad = associated_data(ORIGIN, statement.stream, statement.event_id)
        return Submission(
            statement=statement,
            facts=event.facts,
            statement_digest=event.statement_digest,
            container_digest=event.container_digest,
            salt=event.salt,
            body=seal(event.frame, key=key, nonce=os.urandom(NONCE_BYTES), aad=aad),
        )


class Site:
    """A server of our own with the ledgers to be measured.

    Attributes:
        main: the largest ledger, grown by `loading.load`.
        patients: signed beforehand, for any of the ledgers.
        baseline_url: a database of the same server for what is measured without us.
        kept: what earlier runs have left in a folder that is kept.
    """

    def __init__(self, keep: Path | None = None) -> None:
        """Set up in a temporary folder, or in one that is kept, with what it holds already."""
        self.server = OwnServer() if keep is None else KeptServer(keep)
        self.home = self.server.home
        self.kept = Kept.read(self.home)
        url = self.kept.url_of("main", self.server)
        self.baseline_url = self.server.create_database()
        database = Database(url, "ledger")
        migrate(database)
        with database.connect("owner") as connection:
            install_views(connection, database)
            claim_schema(connection, database, origin=ORIGIN, home=self.home)
        self.main = Ground(url, self.home)
        seen = self.main.seen_at(self.kept.seen_at(_enrol(self.main)))
        recipe = recipe_for(self.main.keys, seen)
        self.patients = Patients(recipe, first=self.kept.first_patient())

    @property
    def programs(self) -> Path:
        """The folder of the server's own client programs."""
        return find_programs(None).directory

    def copy(self, what: str) -> Ground:
        """Return a copy of the main ledger as it is now; nobody may be connected to it."""
        source = str(conninfo.conninfo_to_dict(self.main.url)["dbname"])
        name = f"{source}_{what}"
        query = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute(query.format(sql.Identifier(name), sql.Identifier(source)))
        self.kept.add(what, name)
        return self._ground(name)

    def kept_copy(self, what: str) -> Ground | None:
        """Return the copy of this name that an earlier run has left, if any."""
        name = self.kept.databases.get(what)
        return None if name is None else self._ground(name)

    def aside(self, ground: Ground) -> Ground:
        """Return the same ledger with a home of its own: its signer has signed nothing yet."""
        if ground is self.main:
            return ground
        home = self.home / "aside"
        shutil.copytree(ground.keys, home / "keys", dirs_exist_ok=True)
        return Ground(ground.url, home)

    def empty(self, what: str) -> tuple[Ground, bool]:
        """Return a ledger without any event, or the kept one of this name, and which it is."""
        kept = self.kept_copy(what)
        if kept is not None:
            return kept, False
        ground = Ground(self.server.create_database(), self.home)
        migrate(ground.database)
        return ground, True

    def keep(self, what: str, ground: Ground) -> None:
        """Let later runs in a kept folder find a ledger again."""
        self.kept.add(what, str(conninfo.conninfo_to_dict(ground.url)["dbname"]))

    def settle(self) -> None:
        """Have the server write what loading has left in its memory, so that it does not later."""
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def close(self) -> None:
        """Stop everything; remove what is not kept."""
        self.patients.close()
        self.server.drop_database(self.baseline_url)
        self.server.close()

    def _ground(self, database: str) -> Ground:
        return Ground(conninfo.make_conninfo(self.main.url, dbname=database), self.home)


def server_arguments(url: str) -> list[str]:
    """Return how PostgreSQL's programs reach the server of a database."""
    parts = conninfo.conninfo_to_dict(url)
    return ["-h", str(parts["host"]), "-p", str(parts["port"]), "-U", str(parts["user"])]


def _enrol(ground: Ground) -> int:
    """Enrol the staff, if that has not happened yet; return the ledger's size."""
    store = KeyStore(ground.keys)
    for member in STAFF:  # all on the commonest algorithm: made before anybody asks
        store.load_or_create(member.staff_id(ORIGIN), "ES256")

    async def main() -> int:
        clock = SystemClock()
        client = await LocalLedgerClient.start(
            ground.database, ground.keyring, clock=clock, where="a benchmark"
        )
        surroundings = Surroundings(keys=store, clock=clock, randomness=os.urandom)
        try:
            simulation = Simulation(seed=SEED, patients=0)
            await run_simulation(client, simulation, surroundings)
            return client.sequencer.head.size
        finally:
            await client.close()

    return asyncio.run(main())


def stream_of(statement: bytes) -> str:
    """Return the stream of a statement's bytes, without parsing all of it."""
    start = statement.index(b'"stream":"') + len(b'"stream":"')
    return statement[start : statement.index(b'"', start)].decode()
