import asyncio
import os
from pathlib import Path

from api.keystore import KeyStore
from api.local_client import LocalLedgerClient
from api.simulate.runner import Simulation, SimulationReport, Surroundings, run_simulation
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.founding import claim_schema
from ledger.keyring import Keyring
from ledger.verify import VerifyOptions, verify_ledger
from projections.check import check_views
from projections.runner import Projector
from projections.tracking import install_views

ORIGIN = "bvdk.quangninh.example/ledger"


def simulate(database: Database, keyring: Keyring, home: Path, *, seed: int) -> SimulationReport:
    """Simulate four patients, being the sequencer, and bring the views up to date."""

    async def main() -> SimulationReport:
        clock = SystemClock()
        client = await LocalLedgerClient.start(database, keyring, clock=clock, where="a test")
        surroundings = Surroundings(
            keys=KeyStore(home / "keys"),
            clock=clock,
            randomness=os.urandom,
            acks=home / "acks.jsonl",
        )
        try:
            return await run_simulation(
                client, Simulation(seed=seed, patients=4, concurrency=4), surroundings
            )
        finally:
            await client.close()

    report = asyncio.run(main())
    projector = Projector(database, keyring)
    projector.catch_up()
    projector.close()
    return report


def test_a_simulated_hospital_verifies_with_its_acknowledgements_and_views(
    each_database: Database, tmp_path: Path
) -> None:
    """On the embedded server and on the oldest one of the machine."""
    database = each_database
    with database.connect("owner") as connection:
        keyring = claim_schema(connection, database, origin=ORIGIN, home=tmp_path)
        install_views(connection, database)

    first = simulate(database, keyring, tmp_path, seed=7)
    again = simulate(database, keyring, tmp_path, seed=7)
    other = simulate(database, keyring, tmp_path, seed=8)

    assert (again.submitted, again.already_there) == (0, first.events)
    assert other.submitted == other.events
    assert other.size == first.submitted + other.submitted
    report = verify_ledger(
        database, keyring=keyring, options=VerifyOptions(acks=tmp_path / "acks.jsonl")
    )
    assert report.ok
    assert report.entries_checked == report.size == other.size
    assert report.anchors[0].count == other.size
    with database.connect("reader") as connection:
        assert list(check_views(connection, database, keyring)) == []
