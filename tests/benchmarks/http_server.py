"""Serve the ledger's API, or a bare echo, in a process of its own, as `clinledger serve` would.

The projector is left out: it is measured by itself, and two cores hold no more than this.
"""

import asyncio
import gc
import os
import sys
from pathlib import Path
from typing import Any, Final

import uvicorn
import uvloop
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from api.app import create_app
from api.logs import configure_logs
from api.services import build_services
from api.settings import read_settings
from ledger.clock import SystemClock
from ledger.founding import facility_key_path, open_keyring
from ledger.keyring import Keyring, load_facility_key
from ledger.sequencer import Sequencer
from ledger.store import EntryStore

_GC_THRESHOLDS: Final = (100_000, 50, 1_000)
_READER_KEYS: Final = 10_000
_ANSWER: Final = b'{"receipt":"' + b"5a" * 400 + b'"}'  # about as long as a receipt


async def _echo(request: Request) -> Response:
    await request.body()
    return Response(_ANSWER, 201, media_type="application/json")


def _echo_app() -> FastAPI:
    app = FastAPI()
    app.add_route("/v1/events", _echo, methods=["POST"])
    return app


async def _serve(app: Any, socket_path: Path) -> None:  # noqa: ANN401 - an ASGI application
    config = uvicorn.Config(
        app,
        uds=str(socket_path),
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    await uvicorn.Server(config).serve()


async def _serve_ledger(socket_path: Path) -> None:
    settings = read_settings(os.environ)
    database = settings.open_database()
    with database.connect("reader") as connection:
        keyring = open_keyring(EntryStore(connection, database), settings.home)
    clock = SystemClock()
    sequencer = await Sequencer.start(database, keyring, clock=clock, where="a benchmark")
    try:
        services = build_services(
            sequencer,
            database=database,
            new_keyring=lambda: Keyring(
                load_facility_key(facility_key_path(settings.home)),
                keyring.origin,
                capacity=_READER_KEYS,
            ),
            clock=clock,
        )
        try:
            await _serve(create_app(services), socket_path)
        finally:
            services.close()
    finally:
        await sequencer.close()


def main() -> None:
    """Serve `ledger` or `echo` on a Unix socket until SIGTERM."""
    what, path = sys.argv[1], Path(sys.argv[2])
    configure_logs()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve_ledger(path) if what == "ledger" else _serve(_echo_app(), path))


if __name__ == "__main__":
    main()
