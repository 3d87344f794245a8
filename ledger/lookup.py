"""Let the event loop ask questions of the synchronous reader, one at a time, in a thread.

The append path itself is async; what it must look up now and then (a stream not in memory, an old
root, a first receipt) goes through here, so that no reader exists twice.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import psycopg

from ledger.database import Connection, Database
from ledger.errors import (
    CommandRefusedError,
    CorruptionError,
    UnavailableError,
    stream_damaged,
)
from ledger.keyring import Keyring
from ledger.reader import LedgerReader
from ledger.rows import Outcome

T = TypeVar("T")


class Lookup:
    """Owns one reading connection and opens it anew when the server went away."""

    def __init__(self, database: Database, keyring: Keyring, *, name: str) -> None:
        """Prepare; nothing is opened before the first question."""
        self._database = database
        self._keyring = keyring
        self._name = name
        self._one_at_a_time = asyncio.Lock()
        self._connection: Connection | None = None

    async def ask(self, question: Callable[[LedgerReader], T]) -> T:
        """Run a question with the reader, in a thread.

        Raises:
            UnavailableError: when the server does not answer, tried twice.
            LedgerError: what the question raises.
        """
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._ask, question)

    async def find(self, event_id: str, statement_digest: bytes) -> Outcome | None:
        """Return the first receipt if this very statement was accepted before."""
        outcome = (await self.first_outcomes([event_id])).get(event_id)
        if isinstance(outcome, UnavailableError):
            raise outcome
        return outcome if outcome is not None and outcome.is_of(statement_digest) else None

    async def first_outcomes(
        self, event_ids: Iterable[str]
    ) -> Mapping[str, Outcome | UnavailableError]:
        """Return the first receipts of those of the events that exist, in one question.

        An event whose stored bytes are damaged has an error instead: it is no reason to stop
        serving the others.
        """

        def look(reader: LedgerReader) -> Mapping[str, Outcome | UnavailableError]:
            found: dict[str, Outcome | UnavailableError] = {}
            for event_id in event_ids:
                try:
                    event = reader.event(event_id)
                except CorruptionError:
                    found[event_id] = stream_damaged()
                    continue
                if event is not None:
                    found[event_id] = Outcome(receipt=reader.receipt(event), created=False)
            return found

        return await self.ask(look)

    async def stream_key(self, stream: str) -> bytes | None:
        """Return a stream's key, None when it has none."""

        def fetch(reader: LedgerReader) -> bytes | None:
            return reader.load_keys([stream]).get(stream)

        return self._keyring.known(stream) or await self.ask(fetch)

    async def stream_key_of_kind(self, stream: str, kind: str) -> bytes | None:
        """Return the key of a stream that an event of this kind wants to open, None for no key.

        Raises:
            CommandRefusedError: `stream-exists`, when the key was made for another kind of stream.
        """
        return await self.ask(lambda reader: self._of_kind(reader, stream, kind))

    async def new_stream_key(self, stream: str, kind: str) -> bytes | None:
        """Make a key for a stream that has none; durable on return. The first writer wins.

        Raises:
            CommandRefusedError: as `stream_key_of_kind`.
        """
        keyring = self._keyring

        def create(reader: LedgerReader) -> bytes | None:
            wrapped = keyring.new_wrapped(stream)
            made = reader.store.add_stream_key(
                stream,
                stream_kind=kind,
                wrapped=wrapped,
                facility_key_id=keyring.facility_key_id,
            )
            if made:
                return keyring.remember(stream, wrapped)
            return self._of_kind(reader, stream, kind)

        return await self.ask(create)

    def _of_kind(self, reader: LedgerReader, stream: str, kind: str) -> bytes | None:
        found = reader.store.stream_key(stream)
        if found is None:
            return None
        # The directory is found by this kind: a staff stream under a patient's key would be lost.
        if found[0] != kind:
            raise CommandRefusedError("stream-exists", "/stream", "as another kind of stream")
        return self._keyring.remember(stream, found[1])

    async def close(self) -> None:
        """Close the connection."""
        async with self._one_at_a_time:
            if self._connection is not None:
                self._connection.close()

    def _ask(self, question: Callable[[LedgerReader], T]) -> T:
        try:
            return question(self._reader())
        except (psycopg.OperationalError, UnavailableError):
            self._drop()
        try:
            return question(self._reader())
        except psycopg.Error as error:
            self._drop()
            raise UnavailableError(f"the database does not answer ({error.sqlstate})") from None

    def _reader(self) -> LedgerReader:
        if self._connection is None:
            # The writer's role: a new stream's key is stored through here too.
            self._connection = self._database.connect("writer", name=self._name)
        return LedgerReader(self._connection, self._database, self._keyring)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
