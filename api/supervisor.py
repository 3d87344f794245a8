"""Keep a child process running: start it again when it ends, more and more slowly."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import structlog

from ledger.priority import give_way

_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 30.0
_LONG_LIFE_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0


class Child(NamedTuple):
    """A process to be kept running.

    Attributes:
        command: program and arguments.
        pass_fds: file descriptors that it inherits.
        niceness: how far it gives way where others want the processor, 0 to 19.
    """

    command: Sequence[str]
    pass_fds: Sequence[int] = ()
    niceness: int = 0


async def supervise(
    child: Child,
    environment: Mapping[str, str],
    stop: asyncio.Event,
    *,
    fatal_code: int | None = None,
) -> bool:
    """Run a child until told to stop, then stop it.

    Its standard input is a pipe that ends when this process does, by whatever death: a child that
    reads it need not outlive its parent.

    Args:
        child: what to run.
        environment: variables to add to this process's own.
        stop: set when the child shall stop.
        fatal_code: exit code after which starting again would be wrong.

    Returns:
        Whether the child ended with the fatal code.
    """
    log: Any = structlog.get_logger()
    loop = asyncio.get_running_loop()
    pause = _FIRST_PAUSE_SECONDS
    while not stop.is_set():
        started = loop.time()
        process = await asyncio.create_subprocess_exec(
            *child.command,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.PIPE,
            pass_fds=child.pass_fds,
            start_new_session=True,  # a Ctrl-C at the terminal is the parent's to pass on
        )
        if child.niceness:
            give_way(process.pid, child.niceness)
        ended = asyncio.create_task(process.wait())
        await _first(ended, stop)
        if not ended.done():
            await _end(process, ended)
            return False
        if fatal_code is not None and ended.result() == fatal_code:
            return True
        if loop.time() - started > _LONG_LIFE_SECONDS:
            pause = _FIRST_PAUSE_SECONDS
        log.error(
            "a child process ended", command=child.command[-1], code=ended.result(), wait=pause
        )
        await _first(asyncio.create_task(asyncio.sleep(pause)), stop)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    return False


async def _first(task: asyncio.Task[Any], stop: asyncio.Event) -> None:
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()


async def _end(process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(asyncio.shield(ended), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await ended
