"""Import a file of signed events: read, examine in processes, sequence in the file's order."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import IO, Final

import msgspec

from api.http_server import settle
from api.importing.appending import Appender, Sink
from api.importing.examining import Result
from api.importing.helpers import Helper, helpers
from api.importing.lines import Chunk, read_chunks
from api.importing.messages import Lines, Refused
from api.settings import Settings
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.founding import open_keyring
from ledger.sequencer import Sequencer
from ledger.store import EntryStore

_CHUNKS_AHEAD: Final = 3


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """What to import, and how.

    Attributes:
        file: lines, each the body of `POST /v1/events`.
        processes: that examine.
        on_progress: told how many bytes of the file are done.
    """

    file: IO[bytes]
    processes: int
    on_progress: Callable[[int], None] = lambda _: None


async def run_import(settings: Settings, database: Database, what: Import, sink: Sink) -> int:
    """Import everything, being the ledger's sequencer meanwhile; return the ledger's size.

    Safe to repeat: what is in the ledger already is recognised and not added again.

    Raises:
        EnvironmentRefusedError: there is no ledger, or another process writes; it is named.
        UnavailableError: the database does not answer, or a helping process was ended.
    """
    with database.connect("reader") as connection:
        keyring = open_keyring(EntryStore(connection, database), settings.home)
    where = f"import in {settings.home}"
    sequencer = await Sequencer.start(database, keyring, clock=SystemClock(), where=where)
    settle()
    try:
        async with helpers(settings, database.url, what.processes) as running:
            await _Run(sequencer, running, what).run(Appender(sequencer, sink))
        return sequencer.head.size
    finally:
        await sequencer.close()


class _Run:
    def __init__(self, sequencer: Sequencer, running: Sequence[Helper], what: Import) -> None:
        self._running = running
        self._what = what
        self._directory = 0
        self._ahead: deque[tuple[Chunk, asyncio.Task[list[Result]]]] = deque()
        sequencer.watch(self._committed)

    async def run(self, appender: Appender) -> None:
        chunks = read_chunks(self._what.file)
        asked = 0
        try:
            # Reading may block, for as long as whoever writes the other end of a pipe likes.
            while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
                helper = self._running[asked % len(self._running)]
                asked += 1
                self._ahead.append((chunk, asyncio.create_task(self._examine(helper, chunk))))
                if len(self._ahead) >= _CHUNKS_AHEAD * len(self._running):
                    await self._append(appender)
            while self._ahead:
                await self._append(appender)
            await appender.finish()
        finally:
            for _, task in self._ahead:
                task.cancel()
            await asyncio.gather(*(task for _, task in self._ahead), return_exceptions=True)
            appender.close()

    async def _append(self, appender: Appender) -> None:
        chunk, task = self._ahead.popleft()
        await appender.append(chunk, await task)
        self._what.on_progress(chunk.end)

    async def _examine(self, helper: Helper, chunk: Chunk) -> list[Result]:
        lines = [line for line in chunk.lines if line is not None]
        found = await helper.examine(Lines(directory=self._directory, lines=lines))
        results = iter(found.results)
        return [
            Refused(code="body-too-large") if line is None else next(results)
            for line in chunk.lines
        ]

    def _committed(self, directory_changed: bool) -> None:
        if directory_changed:
            self._directory += 1
