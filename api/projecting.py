"""Run the projector as a child of the server: `python -m api.projecting`.

It stops when its standard input ends, so that none is left behind by a server that was killed.
"""

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

import structlog

from api.logs import configure_logs, error_fields
from api.settings import read_settings
from ledger.collector import calm_collector
from ledger.errors import LedgerError
from ledger.founding import open_keyring
from ledger.store import EntryStore
from projections.errors import ProjectionError
from projections.runner import Projector


def main() -> int:
    """Keep the views up to date until told to stop; return the exit code."""
    configure_logs()
    log: Any = structlog.get_logger()
    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, request_stop)
    threading.Thread(target=_watch_parent, args=(stop,), daemon=True).start()
    try:
        settings = read_settings(os.environ)
        database = settings.open_database()
        with database.connect("reader") as connection:
            keyring = open_keyring(EntryStore(connection, database), settings.home)
        calm_collector()
        Projector(database, keyring).run(stop)
    except (LedgerError, ProjectionError) as error:
        # The messages of these are our own and name no patient.
        log.critical("the projector stops", detail=str(error), **error_fields(error))
        return 1
    return 0


def _watch_parent(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
