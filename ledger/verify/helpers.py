"""Let the tasks of a verification be done: in this process, or by others that it starts.

A signature takes longer than everything else about an event together, and neither library nor
interpreter lets threads share the work (measured, facts/tamper_evidence.md §5.2).
"""

import signal
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Final, Protocol, TypeVar, cast

import msgspec

from ledger.collector import calm_collector
from ledger.database import Database
from ledger.errors import EnvironmentRefusedError, UnavailableError
from ledger.further_processes import process_context
from ledger.priority import work_in_background
from ledger.verify.snapshot import open_snapshot
from ledger.verify.tasks import Done, Job, Known, Task
from ledger.verify.worker import Worker

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

_AHEAD: Final = 2
D = TypeVar("D", bound=Done)


class Helpers(Protocol):
    """Those who do tasks."""

    def tell(self, known: Known) -> None:
        """Let everybody know something before the next task."""
        ...

    def map(self, tasks: Iterable[Task], kind: type[D]) -> Iterator[D]:
        """Let tasks be done; return what they found, of one kind, in the order of the tasks."""
        ...

    def close(self) -> None:
        """Send everybody home, whatever they are doing."""
        ...


class Alone(Helpers):
    """Does every task at once, in this process."""

    def __init__(self, worker: Worker) -> None:
        """Let `worker` do it."""
        self._worker = worker

    def tell(self, known: Known) -> None:
        """Let the worker know."""
        self._worker.do(known)

    def map(self, tasks: Iterable[Task], kind: type[D]) -> Iterator[D]:
        """Do the tasks one by one."""
        for task in tasks:
            yield _of_kind(self._worker.do(task), kind)

    def close(self) -> None:
        """Do nothing."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Where a verifying process reads: the database, the moment, and whether keys as well."""

    url: str
    schema: str
    exported: str
    with_keys: bool


class Processes(Helpers):
    """Processes of their own, with a connection each, that see one moment."""

    def __init__(self, job: Job, moment: Moment, *, count: int) -> None:
        """Start `count` processes."""
        context = process_context()
        self._pipes: list[Connection] = []
        self._processes: list[ForkServerProcess] = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(job, moment, theirs), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def tell(self, known: Known) -> None:
        """Send it to every process; they read it in their turn."""
        for pipe in self._pipes:
            self._send(pipe, known)
        for pipe in self._pipes:
            self._receive(pipe)

    def map(self, tasks: Iterable[Task], kind: type[D]) -> Iterator[D]:
        """Give each process a task whenever it has less than two."""
        supply = enumerate(tasks)
        waiting: dict[Connection, deque[int]] = {pipe: deque() for pipe in self._pipes}
        done: dict[int, Done] = {}
        wanted = 0
        for _ in range(_AHEAD):
            for pipe in self._pipes:
                self._give(pipe, supply, waiting)
        while any(waiting.values()):
            for pipe in wait([pipe for pipe, numbers in waiting.items() if numbers]):
                found = cast("Connection", pipe)
                done[waiting[found].popleft()] = self._receive(found)
                self._give(found, supply, waiting)
            while wanted in done:
                yield _of_kind(done.pop(wanted), kind)
                wanted += 1

    def close(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.terminate()
            process.join()

    def _give(
        self,
        pipe: Connection,
        supply: Iterator[tuple[int, Task]],
        waiting: dict[Connection, deque[int]],
    ) -> None:
        given = next(supply, None)
        if given is not None:
            self._send(pipe, given[1])
            waiting[pipe].append(given[0])

    def _send(self, pipe: Connection, task: Task) -> None:
        try:
            pipe.send(task)
        except OSError:
            self._receive(pipe)  # which may tell why
            raise _gone() from None

    def _receive(self, pipe: Connection) -> Done:
        try:
            answer = pipe.recv()
        except (EOFError, OSError):
            raise _gone() from None
        if isinstance(answer, Failure):
            raise answer.error()
        return cast("Done", answer)


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a process could not do a task.

    Attributes:
        fate: which error it was.
        text: its words, or where it happened; never of the ledger's content.
    """

    fate: str
    text: str

    def error(self) -> Exception:
        """Return the error to raise here."""
        match self.fate:
            case "unavailable":
                return UnavailableError(self.text)
            case "refused":
                return EnvironmentRefusedError(self.text)
            case _:
                return RuntimeError(f"a verifying process failed: {self.text}")


def _serve(job: Job, moment: Moment, pipe: Connection) -> None:
    """Do tasks until the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    work_in_background()
    calm_collector()
    try:
        _work(job, moment, pipe)
    except EOFError:
        return
    except UnavailableError as error:
        _tell(pipe, Failure(fate="unavailable", text=str(error)))
    except EnvironmentRefusedError as error:
        _tell(pipe, Failure(fate="refused", text=str(error)))
    except Exception as error:  # noqa: BLE001 - told to the parent, which raises it
        # Its own words may quote a row; where it happened may not.
        where = "".join(traceback.format_tb(error.__traceback__))
        _tell(pipe, Failure(fate="failed", text=f"{type(error).__name__}\n{where}"))


def _tell(pipe: Connection, failure: Failure) -> None:
    with suppress(OSError):  # whoever asked may be gone, and that is what failed
        pipe.send(failure)


def _work(job: Job, moment: Moment, pipe: Connection) -> None:
    database = Database(moment.url, moment.schema)
    with open_snapshot(database, with_keys=moment.with_keys, exported=moment.exported) as snapshot:
        worker = Worker(job, snapshot)
        while True:
            pipe.send(worker.do(pipe.recv()))


def _gone() -> UnavailableError:
    return UnavailableError("a verifying process was ended from outside")


def _of_kind(found: Done, kind: type[D]) -> D:
    if not isinstance(found, kind):
        raise TypeError(f"a task returned {type(found).__name__}")
    return found
