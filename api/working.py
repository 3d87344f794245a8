"""Run one API worker of several: `python -m api.working SOCKET LISTENER`.

It accepts on a listening socket that it inherited, shared with the other workers, and hands what
it has admitted to the sequencer's socket.
"""

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any, Final

import structlog
import uvloop

from api.app import create_app
from api.children import stop_event
from api.http_server import HttpServer, http_config, settle
from api.logs import configure_logs, error_fields
from api.nonces import SECRET_BYTES
from api.services import build_services
from api.settings import Settings, read_settings
from ledger.clock import SystemClock
from ledger.errors import LedgerError
from ledger.founding import facility_key_path, open_keyring
from ledger.keyring import Keyring, load_facility_key
from ledger.remote_sequencer import RemoteSequencer
from ledger.store import EntryStore

SECRET_VARIABLE: Final = "CLINLEDGER_WORKER_SECRET"  # noqa: S105 - the name of a variable
_READER_KEYS: Final = 10_000


def main(socket_path: Path, descriptor: int) -> int:
    """Serve until told to stop; return the exit code."""
    configure_logs()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_work(read_settings(os.environ), socket_path, descriptor))
    except LedgerError as error:
        log: Any = structlog.get_logger()
        # The messages of these are our own and name no patient.
        log.critical("a worker stops", detail=str(error), **error_fields(error))
        return 1
    return 0


async def _work(settings: Settings, socket_path: Path, descriptor: int) -> None:
    stop = stop_event()
    database = settings.open_database()
    with database.connect("reader") as connection:
        keyring = open_keyring(EntryStore(connection, database), settings.home)
    connecting = asyncio.create_task(RemoteSequencer.connect(socket_path, database, keyring))
    told = asyncio.create_task(stop.wait())
    await asyncio.wait({connecting, told}, return_when=asyncio.FIRST_COMPLETED)
    if not connecting.done():
        connecting.cancel()
        return
    remote = connecting.result()
    wrapper = load_facility_key(facility_key_path(settings.home))
    services = build_services(
        remote,
        database=database,
        new_keyring=lambda: Keyring(wrapper, keyring.origin, capacity=_READER_KEYS),
        clock=SystemClock(),
        nonce_secret=bytes.fromhex(os.environ[SECRET_VARIABLE])[:SECRET_BYTES],
        checkpoint_status=settings.checkpoint_status,
    )
    server = HttpServer(http_config(create_app(services)))
    serving = asyncio.create_task(server.serve(sockets=[socket.socket(fileno=descriptor)]))
    await server.ready.wait()
    settle()
    await asyncio.wait({told, serving, services.stopped}, return_when=asyncio.FIRST_COMPLETED)
    error = services.stopped.result() if services.stopped.done() else None
    server.should_exit = True
    await serving
    told.cancel()
    services.close()
    await remote.close()
    if error is not None:
        raise error


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
