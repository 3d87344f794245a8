"""Load pages here, and in further processes."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import NamedTuple

import psycopg

from ledger.collector import collecting_rarely
from ledger.database import Connection, Database
from ledger.errors import CorruptionError, UnavailableError
from projections.loading import Loader, Page
from projections.pool import share_with_processes


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
    with collecting_rarely():
        for page in pages:
            yield loader.load(page)


def load_in_processes(
    connection: Connection, target: Target, pages: Iterable[Page], *, processes: int
) -> Iterator[int]:
    """As `load_here`, in so many processes, of which this is one.

    The others have connections of their own. The caller's main module must be importable; in the
    second that their start may take, this process loads alone.

    Raises:
        CorruptionError: as `load_here`.
        UnavailableError: a process was ended from outside, or lost the database.
    """
    loader = _loader(connection, target)

    def load(task: tuple[Target, Page]) -> int:
        return loader.load(task[1])

    tasks = ((target, page) for page in pages)
    results = share_with_processes(_load, load, tasks, others=processes - 1, what="loading")
    with collecting_rarely(), closing(results):
        for result in results:
            yield _counted(result)


def _counted(result: int | _Fault) -> int:
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


def _load(task: tuple[Target, Page]) -> int | _Fault:
    target, page = task
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
