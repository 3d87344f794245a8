"""Append admitted events: one sequencer per ledger, the only writer (ARCHITECTURE §5.4).

Batching is natural: whatever arrived while the last commit was in flight becomes the next batch;
there is no timer. Each batch is one statement, one fsync, one NOTIFY, and is acknowledged only
after COMMIT. Two sequencers cannot both write: an advisory lock keeps a second one from starting,
and the head's compare-and-swap stops it if the lock ever failed.
"""

import asyncio
import logging
import os
import traceback
from collections.abc import Callable, Sequence
from typing import Final, Self

import msgspec

from ledger.batch import Batch, Duplicate
from ledger.clock import Clock
from ledger.database import Database
from ledger.decide import streams_needed
from ledger.entry import decode_entry
from ledger.errors import (
    CorruptionError,
    LedgerError,
    RejectedError,
    UnavailableError,
)
from ledger.keyring import Keyring
from ledger.lookup import Lookup
from ledger.reader import LedgerReader
from ledger.recent_roots import RecentRoots
from ledger.rows import Head, Outcome
from ledger.state import DirectoryState
from ledger.stream_cache import StreamCache
from ledger.submission import Submission
from ledger.waiting import Decided, Waiting, answer, refuse, without_taken_ids
from ledger.writer import EventIdTakenError, Writer

MAX_BATCH: Final = 1_000
MAX_WAITING: Final = 10_000
_PARTITION_SPAN: Final = 4_194_304
CONNECT_TRIES: Final = 30
_LINK_SALT_BYTES: Final = 32

_log = logging.getLogger("clinledger.sequencer")


class Sequencer:
    """Decides, orders and commits submissions; lives in one event loop."""

    def __init__(self, database: Database, keyring: Keyring, *, clock: Clock, where: str) -> None:
        """Prepare; `start` connects, takes the lock and loads the ledger's state."""
        name = f"clinledger-sequencer {where}"[:63]
        self.keyring = keyring
        self._clock = clock
        self._writer = Writer(database, name=name)
        self.lookup = Lookup(database, keyring, name=name)
        self._cache = StreamCache()
        self._head = Head(size=0, root=b"", peaks=())
        self._roots = RecentRoots()
        self._last_received_at_ms = 0
        self._stale = True
        self._waiting: list[Waiting] = []
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
        return self._head

    @property
    def directory(self) -> DirectoryState:
        """The keys, staff and roles as of the head (and of the batch being committed)."""
        return self._cache.directory

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
            raise UnavailableError("the sequencer has stopped", retry_after_seconds=5)
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
        while not self._stopped.done():
            await self._wake.wait()
            self._wake.clear()
            while self._waiting and not self._stopped.done():
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                await self._process_or_stop(batch)
        refuse(self._waiting, UnavailableError("the sequencer has stopped"))
        self._waiting = []

    async def _process_or_stop(self, batch: Sequence[Waiting]) -> None:
        stopping = UnavailableError("the sequencer has stopped", retry_after_seconds=5)
        try:
            await self._process(batch)
        except UnavailableError as error:
            self._stale = True
            refuse(batch, error)
        except LedgerError as error:
            _log.critical("the sequencer stops: %s", error)
            self._stop(error)
            refuse(batch, stopping)
        except Exception as error:  # noqa: BLE001 - a fault of ours
            # States may be half-evolved: nothing may follow from them. The message of an unknown
            # error might quote content, so the log gets its type and places only.
            places = "".join(traceback.format_tb(error.__traceback__))
            _log.critical("the sequencer stops: %s\n%s", type(error).__name__, places)
            self._stop(CorruptionError("sequencer-fault"))
            refuse(batch, stopping)

    async def _process(self, waiting: Sequence[Waiting]) -> None:
        """Decide, commit and answer one batch.

        (1) Load what the decisions need. (2) Decide in order. (3) Commit: a crash before leaves
        nothing of the batch, a crash after leaves all of it, unacknowledged, and a retry finds
        it. (4) Answer.
        """
        if self._stale:
            await self._load(tries=CONNECT_TRIES)
        await self._prepare([item.submission for item in waiting])  # (1)
        batch, decided = self._decide(waiting)  # (2)
        if batch.entries:  # (3)
            try:
                await self._commit(batch)
            except EventIdTakenError:
                self._stale = True
                await self._process(await without_taken_ids(waiting, self.lookup))
                return
        await answer(decided, batch.receipts, self.lookup)  # (4)
        self._cache.trim()
        self._roots.trim()

    async def _load(self, *, tries: int) -> None:
        """Take the head and the directory from the ledger itself, forgetting what was in memory."""
        head = await self._writer.connect(tries=tries)

        # A cache of its own until it is whole: others look at the directory meanwhile.
        cache = StreamCache()

        def look(reader: LedgerReader) -> int:
            cache.load_directory(reader)
            reader.store.ensure_partition(head.size + _PARTITION_SPAN // 2)  # see `_commit`
            entry = reader.store.entry_at(head.size - 1)
            if entry is None and head.size:
                raise CorruptionError("position-gap", head.size - 1)
            return decode_entry(entry).received_at_ms if entry else 0

        self._last_received_at_ms = max(await self.lookup.ask(look), self._last_received_at_ms)
        self._cache = cache
        self._head = head
        self._roots[head.size] = head.root
        self._stale = False
        for committed in self._watchers:
            committed(True)

    async def _prepare(self, submissions: Sequence[Submission]) -> None:
        names: list[str] = []
        sizes: set[int] = set()
        for submission in submissions:
            statement = submission.statement
            names.append(statement.stream)
            names.extend(streams_needed(statement, submission.facts))
            if not isinstance(statement.seen, msgspec.UnsetType):
                sizes.add(statement.seen.size)
        streams = self._cache.missing(names)
        unknown = self._roots.missing(sizes, up_to=self._head.size)
        if not streams and not unknown:
            return

        def look(reader: LedgerReader) -> list[tuple[int, bytes]]:
            self._cache.load(reader, streams)
            return [(size, reader.root_at(size)) for size in unknown]

        self._roots.update(await self.lookup.ask(look))

    def _decide(self, waiting: Sequence[Waiting]) -> tuple[Batch, list[Decided]]:
        # One stamp per batch; received_at never decreases even if the machine's clock does.
        received_at_ms = max(self._clock.now_ms(), self._last_received_at_ms)
        batch = Batch(self._head, self._cache, received_at_ms=received_at_ms, roots=self._roots)
        salts = os.urandom(_LINK_SALT_BYTES * len(waiting))
        decided: list[Decided] = []
        for number, item in enumerate(waiting):
            salt = salts[_LINK_SALT_BYTES * number : _LINK_SALT_BYTES * (number + 1)]
            try:
                outcome = batch.add(item.submission, link_salt=salt)
            except (RejectedError, UnavailableError) as error:
                refuse([item], error)
                continue
            created = not isinstance(outcome, Duplicate)
            decided.append(Decided(item=item, event_id=outcome.event_id, created=created))
        return batch, decided

    async def _commit(self, batch: Batch) -> None:
        new = batch.head()
        await self._writer.append(batch.old, new, batch.entries, batch.tiles)
        self._head = new
        self._last_received_at_ms = batch.received_at_ms
        self._roots[new.size] = new.root
        for committed in self._watchers:
            committed(batch.touches_directory)
        half = _PARTITION_SPAN // 2
        if (batch.old.size + half) // _PARTITION_SPAN != (new.size + half) // _PARTITION_SPAN:
            # Half a partition ahead, so that appends never wait for one.
            await self.lookup.ask(lambda r: r.store.ensure_partition(new.size + _PARTITION_SPAN))

    def _stop(self, error: LedgerError) -> None:
        if not self._stopped.done():
            self._stopped.set_result(error)
