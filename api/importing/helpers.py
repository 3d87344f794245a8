"""Run the examining processes of an import, and ask them in turn."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator
from typing import Final

import msgspec

from api.importing.messages import Examined, Lines
from api.settings import DATABASE_URL_VARIABLE, Settings
from ledger.errors import UnavailableError
from ledger.wire import encode_frame, read_frame

_examined: Final = msgspec.msgpack.Decoder(Examined)


class Helper:
    """One examining process; it answers in the order in which it is asked."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take over a process whose standard input and output are pipes."""
        self._process = process
        self._asking = asyncio.Lock()
        self._reading = asyncio.Lock()

    async def examine(self, lines: Lines) -> Examined:
        """Return what became of the lines.

        Raises:
            UnavailableError: the process has ended.
        """
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None and answers is not None  # noqa: S101, PT018 - both are pipes
        async with self._asking:
            with contextlib.suppress(ConnectionError):  # the answer will be missing as well
                asked.write(encode_frame(lines))
                await asked.drain()
        async with self._reading:
            data = await read_frame(answers)
        if data is None:
            raise UnavailableError("an examining process has ended: repeat the import")
        return _examined.decode(data)

    async def close(self) -> None:
        """End the process, whatever it is doing."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


@contextlib.asynccontextmanager
async def helpers(settings: Settings, url: str, count: int) -> AsyncGenerator[list[Helper]]:
    """Run so many examining processes on the database at this URL."""
    environment = {**os.environ, **settings.environment(), DATABASE_URL_VARIABLE: url}
    running: list[Helper] = []
    try:
        for _ in range(count):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "api.importing.examining"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=environment,
            )
            running.append(Helper(process))
        yield running
    finally:
        for helper in running:
            await helper.close()
