"""Answer the two questions that every new stream raises: its key, and whether it is new.

They come with a twentieth of all events, so they are asked in the event loop itself: the hop to
`Lookup`'s thread and back took some milliseconds while the loop was busy, because a thread waits
for the interpreter after every answer of the server. Keys are made many at once: whoever comes
while a commit is in flight shares the next one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, LiteralString
from uuid import UUID

import msgspec
import psycopg

from ledger.binary_arrays import bytes_array, texts_array, uuids_array
from ledger.database import AsyncConnection, Database
from ledger.errors import CommandRefusedError, LedgerError, UnavailableError
from ledger.ids import uuid_bytes
from ledger.keyring import Keyring
from ledger.prepared import Parameter, PreparedStatements

# What was there before is in the snapshot, what is made is returned; a key that somebody else
# made in between is in neither, and is found by asking again.
_KEYS: Final = """
WITH wanted AS (
  SELECT u.stream, u.stream_kind, u.wrapped
  FROM unnest(%(streams)b::uuid[], %(kinds)b::text[], %(wrapped)b::bytea[])
    AS u (stream, stream_kind, wrapped)
), made AS (
  INSERT INTO {keys}.stream_key (stream, stream_kind, wrapped, facility_key_id)
  SELECT w.stream, w.stream_kind, w.wrapped, %(facility_key_id)s
  FROM wanted AS w WHERE w.wrapped <> ''
  ON CONFLICT (stream) DO NOTHING
  RETURNING stream, stream_kind, wrapped
)
SELECT stream, stream_kind, wrapped FROM made
UNION ALL
SELECT k.stream, k.stream_kind, k.wrapped
FROM {keys}.stream_key AS k JOIN wanted AS w USING (stream)
"""
_UNWRITTEN: Final = """
SELECT u.stream FROM unnest(%(streams)b::uuid[]) AS u (stream)
WHERE NOT EXISTS (SELECT FROM {ledger}.entry AS e WHERE e.stream = u.stream)
"""


class LoopConnection:
    """One connection for short questions from the event loop, opened when first needed."""

    def __init__(self, database: Database, *, name: str) -> None:
        """Prepare; `name` is what others see in pg_stat_activity."""
        self._database = database
        self._name = name
        self._connection: AsyncConnection | None = None
        self._statements: PreparedStatements | None = None
        self._one_at_a_time = asyncio.Lock()

    async def rows(
        self, query: LiteralString, parameters: Mapping[str, Parameter]
    ) -> list[list[bytes]]:
        """Ask, over a new connection if the one that there was is lost.

        Args:
            query: whose columns are never null.
            parameters: as `PreparedStatements.run` takes them.

        Returns:
            The rows' values in binary.

        Raises:
            UnavailableError: when the server does not answer, tried twice.
        """
        async with self._one_at_a_time:
            try:
                return await self._rows(query, parameters)
            except (psycopg.Error, UnavailableError):
                await self._drop()
            try:
                return await self._rows(query, parameters)
            except psycopg.Error as error:
                await self._drop()
                raise UnavailableError(f"the database does not answer ({error.sqlstate})") from None

    async def close(self) -> None:
        """Close the connection."""
        async with self._one_at_a_time:
            await self._drop()

    async def _rows(
        self, query: LiteralString, parameters: Mapping[str, Parameter]
    ) -> list[list[bytes]]:
        if self._statements is None:
            self._connection = await self._database.connect_async("writer", name=self._name)
            self._statements = PreparedStatements(self._connection)
        result = await self._statements.run(self._database.query(query), parameters)
        columns = range(result.nfields)
        return [
            [result.get_value(row, column) or b"" for column in columns]
            for row in range(result.ntuples)
        ]

    async def _drop(self) -> None:
        if self._statements is not None:
            self._statements.close()
            self._statements = None
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


async def unwritten(connection: LoopConnection, streams: Sequence[str]) -> set[str]:
    """Return those of the streams that have no event.

    Raises:
        UnavailableError: when the server does not answer.
    """
    wanted = {uuid_bytes(stream): stream for stream in streams}
    rows = await connection.rows(_UNWRITTEN, {"streams": uuids_array(list(wanted))})
    return {wanted[stream] for (stream,) in rows}


class _Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A key that somebody waits for; `kind` is None for whoever does not open the stream."""

    stream: str
    kind: str | None
    make: bool
    answer: asyncio.Future[bytes | None]


class StreamKeys:
    """Finds and makes stream keys. Lives in one event loop."""

    def __init__(self, database: Database, keyring: Keyring, *, name: str) -> None:
        """Prepare; nothing is opened before the first question."""
        self._connection = LoopConnection(database, name=name)
        self._keyring = keyring
        self._wanted: list[_Wanted] = []
        self._task: asyncio.Task[None] | None = None

    async def find(self, stream: str) -> bytes | None:
        """Return a stream's key, None when it has none.

        Raises:
            UnavailableError: when the server does not answer.
        """
        return self._keyring.known(stream) or await self._want(stream, None, make=False)

    async def open(self, stream: str, kind: str, *, make: bool) -> bytes | None:
        """Return the key of a stream that an event of this kind wants to open; durable on return.

        The first writer wins. A key that exists is returned whether or not one may be made.

        Args:
            stream: its id.
            kind: what kind of stream is to be opened.
            make: whether to make a key if there is none.

        Raises:
            CommandRefusedError: `stream-exists`, when the key was made for another kind of stream.
            UnavailableError: when the server does not answer.
        """
        return await self._want(stream, kind, make=make)

    async def close(self) -> None:
        """Close the connection."""
        if self._task is not None:
            await asyncio.wait([self._task])
        await self._connection.close()

    async def _want(self, stream: str, kind: str | None, *, make: bool) -> bytes | None:
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._wanted.append(_Wanted(stream=stream, kind=kind, make=make, answer=answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="stream-keys")
        return await answer

    async def _run(self) -> None:
        while self._wanted:
            wanted, self._wanted = self._wanted, []
            try:
                keys = await self._keys(wanted)
            except Exception as error:  # noqa: BLE001 - whoever waits must be answered
                for one in wanted:
                    if not one.answer.done():
                        one.answer.set_exception(error)
                continue
            for one in wanted:
                self._settle(one, keys.get(one.stream))

    async def _keys(self, wanted: Sequence[_Wanted]) -> Mapping[str, tuple[str, bytes]]:
        """Return kind and wrapped key by stream, of the streams that have one now."""
        new = {one.stream: (one.kind or "", b"") for one in wanted}
        for one in wanted:
            if one.make and not new[one.stream][1]:
                new[one.stream] = (one.kind or "", self._keyring.new_wrapped(one.stream))
        found = await self._ask(new)
        raced = {stream: row for stream, row in new.items() if row[1] and stream not in found}
        return {**found, **await self._ask(raced)} if raced else found

    async def _ask(self, new: Mapping[str, tuple[str, bytes]]) -> dict[str, tuple[str, bytes]]:
        parameters = {
            "streams": uuids_array([uuid_bytes(stream) for stream in new]),
            "kinds": texts_array([kind for kind, _ in new.values()]),
            "wrapped": bytes_array([wrapped for _, wrapped in new.values()]),
            "facility_key_id": self._keyring.facility_key_id,
        }
        rows = await self._connection.rows(_KEYS, parameters)
        return {str(UUID(bytes=stream)): (kind.decode(), wrapped) for stream, kind, wrapped in rows}

    def _settle(self, one: _Wanted, found: tuple[str, bytes] | None) -> None:
        if one.answer.done():  # the caller went away
            return
        if found is None:
            one.answer.set_result(None)
        elif one.kind is not None and found[0] != one.kind:
            # The directory is found by this kind: a staff stream under a patient's key would be
            # lost.
            one.answer.set_exception(
                CommandRefusedError("stream-exists", "/stream", "as another kind of stream")
            )
        else:
            try:
                one.answer.set_result(self._keyring.remember(one.stream, found[1]))
            except LedgerError as error:
                one.answer.set_exception(error)
