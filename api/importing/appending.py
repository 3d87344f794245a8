"""Seal examined events and hand them to the sequencer, in the order of the file."""

import asyncio
import os
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from api.errors import RequestError
from api.importing.examining import Result, event_of
from api.importing.lines import Chunk
from api.importing.messages import Ready, Refused, There
from ledger.admission import Admission
from ledger.catalogue import EventType, event_type
from ledger.errors import CommandRefusedError, RejectedError
from ledger.examination import check_opener
from ledger.reader import LedgerReader
from ledger.rows import Outcome
from ledger.sealing import NONCE_BYTES, associated_data, plain_body, seal
from ledger.sequencer import Sequencer
from ledger.stream_keys import make_stream_keys
from ledger.submission import Submission
from signing.statement import Statement, read_statement

_UNDER_WAY: Final = 4_000
_LENGTH_BYTES: Final = 4


class Sink(Protocol):
    """Takes note of what became of each line."""

    def appended(self, outcome: Outcome) -> None:
        """Take note of an event that is durable: by this import, or before."""
        ...

    def there(self, found: There) -> None:
        """Take note of an event that was there when its line was examined."""
        ...

    def refused(self, line: int, code: str) -> None:
        """Take note of a line that was refused."""
        ...


class _Sealable(NamedTuple):
    line: int
    statement: Statement
    kind: EventType
    found: Ready


class Appender:
    """Appends examined lines; what is refused does not stop the others."""

    def __init__(self, sequencer: Sequencer, sink: Sink) -> None:
        """Append through this sequencer."""
        self._sequencer = sequencer
        self._admission = Admission(sequencer)
        self._sink = sink
        self._under_way = deque[tuple[int, asyncio.Future[Outcome]]]()

    async def append(self, chunk: Chunk, results: Sequence[Result]) -> None:
        """Take over the lines of a chunk; they are durable after `finish`.

        Raises:
            UnavailableError: the database does not answer, or the sequencer has stopped.
        """
        sealable = {
            line: _sealable(line, result)
            for line, result in zip(chunk.numbers, results, strict=True)
            if isinstance(result, Ready)
        }
        keys = await self._keys(sealable.values())
        for line, data, result in zip(chunk.numbers, chunk.lines, results, strict=True):
            if isinstance(result, There):
                self._sink.there(result)
            elif isinstance(result, Refused):
                self._sink.refused(line, result.code)
            elif line in sealable and self._enqueue(sealable[line], keys):
                pass
            else:
                await self._admit(line, data or b"")
        await self._settle(_UNDER_WAY)

    async def finish(self) -> None:
        """Wait until everything is durable or refused."""
        await self._settle(0)

    def close(self) -> None:
        """Let go of what is under way; whether it becomes durable is not known."""
        for _, answer in self._under_way:
            answer.cancel()
        self._under_way.clear()

    def _enqueue(self, event: _Sealable, keys: Mapping[str, bytes]) -> bool:
        """Seal and hand over an event, or return False when its stream's key is not here."""
        statement, found = event.statement, event.found
        if event.kind.sealed:
            key = keys.get(statement.stream)
            if key is None:
                return False
            aad = associated_data(statement.ledger, statement.stream, statement.event_id)
            body = seal(found.frame, key=key, nonce=os.urandom(NONCE_BYTES), aad=aad)
        else:
            body = plain_body(found.frame)
        submission = Submission(
            statement=statement,
            facts=found.facts,
            statement_digest=found.statement_digest,
            container_digest=found.container_digest,
            salt=found.salt,
            body=body,
        )
        self._under_way.append((event.line, self._sequencer.enqueue(submission)))
        return True

    async def _admit(self, line: int, data: bytes) -> None:
        """Admit a line by itself, once everything before it is settled."""
        await self._settle(0)
        try:
            self._sink.appended(await self._admission.submit(event_of(data)))
        except (RejectedError, RequestError) as error:
            self._sink.refused(line, error.code)

    async def _settle(self, left: int) -> None:
        """Wait for the oldest, until so many are left under way."""
        while len(self._under_way) > left:
            line, answer = self._under_way.popleft()
            try:
                self._sink.appended(await answer)
            except RejectedError as error:
                self._sink.refused(line, error.code)

    async def _keys(self, events: Iterable[_Sealable]) -> Mapping[str, bytes]:
        """Return the streams' keys, making those of streams that these events open.

        None for an opened stream that has a key already: admission looks at it more closely.
        """
        wanted: set[str] = set()
        opened: dict[str, str] = {}
        for event in events:
            if event.kind.sealed:
                wanted.add(event.statement.stream)
                if event.kind.opens_stream and self._may_open(event):
                    opened[event.statement.stream] = event.statement.stream_kind
        known = {stream: self._sequencer.keyring.known(stream) for stream in wanted}
        keys = {stream: key for stream, key in known.items() if key and stream not in opened}
        missing = wanted - keys.keys()
        if not missing:
            return keys

        def look(reader: LedgerReader) -> Mapping[str, bytes]:
            made = make_stream_keys(reader, opened)
            return {**reader.load_keys(missing - opened.keys()), **made}

        return {**keys, **await self._sequencer.lookup.ask(look)}

    def _may_open(self, event: _Sealable) -> bool:
        try:
            check_opener(event.statement, event.kind, self._sequencer.directory)
        except CommandRefusedError:
            return False
        return True


def _sealable(line: int, found: Ready) -> _Sealable:
    length = int.from_bytes(found.frame[:_LENGTH_BYTES], "big")
    # Without judging it again: what the examining process has admitted is believed (ledger.wire).
    statement = read_statement(found.frame[_LENGTH_BYTES : _LENGTH_BYTES + length])
    return _Sealable(line, statement, event_type(statement.type), found)
