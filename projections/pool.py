"""Share work among further processes, which end when the process that asked for them does."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final, TypeVar

from ledger.collector import calm_collector
from ledger.errors import UnavailableError
from ledger.further_processes import process_context

_AHEAD: Final = 2
TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")


def map_in_processes(
    do: Callable[[TaskT], ResultT], tasks: Iterable[TaskT], *, processes: int, what: str
) -> Generator[ResultT]:
    """Do every task in one of so many processes; yield the results in the order of the tasks.

    The caller's main module must be importable. The processes end when the generator is closed.
    Tasks are taken only as they are needed.

    Args:
        do: a function of a module.
        tasks: what it is called with; can be pickled, as can the results.
        processes: how many.
        what: of a process, for the error.

    Raises:
        UnavailableError: a process was ended from outside.
    """
    pool = ProcessPoolExecutor(
        processes,
        mp_context=process_context(),
        initializer=_begin,
    )
    running: deque[Future[ResultT]] = deque()
    try:
        for task in tasks:
            running.append(pool.submit(do, task))
            if len(running) >= _AHEAD * processes:
                yield _result(running.popleft(), what)
        while running:
            yield _result(running.popleft(), what)
    finally:
        pool.shutdown(cancel_futures=True)


def _result(future: Future[ResultT], what: str) -> ResultT:
    try:
        return future.result()
    except BrokenProcessPool:
        raise UnavailableError(f"a {what} process was ended from outside") from None


def _begin() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    calm_collector()


def _end_with_parent() -> None:
    # A worker of a pool would wait for ever for a parent that was killed.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
