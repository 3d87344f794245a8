"""Append admitted events: one sequencer per ledger, the only writer (ARCHITECTURE §5.4).

Batching is natural: whatever arrives while a commit is in flight is decided meanwhile, on top of
it, and becomes the next batch; there is no timer. Each batch is one statement, one fsync, one
NOTIFY, and is acknowledged only after COMMIT. When a commit fails, what was decided on top of it
is decided anew. Two sequencers cannot both write: an advisory lock keeps a second one from
starting, and the head's compare-and-swap stops it if the lock ever failed.
"""

import asyncio
import logging
import time
import traceback
from collections.abc import Callable
from typing import Final, Self

from ledger.clock import Clock
from ledger.database import Database
from ledger.errors import CorruptionError, LedgerError, UnavailableError
from ledger.keyring import Keyring
from ledger.lookup import Lookup
from ledger.memory import Memory, partition_is_due
from ledger.plan import Pace, Plan
from ledger.rows import Head, Outcome
from ledger.state import DirectoryState
from ledger.store import PARTITION_SPAN
from ledger.submission import Submission
from ledger.waiting import Waiting, answer, refuse, without_taken_ids
from ledger.writer import EventIdTakenError, Writer

MAX_BATCH: Final = 1_000
MAX_WAITING: Final = 10_000
CONNECT_TRIES: Final = 30

_log = logging.getLogger("clinledger.sequencer")


class Sequencer:
    """Decides, orders and commits submissions; lives in one event loop."""

    def __init__(self, database: Database, keyring: Keyring, *, clock: Clock, where: str) -> None:
        """Prepare; `start` connects, takes the lock and loads the ledger's state."""
        name = f"clinledger-sequencer {where}"[:63]
        self.keyring = keyring
        self._writer = Writer(database, name=name)
        self.lookup = Lookup(database, keyring, name=name)
        self._memory = Memory(clock)
        self._pace = Pace()
        self._stale = True
        self._waiting: list[Waiting] = []
        self._again: list[Waiting] = []  # of a batch that could not be committed as it was
        self._next: Plan | None = None
        self._committing: Plan | None = None
        self._wake = asyncio.Event()
        self._stopped: asyncio.Future[LedgerError] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        self._watchers: list[Callable[[bool], None]] = []

    @classmethod
    async def start(
        cls,
        database: Database,
        keyring: Keyring,
        *,
        clock: Clock,
        where: str,
        tries: int = CONNECT_TRIES,
    ) -> Self:
        """Become the ledger's sequencer.

        Args:
            database: migrated, and holding a ledger of the keyring's origin.
            keyring: seals and opens what the rules must read.
            clock: stamps received_at, never backwards.
            where: tells people who ask another command where this one runs.
            tries: how often to try to take the lock, ten times a second.

        Raises:
            EnvironmentRefusedError: when another sequencer runs (it is named), or the server
                would not keep what it acknowledges.
            CorruptionError: when the head or the directory is damaged.
            UnavailableError: when the server does not answer.
        """
        sequencer = cls(database, keyring, clock=clock, where=where)
        try:
            await sequencer._load(tries=tries)
        except BaseException:
            await sequencer.close()
            raise
        sequencer._task = asyncio.create_task(sequencer._run(), name="sequencer")
        return sequencer

    @property
    def origin(self) -> str:
        """The ledger's origin."""
        return self.keyring.origin

    @property
    def head(self) -> Head:
        """The committed head."""
        return self._memory.head

    @property
    def directory(self) -> DirectoryState:
        """The keys, staff and roles as of the last decision (a batch or two after the head)."""
        return self._memory.cache.directory

    @property
    def waiting(self) -> int:
        """How many submissions wait for the next batch."""
        return len(self._waiting)

    async def submit(self, submission: Submission) -> Outcome:
        """Append one admitted event; durable on return.

        Idempotent: the same statement again returns the first receipt. If the caller stops
        waiting, the event may still be appended; asking again tells.

        Raises:
            RejectedError: when the rules refuse it; nothing was stored.
            UnavailableError: when too many wait already, or the database does not answer.
        """
        return await self.enqueue(submission)

    def enqueue(self, submission: Submission) -> asyncio.Future[Outcome]:
        """Take a submission in and return its answer to come; see `submit`.

        Raises:
            UnavailableError: when too many wait already, or the sequencer has stopped.
        """
        if self._stopped.done():
            raise _stopped()
        if len(self._waiting) >= MAX_WAITING:
            raise UnavailableError("too many submissions are waiting", retry_after_seconds=1)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(submission=submission, answer=answer))
        self._wake.set()
        return answer

    def watch(self, committed: Callable[[bool], None]) -> None:
        """Have a function called after each commit, before its submissions are answered.

        It is told whether the directory may have changed. It must not block.
        """
        self._watchers.append(committed)

    async def wait_stopped(self) -> LedgerError:
        """Wait until the sequencer stops for good and return why."""
        return await asyncio.shield(self._stopped)

    async def close(self) -> None:
        """Finish the batch in flight, refuse what still waits, release the lock."""
        if not self._stopped.done():
            self._stopped.set_result(UnavailableError("the sequencer is closing"))
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._writer.close()
        await self.lookup.close()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as commits:
            while not self._stopped.done():
                await self._wake.wait()
                self._wake.clear()
                await self._work(commits)
        self._decide_anew()
        refuse(self._waiting, _stopped())
        self._waiting = []

    async def _work(self, commits: asyncio.TaskGroup) -> None:
        """Decide and commit until nothing waits, or what waits must wait for a commit."""
        while not self._stopped.done():
            if self._stale:
                self._decide_anew()
            if self._next is not None and self._committing is None:
                self._committing, self._next = self._next, None
                commits.create_task(self._commit_or_stop(self._committing))
            elif items := self._take():
                await self._decide_or_stop(items)
                plans = [plan for plan in (self._committing, self._next) if plan is not None]
                self._memory.trim(on_the_way=sum(len(plan.items) for plan in plans))
            else:
                return
            if self._committing is not None:
                await asyncio.sleep(0)  # sent before more are decided; or done: they follow at once

    def _take(self) -> list[Waiting]:
        count = min(len(self._waiting), MAX_BATCH - (len(self._next.items) if self._next else 0))
        count = self._pace.portion(count, committing=self._committing is not None)
        taken = self._waiting[:count]
        del self._waiting[:count]
        return taken

    def _decide_anew(self) -> None:
        """Put back what was decided on top of a batch that is not in the ledger."""
        void = [] if self._next is None else self._next.items
        self._waiting = [i for i in (*self._again, *void) if not i.answer.done()] + self._waiting
        self._again, self._next = [], None

    async def _decide_or_stop(self, items: list[Waiting]) -> None:
        try:
            await self._decide(items)
        except UnavailableError as error:
            refuse(items, error)
        except Exception as error:  # noqa: BLE001 - `_fail` tells them apart
            refuse(items, self._fail(error))

    async def _decide(self, items: list[Waiting]) -> None:
        """Load what the decisions need, and decide in order, into the next batch."""
        memory = self._memory
        if self._stale:
            await self._load(tries=CONNECT_TRIES)
        await memory.prepare([item.submission for item in items], self.lookup)
        if self._stale:  # the commit in flight failed meanwhile
            self._waiting = items + self._waiting
            return
        plan = self._next = self._next or Plan(
            batch=memory.batch(on=None if self._committing is None else self._committing.batch)
        )
        plan.decide(items, self._pace)

    async def _load(self, *, tries: int) -> None:
        """Take the head and the directory from the ledger itself, forgetting what was in memory."""
        head = await self._writer.connect(tries=tries)
        await self._memory.load(head, self.lookup)
        self._stale = False
        for committed in self._watchers:
            committed(True)

    async def _commit_or_stop(self, plan: Plan) -> None:
        try:
            committed = await self._commit(plan)
        except UnavailableError as error:
            self._stale = True
            refuse(plan.items, error)
            committed = False
        except Exception as error:  # noqa: BLE001 - `_fail` tells them apart
            refuse(plan.items, self._fail(error))
            committed = False
        self._committing = None  # the next commit need not wait for these answers
        self._wake.set()
        if committed:
            await self._answer_or_stop(plan)

    async def _commit(self, plan: Plan) -> bool:
        """Commit a batch; return False when it must be decided anew.

        A crash before COMMIT leaves nothing of the batch, a crash after leaves all of it,
        unacknowledged, and a retry finds it.
        """
        batch = plan.batch
        if not batch.entries:
            return True
        new = batch.head()
        started = time.perf_counter()
        try:
            await self._writer.append(batch.old, new, batch.entries, batch.tiles)
        except EventIdTakenError:
            self._again = await without_taken_ids(plan.items, self.lookup)
            self._stale = True
            return False
        self._pace.committed(len(batch.entries), time.perf_counter() - started)
        self._memory.commit(new)
        for committed in self._watchers:
            committed(batch.touches_directory)
        if partition_is_due(batch.old.size, new.size):
            await self.lookup.ask(lambda r: r.store.ensure_partition(new.size + PARTITION_SPAN))
        return True

    async def _answer_or_stop(self, plan: Plan) -> None:
        for item, reason in plan.refused:
            refuse([item], reason)
        try:
            await answer(plan.decided, plan.batch.receipts, self.lookup)
        except UnavailableError as error:
            refuse(plan.items, error)
        except Exception as error:  # noqa: BLE001 - `_fail` tells them apart
            refuse(plan.items, self._fail(error))

    def _fail(self, error: Exception) -> UnavailableError:
        """Stop for good, and return what to tell those who wait."""
        if isinstance(error, LedgerError):
            _log.critical("the sequencer stops: %s", error)
            self._stop(error)
        else:  # a fault of ours
            # States may be half-evolved: nothing may follow from them. The message of an unknown
            # error might quote content, so the log gets its type and places only.
            places = "".join(traceback.format_tb(error.__traceback__))
            _log.critical("the sequencer stops: %s\n%s", type(error).__name__, places)
            self._stop(CorruptionError("sequencer-fault"))
        return _stopped()

    def _stop(self, error: LedgerError) -> None:
        if not self._stopped.done():
            self._stopped.set_result(error)
            self._wake.set()


def _stopped() -> UnavailableError:
    return UnavailableError("the sequencer has stopped", retry_after_seconds=5)
