"""Measure what appends notice of the work that goes on beside them."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Final, LiteralString

from psycopg import conninfo

from ledger.priority import give_way
from tests.benchmarks.appends import Queues, append_all, in_turns, prepare, sequencer_of
from tests.benchmarks.figures import Figures, percentile, say
from tests.benchmarks.site import REPOSITORY, Ground, Site, server_arguments
from tests.benchmarks.workload import CORES

ALONE: Final = "append alone, between those works, p99 ms"
_CALLERS: Final = 64
_SETTLE_SECONDS: Final = 0.3
_START_SECONDS: Final = 1.5
_STATEMENTS: Final[Mapping[str, tuple[LiteralString, ...]]] = {
    "VACUUM (FREEZE)": ("VACUUM (FREEZE) ledger.entry",),
    "ANALYZE": ("ANALYZE ledger.entry", "ANALYZE ledger.sealed"),
    "CREATE INDEX CONCURRENTLY": (
        "CREATE INDEX CONCURRENTLY beside ON ledger.entry (link_salt)",
        "DROP INDEX ledger.beside",
    ),
}
_BASE_BACKUP: Final = "-D - -F tar -X none --checkpoint=fast --max-rate=64M"
_READ: Final = "SELECT * FROM ledger.entry ORDER BY position"


def names() -> list[str]:
    """Return what is done beside appends, in the order of measuring."""
    return [*_STATEMENTS, "a long repeatable-read reader", *_commands_of()]


def measure_beside(site: Site, runner: asyncio.Runner, figures: Figures, *, events: int) -> None:
    """Append by 64 callers alone and beside each work, by turns; add the 99th percentiles.

    Alone means all turns alone together: one of them lasts half a second, in which a single pause
    of the disk decides what the percentile is.
    """
    works = names()
    prepared = prepare(site, site.main, (2 * len(works) + 1) * events, callers=_CALLERS)
    supply = iter(in_turns(prepared, 2 * len(works) + 1))
    runner.run(_measure(site, figures, works, supply))


async def _measure(
    site: Site, figures: Figures, works: Sequence[str], supply: Iterator[Queues]
) -> None:
    alone: list[float] = []
    async with sequencer_of(site.main) as sequencer:
        await append_all(sequencer, next(supply))  # warms up
        for work in works:
            alone += await append_all(sequencer, next(supply))
            with _beside(site, work) as count:
                await asyncio.sleep(_START_SECONDS if work in _commands_of() else _SETTLE_SECONDS)
                beside = await append_all(sequencer, next(supply))
            figures.add(f"append beside {work} p99 ms", 1000 * percentile(beside, 99))
            say(f"    the slowest took {1000 * max(beside):.0f} ms ({count()} times done)")
    figures.add(ALONE, 1000 * percentile(alone, 99))
    say(f"    the slowest took {1000 * max(alone):.0f} ms")


@contextlib.contextmanager
def _beside(site: Site, work: str) -> Generator[Callable[[], int]]:
    """Do something over and over while the block runs; yield how often it was done to its end."""
    if work in _STATEMENTS:
        runs = _statements(site.main, _STATEMENTS[work])
    elif work in _commands_of():
        runs = _command(site, work)
    else:
        runs = _reader(site.main)
    with runs as count:
        yield count


@contextlib.contextmanager
def _looping(once: Callable[[threading.Event], bool]) -> Generator[Callable[[], int]]:
    """Repeat in a thread; `once` tells whether it came to its end, and looks at the event."""
    stop = threading.Event()
    done: list[None] = []
    faults: list[Exception] = []

    def loop() -> None:
        try:
            while not stop.is_set():
                if once(stop):
                    done.append(None)
        except Exception as error:  # noqa: BLE001 - raised again where it is seen
            faults.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield lambda: len(done)
    finally:
        stop.set()
        thread.join()
    if faults:
        raise faults[0]


@contextlib.contextmanager
def _statements(
    ground: Ground, statements: Sequence[LiteralString]
) -> Generator[Callable[[], int]]:
    with ground.database.connect("owner") as connection:
        connection.execute("SET statement_timeout = 0")

        def once(_stop: threading.Event) -> bool:
            for statement in statements:
                connection.execute(statement)
            return True

        with _looping(once) as count:
            yield count


@contextlib.contextmanager
def _reader(ground: Ground) -> Generator[Callable[[], int]]:
    with ground.database.connect("owner") as connection:
        connection.execute("SET idle_in_transaction_session_timeout = 0")

        def once(stop: threading.Event) -> bool:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            with connection.cursor("beside") as cursor:
                cursor.execute(_READ)
                while rows := cursor.fetchmany(1_000):
                    if stop.wait(0.002 if rows else 0):
                        break
            connection.execute("ROLLBACK")
            return not stop.is_set()

        with _looping(once) as count:
            yield count


def _commands_of() -> tuple[str, ...]:
    return ("pg_basebackup", "pg_dump", "clinledger rebuild", "clinledger verify")


def _arguments(site: Site, work: str) -> list[str]:
    program, _, command = work.partition(" ")
    if command == "verify":
        return [sys.executable, "-m", "api.cli.main", "verify", "--processes", str(CORES)]
    if command:
        return [sys.executable, "-m", "api.cli.main", command]
    arguments = [str(site.programs / program), *server_arguments(site.main.url)]
    if program == "pg_basebackup":
        return [*arguments, *_BASE_BACKUP.split()]
    database = str(conninfo.conninfo_to_dict(site.main.url)["dbname"])
    return [*arguments, "--schema=ledger", "--format=custom", database]


@contextlib.contextmanager
def _command(site: Site, work: str) -> Generator[Callable[[], int]]:
    def once(stop: threading.Event) -> bool:
        with subprocess.Popen(  # noqa: S603 - our own programs and PostgreSQL's
            _arguments(site, work),
            env=site.main.environment,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # with its helpers it is ended as a group
        ) as process:
            give_way(process.pid)  # as docs/operations.md says of what runs beside a busy ledger
            while process.poll() is None and not stop.wait(0.02):
                pass
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                return False
            assert process.wait() == 0, f"{work} failed"
            return True

    with _looping(once) as count:
        yield count
