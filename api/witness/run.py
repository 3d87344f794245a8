"""Run a witness as a process, until it is told to stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from typing_extensions import override

from api.logs import configure_logs
from api.witness.config import build_witness, read_config
from api.witness.server import LogWatch, create_witness_app
from ledger.clock import SystemClock
from ledger.errors import EnvironmentRefusedError

_GRACE_SECONDS: Final = 5
_KEEP_ALIVE_SECONDS: Final = 75


def serve_witness(path: Path, *, on_ready: Callable[[str], None]) -> None:
    """Serve the witness of a configuration file until SIGTERM or SIGINT.

    Args:
        path: the configuration file.
        on_ready: called with the URL (submission and monitoring prefix) once it listens.

    Raises:
        EnvironmentRefusedError: configuration, keys, state or address cannot be used.
    """
    config = read_config(path)
    configure_logs()
    witness = build_witness(path, config, clock=SystemClock(), watch=LogWatch())
    app = create_witness_app(witness, prefix=config.prefix)
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        listener = socket.create_server((config.host, config.port), family=family)
    except OSError as error:
        raise EnvironmentRefusedError(
            f"cannot listen on {config.host} port {config.port}: {error.strerror}"
        ) from None
    host = f"[{config.host}]" if ":" in config.host else config.host
    url = f"http://{host}:{listener.getsockname()[1]}{config.prefix}"
    with listener:
        asyncio.run(_serve(app, listener, lambda: on_ready(url)))


async def _serve(app: Starlette, listener: socket.socket, ready: Callable[[], None]) -> None:
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        ),
        ready,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it listens and leaves signals to us."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    def stop(self) -> None:
        """End after the requests under way."""
        self.should_exit = True

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
