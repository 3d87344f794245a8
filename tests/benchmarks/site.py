"""Set up what is measured: an own server, one founded ledger with staff, and a place for baselines.

Everything lies in one temporary folder and is gone at the end, however the run ends.
"""

import asyncio
import os
from pathlib import Path
from typing import Final

from psycopg import conninfo

from api.keystore import KeyStore
from api.local_client import LocalLedgerClient
from api.simulate.runner import Simulation, Surroundings, run_simulation
from api.simulate.staff import STAFF
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.founding import claim_schema
from ledger.keyring import Keyring, load_facility_key
from ledger.migrate import migrate
from ledger.server_programs import find_programs
from projections.tracking import install_views
from signing.statement import Seen
from tests.benchmarks.workload import ORIGIN, SEED, Chain, Patients, recipe_for
from tests.postgres import OwnServer

_READER_KEYS: Final = 10_000


class Site:
    """A server of our own, a ledger with the simulated hospital's staff, and its patients."""

    def __init__(self) -> None:
        self.server = OwnServer()
        self.home = self.server.home
        self.url = self.server.create_database()
        self.baseline_url = self.server.create_database()
        self.database = Database(self.url, "ledger")
        migrate(self.database)
        with self.database.connect("owner") as connection:
            install_views(connection, self.database)
            self.keyring = claim_schema(connection, self.database, origin=ORIGIN, home=self.home)
        self.patients = Patients(recipe_for(self.keys, self._enrol()))

    @property
    def keys(self) -> Path:
        """The folder of the staff's keys."""
        return self.home / "keys"

    @property
    def programs(self) -> Path:
        """The folder of the server's programs, if pgbench is among them."""
        return find_programs(None).directory

    def new_keyring(self) -> Keyring:
        """Return a keyring that knows no stream's key yet."""
        wrapper = load_facility_key(self.keys / "facility.key")
        return Keyring(wrapper, ORIGIN, capacity=_READER_KEYS)

    def server_arguments(self) -> list[str]:
        """Return how PostgreSQL's programs reach the baselines' database."""
        parts = conninfo.conninfo_to_dict(self.baseline_url)
        host, port = str(parts["host"]), str(parts["port"])
        return ["-h", host, "-p", port, "-U", str(parts["user"]), str(parts["dbname"])]

    def add_stream_keys(self, chains: list[Chain]) -> None:
        """Give every stream its key, as admission would have."""
        with self.database.connect("writer") as connection:
            query = self.database.query(_ADD_KEY)
            rows: list[tuple[str, str, bytes, str]] = []
            for chain in chains:
                for event in chain:
                    stream, kind = stream_of(event.statement)
                    if self.keyring.known(stream) is None:
                        wrapped = self.keyring.new_wrapped(stream)
                        self.keyring.remember(stream, wrapped)
                        rows.append((stream, kind, wrapped, self.keyring.facility_key_id))
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(query, rows)

    def close(self) -> None:
        """Stop everything and remove it."""
        self.patients.close()
        self.server.close()

    def _enrol(self) -> Seen:
        store = KeyStore(self.keys)
        for member in STAFF:  # all on the commonest algorithm: made before anybody asks
            store.load_or_create(member.staff_id(ORIGIN), "ES256")

        async def main() -> Seen:
            clock = SystemClock()
            client = await LocalLedgerClient.start(
                self.database, self.keyring, clock=clock, where="a benchmark"
            )
            surroundings = Surroundings(keys=store, clock=clock, randomness=os.urandom)
            try:
                simulation = Simulation(seed=SEED, patients=0)
                await run_simulation(client, simulation, surroundings)
                head = client.sequencer.head
                return Seen(root=head.root.hex(), size=head.size)
            finally:
                await client.close()

        return asyncio.run(main())


_ADD_KEY: Final = """
INSERT INTO {keys}.stream_key (stream, stream_kind, wrapped, facility_key_id)
VALUES (%s, %s, %b, %s)
"""


def stream_of(statement: bytes) -> tuple[str, str]:
    """Return stream and stream kind of a statement's bytes, without parsing all of it."""
    return _member(statement, b'"stream":"'), _member(statement, b'"stream_kind":"')


def _member(statement: bytes, name: bytes) -> str:
    start = statement.index(name) + len(name)
    return statement[start : statement.index(b'"', start)].decode()
