"""Run the sequencer as a process of its own: `python -m api.sequencing SOCKET WHERE`.

A server with several workers runs two of these. One holds the advisory lock and listens; the
other stands by with everything imported, takes the lock the moment it is free, and listens in its
place. Correctness is the head's compare-and-swap; the lock only elects.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, Final

import structlog
import uvloop

from api.children import stop_event
from api.http_server import settle
from api.logs import configure_logs, error_fields
from api.settings import read_settings
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.errors import LedgerError, SequencerRunningError, UnavailableError
from ledger.founding import open_keyring
from ledger.keyring import Keyring
from ledger.sequencer import Sequencer
from ledger.sequencer_service import SequencerService
from ledger.store import EntryStore

DAMAGED: Final = 1
"""Exit code when the ledger's integrity forbids going on: nobody may take this one's place."""

_STAND_BY_SECONDS: Final = 0.05


def main(socket_path: Path, where: str) -> int:
    """Sequence until told to stop; return the exit code."""
    configure_logs()
    log: Any = structlog.get_logger()
    try:
        settings = read_settings(os.environ)
        database = settings.open_database()
        with database.connect("reader") as connection:
            keyring = open_keyring(EntryStore(connection, database), settings.home)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_sequence(database, keyring, socket_path, where))
    except LedgerError as error:
        # The messages of these are our own and name no patient.
        log.critical("the sequencer stops", detail=str(error), **error_fields(error))
        return DAMAGED
    return 0


async def _sequence(database: Database, keyring: Keyring, path: Path, where: str) -> None:
    stop = stop_event()
    sequencer = await _elected(database, keyring, where, stop)
    if sequencer is None:
        return
    service = SequencerService(sequencer)
    await service.listen(path)
    settle()
    log: Any = structlog.get_logger()
    log.info("sequencing", origin=sequencer.origin, size=sequencer.head.size)
    told = asyncio.create_task(stop.wait())
    stopped = asyncio.create_task(sequencer.wait_stopped())
    await asyncio.wait({told, stopped}, return_when=asyncio.FIRST_COMPLETED)
    error = stopped.result() if stopped.done() else None
    await service.close()
    await sequencer.close()
    told.cancel()
    if error is not None:
        raise error


async def _elected(
    database: Database, keyring: Keyring, where: str, stop: asyncio.Event
) -> Sequencer | None:
    """Stand by until this process is the sequencer, or told to stop."""
    while not stop.is_set():
        try:
            return await Sequencer.start(
                database, keyring, clock=SystemClock(), where=where, tries=1
            )
        except (SequencerRunningError, UnavailableError):
            await asyncio.sleep(_STAND_BY_SECONDS)
    return None


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
