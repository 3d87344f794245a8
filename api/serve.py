"""Run the server: one process with the API and the sequencer, and a projector beside it.

It ends by SIGTERM or SIGINT (exit 0), when the ledger's integrity forbids going on (exit 1), or
when the surroundings do not allow it to start (exit 2).
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator
from typing import Any, Final

import msgspec
import structlog
import uvloop

from api.app import create_app
from api.children import background_children
from api.http_server import HttpServer, http_config, settle
from api.logs import configure_logs
from api.many_workers import ManyWorkers
from api.services import Services, build_services
from api.settings import Settings
from api.supervisor import supervise
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.errors import (
    CorruptionError,
    EnvironmentRefusedError,
    LedgerError,
    UnavailableError,
)
from ledger.founding import facility_key_path, open_keyring
from ledger.keyring import Keyring, load_facility_key
from ledger.migrate import migration_state
from ledger.sequencer import Sequencer
from ledger.store import EntryStore
from ledger.writer import Writer

STOPPED: Final = 0
REFUSED: Final = 1
UNUSABLE: Final = 2
_READER_KEYS: Final = 10_000
_LOCK_TRIES: Final = 30
_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


class ServerFile(msgspec.Struct, frozen=True, kw_only=True):
    """What `<home>/server.json` says of the running server, for commands that look for it."""

    url: str
    pid: int
    schema: str


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    workers: int = 1,
    on_ready: Callable[[str], None] | None = None,
) -> int:
    """Serve until told to stop; return the process's exit code.

    Args:
        settings: where the ledger is.
        host: address to listen on.
        port: TCP port; 0 takes a free one, told in `<home>/server.json`.
        workers: API processes; with more than one the sequencer has a process of its own.
        on_ready: called with the URL once the server listens.
    """
    configure_logs()
    try:
        database = settings.open_database()
        _check(database)
        with database.connect("reader") as connection:
            keyring = open_keyring(EntryStore(connection, database), settings.home)
        with _listening(host, port) as listener:
            url = _url(host, listener.getsockname()[1])
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                if workers > 1:
                    return runner.run(
                        _serve_many(settings, database, listener, url, workers, on_ready)
                    )
                serving = _Serving(settings, database, url=url, on_ready=on_ready)
                return runner.run(serving.run(keyring, listener))
    except (EnvironmentRefusedError, UnavailableError) as error:
        _tell(str(error))
        return UNUSABLE
    except CorruptionError as error:
        _tell(f"the ledger is damaged: {error}; run `clinledger verify`")
        return REFUSED


async def _serve_many(  # noqa: PLR0913, PLR0917 - what `serve` was given
    settings: Settings,
    database: Database,
    listener: socket.socket,
    url: str,
    workers: int,
    on_ready: Callable[[str], None] | None,
) -> int:
    """Serve with several workers until there is a reason to stop; return the exit code."""
    log: Any = structlog.get_logger()
    probe = Writer(database, name=f"clinledger-sequencer {url}")
    await probe.connect(tries=_LOCK_TRIES)  # refuses, naming it, when another server runs
    await probe.close()
    many = ManyWorkers(settings, url=url, workers=workers)
    try:
        await many.start(listener)
        with _announced(settings, url):
            log.info("serving", url=url, workers=workers)
            if on_ready is not None:
                on_ready(url)
            damaged = await many.run()
    except UnavailableError:
        await many.run()
        raise
    log.info("stopped", damaged=damaged)
    return REFUSED if damaged else STOPPED


class _Serving:
    """One run of the server: its parts are started, and stopped in reverse order.

    A crash at any point leaves nothing half-done: what was acknowledged is committed, the lock
    goes with its connection, the projector notices that its parent is gone.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        url: str,
        on_ready: Callable[[str], None] | None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._url = url
        self._on_ready = on_ready
        self._log: Any = structlog.get_logger()

    async def run(self, keyring: Keyring, listener: socket.socket) -> int:
        """Serve on a listening socket until there is a reason to stop; return the exit code."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        clock = SystemClock()
        sequencer = await Sequencer.start(self._database, keyring, clock=clock, where=self._url)
        try:
            services = build_services(
                sequencer,
                database=self._database,
                new_keyring=self._keyrings(keyring.origin),
                clock=clock,
                checkpoint_status=self._settings.checkpoint_status,
            )
            try:
                reason = await self._serve(services, listener, stop)
            finally:
                services.close()
        finally:
            await sequencer.close()
        return self._exit_code(reason)

    async def _serve(
        self, services: Services, listener: socket.socket, stop: asyncio.Event
    ) -> LedgerError | None:
        """Run API and projector until told to stop, or until the sequencer stops and says why."""
        server = HttpServer(http_config(create_app(services)))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        environment = self._settings.environment()
        children = [
            asyncio.create_task(supervise(child, environment, stop), name=child.command[-1])
            for child in background_children(self._settings)
        ]
        await server.ready.wait()
        with _announced(self._settings, self._url):
            settle()
            size = services.sequencer.head.size
            self._log.info("serving", url=self._url, origin=services.origin, size=size)
            if self._on_ready is not None:
                self._on_ready(self._url)
            told = asyncio.create_task(stop.wait())
            ends = {told, services.stopped, serving}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            reason = services.stopped.result() if services.stopped.done() else None
            stop.set()
            server.should_exit = True
            await asyncio.gather(serving, told)
            await asyncio.gather(*children)
        return reason

    def _keyrings(self, origin: str) -> Callable[[], Keyring]:
        wrapper = load_facility_key(facility_key_path(self._settings.home))
        return lambda: Keyring(wrapper, origin, capacity=_READER_KEYS)

    def _exit_code(self, reason: LedgerError | None) -> int:
        if reason is None:
            self._log.info("stopped")
            return STOPPED
        self._log.critical("the sequencer stopped: verify first", detail=str(reason))
        return REFUSED


def _check(database: Database) -> None:
    if migration_state(database).pending:
        raise EnvironmentRefusedError("the schema is not up to date: run `clinledger migrate`")


@contextlib.contextmanager
def _listening(host: str, port: int) -> Generator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise EnvironmentRefusedError(
            f"cannot listen on {host} port {port}: {error.strerror}"
        ) from error
    with listener:
        yield listener


@contextlib.contextmanager
def _announced(settings: Settings, url: str) -> Generator[None]:
    """Say in a file how to reach this server, as long as it runs."""
    path = settings.server_file
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    file = ServerFile(url=url, pid=os.getpid(), schema=settings.schema)
    aside.write_bytes(msgspec.json.encode(file))
    aside.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _url(host: str, port: int) -> str:
    name = _ANY_ADDRESS.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _tell(message: str) -> None:
    sys.stderr.write(f"clinledger: {message}\n")
