"""Share work among further processes, which end when the process that asked for them does."""

import contextlib
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
from ledger.priority import work_in_background

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
    with _pool(processes, what) as pool:
        running: deque[Future[ResultT]] = deque()
        for task in tasks:
            running.append(pool.submit(do, task))
            if len(running) >= _AHEAD * processes:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def share_with_processes(
    do: Callable[[TaskT], ResultT],
    here: Callable[[TaskT], ResultT],
    tasks: Iterable[TaskT],
    *,
    others: int,
    what: str,
) -> Generator[ResultT]:
    """Do every task, in this process or in one of so many others; yield the results as they come.

    A process more would cost as much to start as thousands of events cost to fold, and this one
    would only wait; until the others have begun, it does all tasks but a few.

    Args:
        do: as for `map_in_processes`.
        here: the same for this process.
        tasks: as for `map_in_processes`.
        others: how many, at least one.
        what: of a process, for the error.

    Raises:
        UnavailableError: a process was ended from outside.
    """
    with _pool(others, what) as pool:
        running: deque[Future[ResultT]] = deque()
        for task in tasks:
            while running and running[0].done():
                yield running.popleft().result()
            if len(running) < _AHEAD * others:
                running.append(pool.submit(do, task))
            else:
                yield here(task)
        while running:
            yield running.popleft().result()


@contextlib.contextmanager
def _pool(processes: int, what: str) -> Generator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(
        processes,
        mp_context=process_context(),
        initializer=_begin,
    )
    try:
        yield pool
    except BrokenProcessPool:
        raise UnavailableError(f"a {what} process was ended from outside") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work_in_background()
    calm_collector()


def _end_with_parent() -> None:
    # A worker of a pool would wait for ever for a parent that was killed.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
