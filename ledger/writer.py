"""Hold the ledger's one writing connection: take the lock, move the head, survive lost answers.

A lost answer to COMMIT is not a guess: after reconnecting, the head is either still the old one
(write again), or exactly the new one (it was committed), or somebody else moved it (stop).
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from typing import Final

import psycopg

from ledger.database import AsyncConnection, Database
from ledger.errors import (
    CorruptionError,
    EnvironmentRefusedError,
    SequencerRunningError,
    UnavailableError,
)
from ledger.merkle import TileHash
from ledger.prepared import PreparedStatements
from ledger.rows import Head
from ledger.store import APPEND, HEAD, NewEntry, append_parameters, head_of_row

_TRY_AGAIN_SECONDS: Final = 0.1
_MUST_BE_ON: Final = ("fsync", "full_page_writes", "synchronous_commit")
_HOLDER: Final = """
SELECT a.application_name
FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.classid::bigint << 32) + l.objid::bigint = %(key)s
"""

_log = logging.getLogger("clinledger.writer")


class EventIdTakenError(Exception):
    """An event_id of the batch exists in another stream; nothing was written."""


def lock_key(schema: str) -> int:
    """Return the advisory lock's key of a ledger: 63 bits of a hash of its schema's name."""
    digest = hashlib.sha256(b"clinledger/sequencer-lock\n" + schema.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


class Writer:
    """The writing connection of one sequencer. Lives in one event loop."""

    def __init__(self, database: Database, *, name: str) -> None:
        """Prepare; `name` is what others see in pg_stat_activity (at most 63 bytes)."""
        self._database = database
        self._name = name
        self._connection: AsyncConnection | None = None
        self._statements: PreparedStatements | None = None
        self._possible: tuple[Head, ...] = ()

    async def connect(self, *, tries: int) -> Head:
        """Connect, take the lock, and return the committed head.

        Tries again, ten times a second: a server may be restarting, and the session of a killed
        sequencer takes a moment to end.

        Raises:
            EnvironmentRefusedError: when another sequencer runs, or the server would not keep
                what it acknowledges.
            CorruptionError: when somebody else moved the head since this writer last knew it.
            UnavailableError: when the server does not answer.
        """
        await self.close()
        for attempt in range(tries):
            last = attempt == tries - 1
            try:
                found = await self._try_to_connect()
            except UnavailableError:
                if last:
                    raise
            else:
                if isinstance(found, Head):
                    return found
                if last:
                    raise SequencerRunningError(f"another sequencer is running: {found}")
            await asyncio.sleep(_TRY_AGAIN_SECONDS)
        raise UnavailableError("the database does not answer")

    async def append(
        self, old: Head, new: Head, entries: Sequence[NewEntry], tiles: Sequence[TileHash]
    ) -> None:
        """Commit a batch and move the head from `old` to `new`. Durable on return.

        Raises:
            EventIdTakenError: when an event_id exists in another stream; nothing was written.
            CorruptionError: when the head is not `old`: somebody else writes. Stop.
            UnavailableError: when the server refused or did not answer. Whether the batch was
                committed is then known only after `connect`.
        """
        channel = self._database.schema
        parameters = append_parameters(old, new, entries, tiles, channel=channel)
        query = self._database.query(APPEND)
        for _ in range(3):
            if self._connection is None and await self.connect(tries=50) == new:
                return
            assert self._connection is not None  # noqa: S101 - narrows the type; connect set it
            assert self._statements is not None  # noqa: S101 - likewise
            self._possible = (old, new)  # of each attempt: connecting leaves only what it found
            try:
                result = await self._statements.run(query, parameters)
                if result.ntuples == 0:
                    raise CorruptionError("head-mismatch", old.size, "the head was moved")
            except psycopg.errors.UniqueViolation as error:
                if error.diag.constraint_name == "entry_event_id_is_unique":
                    raise EventIdTakenError from None
                raise CorruptionError("head-mismatch", old.size, "rows beyond the head") from None
            except psycopg.Error as error:
                # The message may repeat the row: only its SQLSTATE is told.
                _log.warning("a batch was not acknowledged: SQLSTATE %s", error.sqlstate)
                if not self._connection.broken:
                    raise UnavailableError(
                        f"the database refused the batch ({error.sqlstate})"
                    ) from None
                await self.close()
            else:
                self._possible = (new,)
                return
        raise UnavailableError("the database does not keep its connections")

    async def close(self) -> None:
        """Close the connection, which releases the lock."""
        if self._statements is not None:
            self._statements.close()
            self._statements = None
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _try_to_connect(self) -> Head | str:
        """Return the committed head, or the name of the session that holds the lock."""
        connection = await self._database.connect_async("writer", name=self._name)
        try:
            holder = await self._take_lock(connection)
            if holder is None:
                head = await self._known_head(connection)
                self._statements = PreparedStatements(connection)
                self._connection = connection
                return head
        except psycopg.Error as error:
            raise UnavailableError(f"the database does not answer ({error.sqlstate})") from None
        finally:
            if self._connection is not connection:
                await self.close()
                await connection.close()
        return holder

    async def _take_lock(self, connection: AsyncConnection) -> str | None:
        """Take the lock, or return the name of the session that holds it."""
        key = {"key": lock_key(self._database.schema)}
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%(key)s)", key)
        row = await cursor.fetchone()
        if row is not None and row[0]:
            return None
        cursor = await connection.execute(_HOLDER, key)
        row = await cursor.fetchone()
        return "a session that has just ended" if row is None else str(row[0])

    async def _known_head(self, connection: AsyncConnection) -> Head:
        for setting in _MUST_BE_ON:
            cursor = await connection.execute(
                "SELECT current_setting(%(setting)s)", {"setting": setting}
            )
            row = await cursor.fetchone()
            if row is None or row[0] == "off":
                raise EnvironmentRefusedError(
                    f"the server runs with {setting} = off: it would lose what it acknowledges"
                )
        cursor = await connection.execute(self._database.query(HEAD), binary=True)
        head = head_of_row(await cursor.fetchone())
        if self._possible and head not in self._possible:
            raise CorruptionError("head-mismatch", head.size, "the head was moved by another")
        self._possible = (head,)
        return head
