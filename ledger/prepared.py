"""Run one prepared statement again and again from an event loop, by libpq's own calls.

A cursor of psycopg adapts parameters, looks for the statement in its cache, and waits with timers
and locks: for a batch of one event that was 40 % of all that the sequencer does (measured). Here
parameters are encoded already, and one callback on the socket does all the waiting.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Final, Self

import psycopg
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from ledger.database import AsyncConnection

_PARAMETER: Final = re.compile(rb"%\(([a-z_]+)\)[bs]")


class PreparedStatement:
    """One statement on one connection, which nobody else uses; run by one task at a time."""

    def __init__(self, connection: AsyncConnection, name: str, parameters: list[str]) -> None:
        """Know a statement that `prepare` made."""
        self._libpq = connection.pgconn
        self._socket = self._libpq.socket
        self._name = name.encode()
        self._parameters = parameters
        self._formats = [Format.BINARY] * len(parameters)
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[PGresult] = self._loop.create_future()
        self._answer.cancel()  # nothing runs
        self._result: PGresult | None = None
        # For good, not for each run: a loop makes and drops a handle each time.
        self._watching = True
        self._loop.add_reader(self._socket, self._receive)

    @classmethod
    async def prepare(cls, connection: AsyncConnection, name: str, query: bytes) -> Self:
        """Let the server prepare a query with parameters named in psycopg's way.

        Raises:
            psycopg.Error: the server does not take it, or does not answer.
        """
        parameters = list(dict.fromkeys(match[1].decode() for match in _PARAMETER.finditer(query)))
        numbered = _PARAMETER.sub(
            lambda match: b"$%d" % (parameters.index(match[1].decode()) + 1), query
        )
        await connection.execute(b"PREPARE %s AS %s" % (name.encode(), numbered))
        return cls(connection, name, parameters)

    async def run(self, parameters: Mapping[str, int | str | bytes]) -> PGresult:
        """Run it and return its result; autocommitted on return.

        Whoever stops waiting leaves a connection that can only be closed.

        Args:
            parameters: `bigint`, `text`, or bytes in the binary form of their type.

        Raises:
            psycopg.Error: the server refuses, or the connection breaks.
        """
        values = [_encoded(parameters[name]) for name in self._parameters]
        self._answer = self._loop.create_future()
        self._libpq.send_query_prepared(self._name, values, self._formats, Format.BINARY)
        if self._libpq.flush():  # more than the socket holds
            self._loop.add_writer(self._socket, self._send_on)
        result = await self._answer
        if result.status == ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(result)
        return result

    def close(self) -> None:
        """Leave the socket alone; to be called before the connection is closed."""
        if self._watching:  # once: when libpq has closed the socket, its number is another's
            self._watching = False
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)

    def _send_on(self) -> None:
        try:
            if not self._libpq.flush():
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self._fail(error)

    def _receive(self) -> None:
        try:
            self._libpq.consume_input()
            if self._answer.done():  # nothing runs: a notice, or the end of the connection
                return
            while not self._libpq.is_busy():
                result = self._libpq.get_result()
                if result is None:  # the server is ready for the next
                    self._finish()
                    return
                self._result = result
        except psycopg.Error as error:
            self._fail(error)

    def _fail(self, error: psycopg.Error) -> None:
        self.close()  # else the loop would find the socket ready for ever
        if not self._answer.done():
            self._answer.set_exception(error)

    def _finish(self) -> None:
        result, self._result = self._result, None
        if result is None:
            self._answer.set_exception(psycopg.OperationalError("the connection is lost"))
        else:
            self._answer.set_result(result)


def _encoded(value: int | str | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else value.to_bytes(8, "big", signed=True)
