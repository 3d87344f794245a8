"""Serve an ASGI application with uvicorn, under our own signals and with a calm collector."""

import asyncio
import contextlib
import gc
import socket
from collections.abc import Generator
from typing import Any, Final

import uvicorn
from typing_extensions import override

from ledger.collector import calm_collector

_GRACE_SECONDS: Final = 10
_KEEP_ALIVE_SECONDS: Final = 75


def settle() -> None:
    """Collect what start-up left behind, the last time for long."""
    gc.collect()
    calm_collector()


class HttpServer(uvicorn.Server):
    """uvicorn's server, which says when it listens and leaves signals to us.

    Its own handling would raise the signal again at the end, before the sequencer has closed.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def http_config(app: Any) -> uvicorn.Config:  # noqa: ANN401 - an ASGI application
    """Return how to serve the application: httptools, no access log, nothing told of ourselves."""
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
