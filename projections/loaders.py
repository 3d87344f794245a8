"""Load pages here or in further processes, which end when the process that asked for them does."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final, NamedTuple

import psycopg

from ledger.collector import calm_collector
from ledger.database import Connection, Database
from ledger.errors import CorruptionError, UnavailableError
from projections.loading import Loader, Page

_PAGES_AHEAD: Final = 2


class Target(NamedTuple):
    """Which generation to load, and as of which position."""

    database: Database
    origin: str
    number: int
    up_to: int


class _Fault(NamedTuple):
    """The code and position of a CorruptionError, or what became of the database (no position)."""

    fault: str
    position: int | None


def load_here(connection: Connection, target: Target, pages: Iterable[Page]) -> Iterator[int]:
    """Load page by page over a connection; yield how many events each had.

    Raises:
        CorruptionError: stored events contradict their digests.
    """
    loader = _loader(connection, target)
    for page in pages:
        yield loader.load(page)


def load_in_processes(target: Target, pages: Iterable[Page], *, processes: int) -> Iterator[int]:
    """As `load_here`, in so many processes, each with a connection of its own.

    They are spawned, so the caller's main module must be importable.

    Raises:
        CorruptionError: as `load_here`.
        UnavailableError: a process was ended from outside, or lost the database.
    """
    pool = ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
    )
    running: deque[Future[int | _Fault]] = deque()
    try:
        for page in pages:
            running.append(pool.submit(_load, target, page))
            if len(running) >= _PAGES_AHEAD * processes:
                yield _counted(running.popleft())
        while running:
            yield _counted(running.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _counted(future: Future[int | _Fault]) -> int:
    try:
        result = future.result()
    except BrokenProcessPool:
        raise UnavailableError("a loading process was ended from outside") from None
    if isinstance(result, int):
        return result
    if result.position is None:
        raise UnavailableError(result.fault)
    raise CorruptionError(result.fault, result.position)


def _loader(connection: Connection, target: Target) -> Loader:
    return Loader(
        connection,
        target.database,
        origin=target.origin,
        number=target.number,
        up_to=target.up_to,
    )


# What follows runs in the further processes. Each makes one loader, for its first page.
_loaders: list[Loader] = []


def _begin() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    calm_collector()


def _end_with_parent() -> None:
    # A worker of a pool would wait for ever for a parent that was killed.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _load(target: Target, page: Page) -> int | _Fault:
    try:
        if not _loaders:
            connection = target.database.connect("owner", name="clinledger-rebuild")
            _loaders.append(_loader(connection, target))
        return _loaders[0].load(page)
    except CorruptionError as error:
        return _Fault(error.code, error.position)
    except UnavailableError as error:
        return _Fault(str(error), None)
    except psycopg.Error as error:
        return _Fault(f"the views cannot be written now ({error.sqlstate})", None)
