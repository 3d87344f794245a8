"""The server ends sessions or stops at once, under load; clocks go back; nothing is repaired."""

import os
import signal
import threading
import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from ledger.database import Database
from ledger.embedded import EmbeddedPostgres
from ledger.submitted import SubmittedEvent
from tests.faulty import Client, client_on
from tests.live import FrozenClock, LiveLedger

HOUR_MS = 3_600_000
_TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name LIKE 'clinledger-sequencer%' AND datname = current_database()
"""


@pytest.fixture
def server(clinledger_home: Path) -> EmbeddedPostgres:
    """A server of the test's own, to be stopped at will."""
    return EmbeddedPostgres(clinledger_home)


@pytest.fixture
def own_client(server: EmbeddedPostgres, tmp_path: Path) -> Generator[Client]:
    """A client of a ledger on that server."""
    with client_on(server, tmp_path) as found:
        yield found


def stop_immediately(server: EmbeddedPostgres) -> None:
    """Stop without a last checkpoint, as a crash does."""
    postmaster = server.postmaster()
    assert postmaster is not None
    os.kill(postmaster.pid, signal.SIGQUIT)
    while server.postmaster() is not None:
        time.sleep(0.01)


def load(client: Client, name: str, *, events: int) -> tuple[ThreadPoolExecutor, "Future[None]"]:
    """Start to submit many events in many batches."""
    batches = [[client.note(f"{name} {n} {m}") for m in range(4)] for n in range(events // 4)]
    pool = ThreadPoolExecutor(max_workers=1)
    return pool, pool.submit(_submit_batches, client, batches)


def _submit_batches(client: Client, batches: list[list[SubmittedEvent]]) -> None:
    for batch in batches:
        client.submit_all(batch)


def test_immediate_stops_of_the_server_under_load_lose_nothing(
    own_client: Client, server: EmbeddedPostgres
) -> None:
    """The sequencer is not told; it finds the server again and goes on from the true head."""
    for number in range(2):
        known = len(own_client.receipts)
        pool, done = load(own_client, f"stop {number}", events=200)
        while len(own_client.receipts) < known + 20:
            time.sleep(0.001)
        stop_immediately(server)
        server.start()
        done.result(timeout=60)
        pool.shutdown()
        own_client.check()


def test_terminated_sessions_under_load_lose_nothing(client: Client) -> None:
    """An administrator ends the sequencer's sessions, again and again."""
    pool, done = load(client, "terminated", events=200)
    with psycopg.connect(client.database.url, autocommit=True) as connection:
        while not done.done():
            connection.execute(_TERMINATE)
            time.sleep(0.05)
    done.result()
    pool.shutdown()
    client.check()


def test_a_connection_cut_in_the_middle_of_a_statement_loses_nothing(client: Client) -> None:
    """The append waits for a row that somebody locked, and loses its connection while it waits."""
    event = client.note("cut while it waited")
    with psycopg.connect(client.database.url) as holder:
        holder.execute("SELECT * FROM ledger.head FOR UPDATE")
        pending = client.live.start_submitting(event)
        with psycopg.connect(client.database.url, autocommit=True) as connection:
            _wait_until_it_waits(connection)
            connection.execute(_TERMINATE)
        holder.rollback()
    with_receipt = threading.Event()
    pending.add_done_callback(lambda _: with_receipt.set())
    assert with_receipt.wait(timeout=30)
    client.submit(event)
    client.check()


def test_a_clock_set_back_an_hour_lets_no_time_go_back(database: Database, tmp_path: Path) -> None:
    """While the sequencer runs, and over its restart."""
    clock = FrozenClock()
    live = LiveLedger(database, tmp_path, clock=clock)
    client = Client(live, database, tmp_path)
    times = [client.submit(client.note("before")).received_at_ms]
    clock.time_ms -= HOUR_MS
    times.append(client.submit(client.note("set back")).received_at_ms)
    live.stop()
    live.start()
    times.append(client.submit(client.note("set back, and started anew")).received_at_ms)
    clock.time_ms += 2 * HOUR_MS
    times.append(client.submit(client.note("set right")).received_at_ms)

    client.check()
    live.close()
    assert times[0] == times[1] == times[2] == times[3] - HOUR_MS


def _wait_until_it_waits(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    deadline = time.monotonic() + 10
    while connection.execute(query).fetchone() == (0,):
        assert time.monotonic() < deadline
        time.sleep(0.005)
