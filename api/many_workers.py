"""Serve with several API workers: two candidates for sequencer, a projector, and the workers.

All are children of this process, started again when they die, and gone when it does. A dead
sequencer is replaced by the one that stands by; clients see retries, never loss or duplicates.
"""

import asyncio
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import httpx2

from api.children import background_children
from api.nonces import SECRET_BYTES
from api.sequencing import DAMAGED
from api.settings import Settings
from api.supervisor import Child, supervise
from api.working import SECRET_VARIABLE
from ledger.errors import UnavailableError

_CANDIDATES: Final = 2
_READY_SECONDS: Final = 60.0
_ASK_EVERY_SECONDS: Final = 0.1


class ManyWorkers:
    """One run of a server with several workers."""

    def __init__(self, settings: Settings, *, url: str, workers: int) -> None:
        """Prepare to serve at `url` with so many workers."""
        self._settings = settings
        self._url = url
        self._workers = workers
        self._stop = asyncio.Event()
        self._damaged = False
        # Of its own, because the path of a Unix socket is short and a home's may be long.
        self._folder = Path(tempfile.mkdtemp(prefix="clinledger-"))
        self._children: list[asyncio.Task[Any]] = []

    async def start(self, listener: socket.socket) -> None:
        """Start all children; return when a worker answers.

        Raises:
            UnavailableError: none does.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        environment = self._settings.environment()
        path = str(self._folder / "sequencer.sock")
        sequencing = Child([sys.executable, "-m", "api.sequencing", path, self._url])
        for _ in range(_CANDIDATES):
            self._child(self._sequencer(sequencing, environment))
        for child in background_children(self._settings):
            self._child(supervise(child, environment, self._stop))
        secret = {SECRET_VARIABLE: secrets.token_bytes(SECRET_BYTES).hex()}
        descriptor = listener.fileno()
        working = Child(
            [sys.executable, "-m", "api.working", path, str(descriptor)], pass_fds=[descriptor]
        )
        for _ in range(self._workers):
            self._child(supervise(working, environment | secret, self._stop))
        await self._until_ready()

    async def run(self) -> bool:
        """Wait until told to stop, or until the sequencer says that the ledger is damaged.

        Returns whether it was damaged. All children have ended on return.
        """
        await self._stop.wait()
        await asyncio.gather(*self._children)
        shutil.rmtree(self._folder, ignore_errors=True)
        return self._damaged

    def _child(self, supervising: Coroutine[Any, Any, Any]) -> None:
        self._children.append(asyncio.create_task(supervising))

    async def _sequencer(self, child: Child, environment: dict[str, str]) -> None:
        if await supervise(child, environment, self._stop, fatal_code=DAMAGED):
            self._damaged = True
            self._stop.set()

    async def _until_ready(self) -> None:
        deadline = asyncio.get_running_loop().time() + _READY_SECONDS
        async with httpx2.AsyncClient(base_url=self._url, timeout=5) as client:
            while not self._stop.is_set():
                try:
                    if (await client.get("/healthz")).is_success:
                        return
                except httpx2.TransportError:
                    pass  # not yet
                if asyncio.get_running_loop().time() > deadline:
                    self._stop.set()
                    raise UnavailableError("no worker answers")
                await asyncio.sleep(_ASK_EVERY_SECONDS)
