"""Offer a sequencer to other processes over a Unix socket that only this account may open."""

import asyncio
import os
from pathlib import Path
from typing import Final

import msgspec

from ledger.errors import LedgerError, UnavailableError
from ledger.rows import Outcome  # noqa: TC001 - one line is clearer than a block
from ledger.sequencer import Sequencer
from ledger.submission import Submission
from ledger.wire import (
    Accepted,
    DirectoryChanged,
    HeadMoved,
    Submit,
    Welcome,
    encode_frame,
    read_frame,
    refusal_of,
)

_READ_AHEAD_BYTES: Final = 4 * 1024 * 1024
_submit: Final = msgspec.msgpack.Decoder(Submit)


class SequencerService:
    """Listens for workers; every worker may have many submissions under way."""

    def __init__(self, sequencer: Sequencer) -> None:
        """Offer this sequencer, whose life stays the caller's affair."""
        self._sequencer = sequencer
        self._workers: set[_Worker] = set()
        self._server: asyncio.Server | None = None
        sequencer.watch(self._committed)

    async def listen(self, path: Path) -> None:
        """Listen on a socket at `path`, replacing one that a dead sequencer left."""
        path.unlink(missing_ok=True)  # noqa: ASYNC240 - once, before anyone is served
        mask = os.umask(0o177)  # nobody else may connect, from the first instant on
        try:
            self._server = await asyncio.start_unix_server(
                self._serve, str(path), limit=_READ_AHEAD_BYTES
            )
        finally:
            os.umask(mask)

    async def close(self) -> None:
        """Stop listening and hang up; what was submitted is still committed or not, as ever."""
        if self._server is not None:
            self._server.close()
        for worker in list(self._workers):
            worker.hang_up()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        worker = _Worker(self._sequencer, writer)
        worker.send(encode_frame(Welcome(origin=self._sequencer.origin)))
        worker.send(encode_frame(DirectoryChanged(directory=self._sequencer.directory)))
        worker.send(encode_frame(HeadMoved(head=self._sequencer.head)))
        self._workers.add(worker)
        try:
            while (data := await read_frame(reader)) is not None:
                worker.take(_submit.decode(data))
        except (LedgerError, msgspec.DecodeError):
            pass  # not one of our workers, or of another version: hang up
        finally:
            self._workers.discard(worker)
            worker.hang_up()

    def _committed(self, directory_changed: bool) -> None:
        """Tell every worker before the submissions of this commit are answered.

        So a worker that has seen a revocation acknowledged knows of it.
        """
        if directory_changed:
            frame = encode_frame(DirectoryChanged(directory=self._sequencer.directory))
            for worker in self._workers:
                worker.send(frame)
        frame = encode_frame(HeadMoved(head=self._sequencer.head))
        for worker in self._workers:
            worker.send(frame)


class _Worker:
    """One connected worker; what is sent in one turn of the event loop goes out in one write."""

    def __init__(self, sequencer: Sequencer, writer: asyncio.StreamWriter) -> None:
        self._sequencer = sequencer
        self._writer = writer
        self._outgoing: list[bytes] = []

    def take(self, message: Submit) -> None:
        """Hand a submission to the sequencer; its answer follows when it is durable."""
        number = message.number
        submission = Submission(
            statement=message.statement,
            facts=message.facts,
            statement_digest=message.statement_digest,
            container_digest=message.container_digest,
            salt=message.salt,
            body=message.body,
        )
        try:
            answer = self._sequencer.enqueue(submission)
        except UnavailableError as error:
            self.send(encode_frame(refusal_of(number, error)))
            return
        answer.add_done_callback(lambda done: self._answer(number, done))

    def send(self, frame: bytes) -> None:
        """Send a frame soon, together with what else is to be sent."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing.append(frame)

    def hang_up(self) -> None:
        """Close the connection."""
        self._writer.close()

    def _answer(self, number: int, done: "asyncio.Future[Outcome]") -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            self.send(encode_frame(refusal_of(number, error)))
            return
        outcome = done.result()
        self.send(
            encode_frame(Accepted(number=number, receipt=outcome.receipt, created=outcome.created))
        )

    def _flush(self) -> None:
        frames, self._outgoing = self._outgoing, []
        if not self._writer.is_closing():
            self._writer.write(b"".join(frames))
