"""Commands about checkpoints: checkpoint, heads, tiles export."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from api.checkpoint.heads import LedgerAuthor, need_author, sign_heads
from api.checkpoint.process import Begin, open_rounds
from api.checkpoint.status import StatusFile
from api.cli.access import keyring_of, open_database, open_reader, settings
from api.cli.client import holder_of, read_directory, run, writing
from api.cli.console import FOUND, note, progress_bar, say
from api.keystore import KeyStore
from api.ledger_staff import enrol_ledger, find_enrolment
from api.schemas import EventReceipt
from api.settings import Settings
from ledger.checkpointing.follower import Follower, InconsistentLedgerError, Progress
from ledger.checkpointing.table import CheckpointTable
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.errors import CorruptionError, EnvironmentRefusedError
from ledger.open_directory import read_checkpoint_keys
from ledger.store import EntryStore
from ledger.submitted import SubmittedEvent
from ledger.tile_export import export_tiles
from ledger.tiles import StoredTiles

tiles_app = typer.Typer(help="Tiles of the published tree, for mirrors.", no_args_is_help=True)

checkpoint_app = typer.Typer()


@checkpoint_app.callback(invoke_without_command=True)
def checkpoint(
    context: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="Sign and publish what is new, print it, then end.")
    ] = False,
    witnesses: Annotated[
        Path | None,
        typer.Option(help="Policy that names the witnesses; default witnesses.policy in the home."),
    ] = None,
    new_state: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="Begin without the signer's own state, from the newest stored checkpoint; the "
            "reason is recorded.",
        ),
    ] = None,
) -> None:
    """Sign the ledger's checkpoints until interrupted (`serve` starts this by itself).

    Every rule of `verify` is applied to what is new before it is signed. What was signed last is
    kept in a file of the home, outside the database. Exits 1 when something is found that must not
    be signed: it is named, and nothing is signed.
    """
    if context.invoked_subcommand is not None:
        return
    chosen = settings()
    open_database(chosen)
    status = StatusFile(chosen.checkpoint_status, SystemClock())
    begin = Begin(new_state=new_state, policy=witnesses, heads=not once)
    try:
        with progress_bar("verifying") as advance:
            signed = asyncio.run(_sign(chosen, status, begin, once=once, progress=advance))
    except InconsistentLedgerError as error:
        status.refuse(error)
        for finding in error.findings:
            place = "-" if finding.position is None else finding.position
            say(f"FINDING     {finding.code} at {place}: {finding.detail}")
        note("nothing was signed")
        raise typer.Exit(FOUND) from None
    if signed is not None:
        typer.echo(signed.decode(), nl=False)


async def _sign(
    chosen: Settings, status: StatusFile, begin: Begin, *, once: bool, progress: Progress
) -> bytes | None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_rounds(chosen, status=status, begin=begin, progress=progress) as rounds:
        if once:
            return await rounds.once()
        note("signing; interrupt to stop")
        await rounds.run(stop)
    return None


def heads(
    enrol: Annotated[
        bool,
        typer.Option(
            "--enrol",
            help="First enrol the ledger itself, where `init` has not: a device with a key of its "
            "own and the role `ledger`. Needs a registrar's key here.",
        ),
    ] = False,
) -> None:
    """Publish the newest entry of every stream, now (the checkpoint process does so hourly).

    The ledger is verified first. After that event nobody can withhold a record's newest entry, or a
    key's revocation, as of its size, without the ledger having lied in a signed event.
    """
    chosen = settings()
    database = open_database(chosen)
    if enrol:
        say(f"the ledger itself is {enrol_own_key(chosen)}")
    try:
        with progress_bar("verifying") as advance:
            author, event = _signed_heads(chosen, database, advance)
    except InconsistentLedgerError as error:
        note(f"clinledger: {error}")
        raise typer.Exit(FOUND) from None

    async def submit() -> EventReceipt:
        async with writing(chosen, author.staff, author.key) as (client, _):
            return await client.submit(event)

    say(f"heads published at position {run(submit).position}")


def enrol_own_key(chosen: Settings) -> str:
    """Enrol the ledger itself as far as it is not, as a registrar whose key is here; return its id.

    Raises:
        EnvironmentRefusedError: no registrar's key is here.
    """
    keys = KeyStore(chosen.keys)
    with open_reader() as reader:
        directory = read_directory(reader)
        begun = find_enrolment(reader, directory, keys)
    if begun.is_done:
        return begun.staff
    signer, key = holder_of(directory, chosen, "registrar")

    async def enrol() -> str:
        async with writing(chosen, signer, key) as (client, author):
            return await enrol_ledger(client, author, keys, origin=directory.origin, begun=begun)

    return run(enrol)


def _signed_heads(
    chosen: Settings, database: Database, progress: Progress
) -> tuple[LedgerAuthor, SubmittedEvent]:
    keyring = keyring_of(database, chosen)
    with database.connect("reader", name="clinledger-heads") as connection:
        follower = Follower(connection, database, keyring)
        follower.advance(progress=progress)
        author = need_author(follower.directory, KeyStore(chosen.keys))
        return author, sign_heads(follower, author, now_ms=SystemClock().now_ms())


@tiles_app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made when it is not there.")],
) -> None:
    """Bring a folder up to the newest published checkpoint, as mirrors serve it.

    Tiles and bundles are written once and never changed, so write-once storage can hold them; they
    hold nothing personal. Exits 1 when the tables do not lead to what was signed, or when the
    folder's own checkpoint contradicts them.
    """
    chosen = settings()
    database = open_database(chosen)
    with database.connect("auditor", name="clinledger-export") as connection:
        published = CheckpointTable(connection, database, "publication").newest()
        if published is None:
            raise EnvironmentRefusedError("no checkpoint was published yet: see `checkpoint`")
        keys = read_checkpoint_keys(connection, database)
        source = StoredTiles(EntryStore(connection, database), connection, database)
        try:
            with progress_bar("exporting") as advance:
                signed = export_tiles(folder, published.note, source, keys=keys, progress=advance)
        except CorruptionError as error:
            note(f"clinledger: {error}")
            raise typer.Exit(FOUND) from None
    say(f"{signed.checkpoint.size} entries and their tree are in {folder}")
