"""Commands of operators: migrate, serve, stop, projector, rebuild."""

import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import msgspec
import typer

from api.cli.access import keyring_of, open_database, settings
from api.cli.console import UNUSABLE, fail, note, progress_bar, say
from api.settings import Settings
from ledger.embedded import EmbeddedPostgres
from ledger.migrate import migrate as migrate_database
from ledger.reader import LedgerReader
from projections.rebuild import RebuildOptions
from projections.rebuild import rebuild as rebuild_views
from projections.runner import Projector
from projections.tracking import install_views

_STOP_SECONDS = 30


def migrate() -> None:
    """Create or update the schema; safe to repeat, and never goes back."""
    database = settings().open_database()
    state = migrate_database(database)
    with database.connect("owner") as connection:
        install_views(connection, database)
    say(f"schema {database.schema} has its {len(state.applied)} migrations")
    for role in state.missing_roles:
        note(f"role {role} is missing and may not be created by this login (see `doctor`)")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8080,
    workers: Annotated[int, typer.Option(min=1, help="API processes; a CPU core each.")] = 1,
) -> None:
    """Serve the API: admission, the sequencer and the projector, until interrupted.

    Stops by itself when somebody else moves the ledger's head.
    """
    from api.serve import serve as run_server  # noqa: PLC0415 - the web stack is slow to import

    raise typer.Exit(run_server(settings(), host=host, port=port, workers=workers))


def projector(
    once: Annotated[
        bool, typer.Option("--once", help="Bring the views up to the newest event, then end.")
    ] = False,
) -> None:
    """Keep the views up to date until interrupted (`serve` starts one by itself)."""
    chosen = settings()
    database = open_database(chosen)
    following = Projector(database, keyring_of(database, chosen))
    if once:
        position = following.catch_up()
        following.close()
        say(f"the views are at position {position}")
        return
    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    following.run(stop)


def rebuild(
    processes: Annotated[
        int,
        typer.Option(min=1, max=64, help="Processes that load; fewer leave more to the server."),
    ] = os.cpu_count() or 1,
) -> None:
    """Build all views anew beside the live ones, then switch to them."""
    chosen = settings()
    database = open_database(chosen)
    keyring = keyring_of(database, chosen)
    with database.connect("owner", name="clinledger-rebuild") as connection:
        size = LedgerReader(connection, database, keyring).head().size
        with progress_bar("rebuilding") as advance:
            options = RebuildOptions(
                progress=lambda position: advance(position + 1, size), processes=processes
            )
            number = rebuild_views(connection, database, keyring, options)
    say(f"views rebuilt from {size} events; generation {number} is in use")


def stop() -> None:
    """Stop the server of this home, if one runs, then its embedded PostgreSQL."""
    chosen = settings()
    stopped = False
    if chosen.server_file.exists():
        stopped = _stop_process(_server_pid(chosen))
        chosen.server_file.unlink(missing_ok=True)
    if chosen.database_url is None:
        stopped = EmbeddedPostgres(chosen.home).stop() or stopped
    note("stopped" if stopped else "nothing was running")


def _server_pid(chosen: Settings) -> int:
    try:
        found: Any = msgspec.json.decode(chosen.server_file.read_bytes())
        return int(found["pid"])
    except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError):
        raise fail(f"{chosen.server_file} is damaged: remove it", UNUSABLE) from None


def _stop_process(pid: int) -> bool:
    if not _is_ours(pid):
        return False  # it has ended, and the number may belong to somebody else by now
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        if not _is_ours(pid):
            return True
        time.sleep(0.05)
    raise fail(f"the server (process {pid}) does not stop", UNUSABLE)


def _is_ours(pid: int) -> bool:
    """Tell whether this process is a running program of ours; one that has ended has no words."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"clinledger" in words or b"api.cli" in words
