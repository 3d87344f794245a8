"""Let the event loop ask questions of the synchronous reader, one at a time, in a thread.

The append path itself is async; what it must look up now and then (a stream not in memory, an old
root, a first receipt) goes through here, so that no reader exists twice.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import psycopg

from ledger.database import Connection, Database
from ledger.errors import CorruptionError, UnavailableError, stream_damaged
from ledger.keyring import Keyring
from ledger.openings import LoopConnection, StreamKeys, unwritten
from ledger.reader import LedgerReader
from ledger.rows import Outcome

T = TypeVar("T")


class Lookup:
    """Owns one reading connection and opens it anew when the server went away.

    Attributes:
        keys: finds and makes stream keys, over a connection of its own and without a thread.
    """

    def __init__(self, database: Database, keyring: Keyring, *, name: str) -> None:
        """Prepare; nothing is opened before the first question."""
        self._database = database
        self._keyring = keyring
        self._name = name
        self._one_at_a_time = asyncio.Lock()
        self._connection: Connection | None = None
        self._quick = LoopConnection(database, name=name)
        self.keys = StreamKeys(database, keyring, name=name)

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

    async def unwritten(self, streams: Sequence[str]) -> set[str]:
        """Return those of the streams that have no event, without a thread.

        Raises:
            UnavailableError: when the server does not answer, tried twice.
        """
        return await unwritten(self._quick, streams)

    async def close(self) -> None:
        """Close the connections."""
        await self.keys.close()
        await self._quick.close()
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
            # The writer's role: partitions are made and imported streams' keys stored through here.
            self._connection = self._database.connect("writer", name=self._name)
        return LedgerReader(self._connection, self._database, self._keyring)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
