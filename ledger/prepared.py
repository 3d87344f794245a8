"""Run prepared statements again and again from an event loop, by libpq's own calls.

A cursor of psycopg adapts parameters, looks for the statement in its cache, and waits with timers
and locks: for a batch of one event that was 40 % of all that the sequencer does (measured). Here
parameters are encoded already, and one callback on the socket does all the waiting.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Final

import msgspec
import psycopg
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from ledger.binary_arrays import EncodedArray
from ledger.database import AsyncConnection

Parameter = int | str | bytes | EncodedArray
_PARAMETER: Final = re.compile(rb"%\(([a-z_]+)\)[bs]")


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared query: its name there, its parameters by number, and their formats."""

    name: bytes
    parameters: list[str]
    formats: list[Format]


class PreparedStatements:
    """The statements of one connection, which nobody else uses; for one task at a time."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Take a connection over, in its event loop; `close` gives it back."""
        self._libpq = connection.pgconn
        self._socket = self._libpq.socket
        self._known: dict[bytes, _Known] = {}
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[PGresult] = self._loop.create_future()
        self._answer.cancel()  # nothing runs
        self._result: PGresult | None = None
        # For good, not for each run: a loop makes and drops a handle each time.
        self._watching = True
        self._loop.add_reader(self._socket, self._receive)

    async def run(self, query: bytes, parameters: Mapping[str, Parameter]) -> PGresult:
        """Run a query, prepared when it comes first; autocommitted on return.

        Whoever stops waiting leaves a connection that can only be closed.

        Args:
            query: with parameters named in psycopg's way.
            parameters: `bigint`, `text`, `bytea` or arrays.

        Returns:
            The result, in binary.

        Raises:
            psycopg.Error: the server refuses, or the connection breaks.
        """
        known = self._known.get(query) or await self._prepare(query)
        values = [_encoded(parameters[name]) for name in known.parameters]
        self._libpq.send_query_prepared(known.name, values, known.formats, Format.BINARY)
        return await self._sent()

    def close(self) -> None:
        """Leave the socket alone; to be called before the connection is closed."""
        if self._watching:  # once: when libpq has closed the socket, its number is another's
            self._watching = False
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)

    async def _prepare(self, query: bytes) -> "_Known":
        parameters = list(dict.fromkeys(match[1].decode() for match in _PARAMETER.finditer(query)))
        numbered = _PARAMETER.sub(
            lambda match: b"$%d" % (parameters.index(match[1].decode()) + 1), query
        )
        name = b"query_%d" % len(self._known)
        self._libpq.send_prepare(name, numbered)
        await self._sent()
        formats = [Format.BINARY] * len(parameters)
        known = self._known[query] = _Known(name=name, parameters=parameters, formats=formats)
        return known

    async def _sent(self) -> PGresult:
        self._answer = self._loop.create_future()
        if self._libpq.flush():  # more than the socket holds
            self._loop.add_writer(self._socket, self._send_on)
        result = await self._answer
        if result.status == ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(result)
        return result

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


def _encoded(value: Parameter) -> bytes:
    if isinstance(value, EncodedArray):
        return value.data
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else value.to_bytes(8, "big", signed=True)
