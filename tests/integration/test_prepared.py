"""Statements run by libpq's own calls: what they answer and refuse, and how they end."""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest
import uvloop
from psycopg.pq import ExecStatus

from ledger.database import AsyncConnection, Database
from ledger.prepared import PreparedStatements

ECHO = b"SELECT %(part)b::bytea || %(part)b::bytea || %(number)s::bigint::text::bytea"


def with_connection(database: Database, work: Callable[[AsyncConnection], Awaitable[None]]) -> None:
    async def main() -> None:
        connection = await database.connect_async("writer")
        try:
            await work(connection)
        finally:
            await connection.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the server has it
        runner.run(main())


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_a_statement_of_any_length_is_answered_again_and_again(
    database: Database, size: int
) -> None:
    part = bytes(range(251)) * (size // 251 + 1)

    async def work(connection: AsyncConnection) -> None:
        statements = PreparedStatements(connection)
        for length in (size, 1, size):
            result = await statements.run(ECHO, {"number": 7, "part": part[:length]})
            assert result.status == ExecStatus.TUPLES_OK
            assert result.get_value(0, 0) == part[:length] * 2 + b"7"

    with_connection(database, work)


def test_a_refusal_is_raised_by_its_class_and_the_next_run_succeeds(database: Database) -> None:
    query = b"SELECT 1 / %(number)s::bigint"

    async def work(connection: AsyncConnection) -> None:
        statements = PreparedStatements(connection)
        with pytest.raises(psycopg.errors.DivisionByZero):
            await statements.run(query, {"number": 0})
        assert not connection.broken
        assert (await statements.run(query, {"number": 7})).ntuples == 1

    with_connection(database, work)


@pytest.mark.parametrize("when", ["before", "idle", "meanwhile"])
def test_a_lost_connection_is_told_and_known_as_broken(database: Database, when: str) -> None:
    query = b"SELECT pg_sleep(%(number)s::bigint)"

    async def work(connection: AsyncConnection) -> None:
        statements = PreparedStatements(connection)
        running: asyncio.Task[object] | None = None
        if when == "meanwhile":
            running = asyncio.create_task(statements.run(query, {"number": 7}))
            await asyncio.sleep(0.1)
        with database.connect("owner") as other:
            other.execute(
                "SELECT pg_terminate_backend(%(pid)s, 5000)", {"pid": connection.info.backend_pid}
            )
        if when == "idle":
            await asyncio.sleep(0.1)  # the loop sees the end of the connection
        with pytest.raises(psycopg.OperationalError):
            await (running or statements.run(query, {"number": 7}))
        assert connection.broken

    with_connection(database, work)


def test_who_stops_waiting_leaves_the_loop_without_callbacks(database: Database) -> None:
    query = b"SELECT pg_sleep(%(number)s::bigint)"

    async def work(connection: AsyncConnection) -> None:
        statements = PreparedStatements(connection)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(statements.run(query, {"number": 7}), 0.05)
        statements.close()
        assert not asyncio.get_running_loop().remove_reader(connection.pgconn.socket)

    with_connection(database, work)
