"""Be a worker's side of a sequencer that runs in another process.

Looks like `Sequencer` to admission and the API. While no sequencer answers, submissions are
turned away with "try again": a client's retry finds out whether its event was appended.
"""

import asyncio
import itertools
import logging
from pathlib import Path
from typing import Final, Self

import msgspec

from ledger.database import Database
from ledger.errors import EnvironmentRefusedError, LedgerError, UnavailableError
from ledger.keyring import Keyring
from ledger.lookup import Lookup
from ledger.rows import Head, Outcome
from ledger.state import DirectoryState
from ledger.submission import Submission
from ledger.wire import (
    Accepted,
    DirectoryChanged,
    FromSequencer,
    HeadMoved,
    Refused,
    Submit,
    Welcome,
    encode_frame,
    error_of,
    read_frame,
)

MAX_UNDER_WAY: Final = 5_000
_TRY_AGAIN_SECONDS: Final = 0.05
_FIRST_ANSWER_SECONDS: Final = 30.0
_READ_AHEAD_BYTES: Final = 4 * 1024 * 1024
_message: Final = msgspec.msgpack.Decoder(FromSequencer)
_log = logging.getLogger("clinledger.remote_sequencer")


class RemoteSequencer:
    """A connection to the sequencer's socket, made anew whenever it breaks."""

    def __init__(self, path: Path, database: Database, keyring: Keyring) -> None:
        """Prepare; `connect` waits for the sequencer."""
        self.keyring = keyring
        self.lookup = Lookup(database, keyring, name="clinledger-worker")
        self._path = path
        self._head = Head(size=0, root=b"", peaks=())
        self._directory = DirectoryState.empty()
        self._under_way: dict[int, asyncio.Future[Outcome]] = {}
        self._numbers = itertools.count()
        self._writer: asyncio.StreamWriter | None = None
        self._outgoing: list[bytes] = []
        self._ready = asyncio.Event()
        self._stopped: asyncio.Future[LedgerError] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, path: Path, database: Database, keyring: Keyring) -> Self:
        """Connect and learn head and directory.

        Raises:
            UnavailableError: no sequencer answers within half a minute.
        """
        remote = cls(path, database, keyring)
        remote._task = asyncio.create_task(remote._run(), name="remote-sequencer")
        try:
            await asyncio.wait_for(remote._ready.wait(), _FIRST_ANSWER_SECONDS)
        except TimeoutError:
            await remote.close()
            raise UnavailableError("no sequencer answers") from None
        except asyncio.CancelledError:
            await remote.close()
            raise
        return remote

    @property
    def origin(self) -> str:
        """The ledger's origin."""
        return self.keyring.origin

    @property
    def head(self) -> Head:
        """The committed head, as last told."""
        return self._head

    @property
    def directory(self) -> DirectoryState:
        """The keys, staff and roles, as last told."""
        return self._directory

    @property
    def waiting(self) -> int:
        """How many submissions of this worker are under way."""
        return len(self._under_way)

    async def submit(self, submission: Submission) -> Outcome:
        """Append one admitted event; durable on return. See `Sequencer.submit`."""
        return await self.enqueue(submission)

    def enqueue(self, submission: Submission) -> asyncio.Future[Outcome]:
        """Send a submission and return its answer to come; the order of calls is kept.

        Raises:
            UnavailableError: when no sequencer answers, or too much is under way.
        """
        if self._writer is None or len(self._under_way) >= MAX_UNDER_WAY:
            raise UnavailableError("the sequencer is busy or being replaced")
        number = next(self._numbers)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._under_way[number] = answer
        self._send(
            encode_frame(
                Submit(
                    number=number,
                    statement=submission.statement,
                    facts=submission.facts,
                    statement_digest=submission.statement_digest,
                    container_digest=submission.container_digest,
                    salt=submission.salt,
                    body=submission.body,
                )
            )
        )
        return answer

    async def wait_stopped(self) -> LedgerError:
        """Wait until this worker must stop: the sequencer turned out to be another ledger's."""
        return await asyncio.shield(self._stopped)

    async def close(self) -> None:
        """Hang up; what is under way is answered with "try again"."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._lost()
        await self.lookup.close()

    async def _run(self) -> None:
        while not self._stopped.done():
            try:
                reader, self._writer = await asyncio.open_unix_connection(
                    str(self._path), limit=_READ_AHEAD_BYTES
                )
            except OSError:
                await asyncio.sleep(_TRY_AGAIN_SECONDS)
                continue
            while (data := await read_frame(reader)) is not None:
                self._take(_message.decode(data))
            self._lost()

    def _take(self, message: FromSequencer) -> None:
        match message:
            case Accepted():
                answer = self._under_way.pop(message.number, None)
                if answer is not None and not answer.done():
                    answer.set_result(Outcome(receipt=message.receipt, created=message.created))
            case Refused():
                answer = self._under_way.pop(message.number, None)
                if answer is not None and not answer.done():
                    answer.set_exception(error_of(message))
            case HeadMoved():
                self._head = message.head
                self._ready.set()
            case DirectoryChanged():
                self._directory = message.directory
            case Welcome():
                if message.origin != self.origin:
                    self._stopped.set_result(
                        EnvironmentRefusedError("the sequencer is another ledger's")
                    )

    def _lost(self) -> None:
        """Turn away what is under way: whether it was appended, only a retry can tell."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        under_way, self._under_way = self._under_way, {}
        for answer in under_way.values():
            if not answer.done():
                answer.set_exception(UnavailableError("the sequencer is being replaced"))
        if under_way:
            _log.warning("the sequencer went away with %d submissions", len(under_way))

    def _send(self, frame: bytes) -> None:
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing.append(frame)

    def _flush(self) -> None:
        frames, self._outgoing = self._outgoing, []
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(b"".join(frames))
