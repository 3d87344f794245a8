"""Commands that bring a hospital to life: simulate, demo."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from api.cli.access import keyring_of, open_database, open_reader, settings
from api.cli.checkpoints import enrol_own_key
from api.cli.client import run
from api.cli.console import note, progress_bar, say, say_json
from api.cli.operate import migrate
from api.cli.tour import URL, tour
from api.client import LedgerClient
from api.connect import connect, server_url, start_local
from api.keystore import KeyStore
from api.settings import Settings
from api.simulate.runner import Simulation, SimulationReport, Surroundings, run_simulation
from api.simulate.staff import STAFF
from api.simulate.submitter import Author
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.errors import EnvironmentRefusedError
from ledger.founding import claim_schema
from ledger.reader import LedgerReader
from ledger.state import DirectoryState
from ledger.store import EntryStore
from ledger.stream_cache import StreamCache
from projections.runner import Projector

DEMO_ORIGIN = "bvdk.quangninh.example/ledger"
DEMO_PATIENTS = 25
DEMO_SEED = 7


def simulate(
    patients: Annotated[int, typer.Option(min=1, help="How many patients.")] = DEMO_PATIENTS,
    seed: Annotated[int, typer.Option(help="Which patients; another seed adds others.")] = 1,
    url: Annotated[
        str | None, typer.Option(help="Write through the server at this URL, nowhere else.")
    ] = None,
    acks: Annotated[
        Path | None, typer.Option(help="Append each acknowledgement to this file (JSON lines).")
    ] = None,
    origin: Annotated[
        str, typer.Option(help="Name of the ledger to found, if there is none.")
    ] = DEMO_ORIGIN,
    as_json: Annotated[bool, typer.Option("--json", help="End with counts as JSON.")] = False,
) -> None:
    """Run a synthetic Vietnamese hospital through the real admission path.

    Founds the ledger if there is none. The same seed completes what is missing, also after a
    crash, and adds nothing twice. Nobody in it exists; never run it in a real hospital's ledger.
    """
    report = _simulate(Simulation(seed=seed, patients=patients), origin, url=url, acks=acks)
    if as_json:
        say_json(report)
        return
    say(
        f"{report.patients} patients, {report.admissions} admissions, {report.events} events: "
        f"{report.submitted} added ({report.events_per_second:.0f}/s), "
        f"{report.already_there} were there; the ledger has {report.size} entries"
    )


def demo(
    patients: Annotated[int, typer.Option(min=1, help="How many patients.")] = DEMO_PATIENTS,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the API; 0 takes a free one.")
    ] = 8080,
) -> None:
    """Set up a demo hospital and serve it: what `make run` does. Safe to repeat.

    Migrates, founds and simulates as far as that is missing, then serves the API on 127.0.0.1 and
    prints lines to paste.
    """
    from api.serve import serve  # noqa: PLC0415 - the web stack is slow to import

    chosen = settings()
    migrate()
    report = _simulate(Simulation(seed=DEMO_SEED, patients=patients), DEMO_ORIGIN)
    enrol_own_key(chosen)
    with open_reader() as reader:
        size = reader.head().size
        note(f"the demo hospital has {size} entries ({report.submitted} new)")
        lines = tour(reader, chosen)

    def tell(url: str) -> None:
        say(lines.replace(URL, url))

    raise typer.Exit(serve(chosen, host="127.0.0.1", port=port, on_ready=tell))


def _simulate(
    simulation: Simulation, origin: str, *, url: str | None = None, acks: Path | None = None
) -> SimulationReport:
    chosen = settings()
    database = open_database(chosen)
    with database.connect("owner") as connection:
        if EntryStore(connection, database).ledger() is None:
            claim_schema(connection, database, origin=origin, home=chosen.home)
    keyring = keyring_of(database, chosen)
    store = KeyStore(chosen.keys)
    with database.connect("reader") as connection:
        cache = StreamCache()
        cache.load_directory(LedgerReader(connection, database, keyring))
    registrar = _registrar(cache.directory, store)

    async def main(advance: Callable[[int, int], None]) -> SimulationReport:
        client = await _client(chosen, database, keyring.origin, url)
        surroundings = Surroundings(
            keys=store,
            clock=SystemClock(),
            randomness=os.urandom,
            acks=acks,
            registrar=registrar,
            on_progress=advance,
        )
        try:
            return await run_simulation(client, simulation, surroundings)
        finally:
            await client.close()

    with progress_bar("simulating") as advance:
        report = run(lambda: main(advance))
    projector = Projector(database, keyring)
    projector.catch_up()
    projector.close()
    return report


async def _client(
    chosen: Settings, database: Database, origin: str, url: str | None
) -> LedgerClient:
    """Write through a server as the hospital's HIS, or be the sequencer when none runs."""
    if url is None and server_url(chosen) is None:
        return await start_local(chosen, database)
    his = next(member for member in STAFF if member.duty == "his").staff_id(origin)
    key = KeyStore(chosen.keys).load(his)
    if key is not None:
        return await connect(chosen, database, staff=his, key=key, url=url)
    if url is not None:
        raise EnvironmentRefusedError("this home has no key of the simulated HIS: run it once here")
    return await start_local(chosen, database)


def _registrar(directory: DirectoryState, store: KeyStore) -> Author | None:
    """Return a registrar whose key is here, for a ledger that was founded by hand."""
    for name in store.names():
        key = store.load(name)
        state = None if key is None else directory.key_for(key.key_id)
        if key is None or state is None or state.revoked_at_position is not None:
            continue
        if "registrar" in directory.roles_of(state.staff):
            return Author(staff=state.staff, key=key)
    return None
