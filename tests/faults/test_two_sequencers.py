"""Two sequencers at once: the lock refuses the second, and where the lock fails, the head does."""

from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from ledger.errors import CorruptionError, EnvironmentRefusedError, LedgerError, UnavailableError
from ledger.submitted import SubmittedEvent
from tests.cutting_proxy import CuttingProxy
from tests.faulty import Client
from tests.live import LiveLedger


@pytest.fixture
def second(client: Client, tmp_path: Path) -> Generator[LiveLedger]:
    """Another machine that could be the sequencer; it waits for its start."""
    client.live.stop()
    other = LiveLedger(client.database, tmp_path)
    other.stop()
    client.live.start()
    yield other
    other.close()


def end_sessions_of_the_first(client: Client) -> None:
    """End its sessions, lock and all; it learns of it when it next asks something."""
    with psycopg.connect(client.database.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name LIKE 'clinledger-sequencer%'"
            " AND datname = current_database()"
        )


def why_stopped(live: LiveLedger) -> LedgerError:
    """Return why a sequencer stopped for good."""
    error = live.run(live.sequencer.wait_stopped())
    assert isinstance(error, LedgerError)
    return error


def test_a_second_sequencer_is_refused_while_the_first_runs(
    client: Client, second: LiveLedger
) -> None:
    """The first is named; it goes on."""
    with pytest.raises(EnvironmentRefusedError, match="clinledger-sequencer a test"):
        second.start()

    client.submit(client.note("after"))
    client.check()


def test_a_sequencer_that_lost_its_lock_unnoticed_does_not_write_beside_the_next(
    client: Client, second: LiveLedger
) -> None:
    """It believes to hold the lock until it writes; then it finds who does, and stops."""
    end_sessions_of_the_first(client)
    second.start()
    event = client.note("for the first")

    with pytest.raises(UnavailableError):
        client.live.submit(event)

    assert isinstance(why_stopped(client.live), EnvironmentRefusedError)
    client.keep(second.submit(event).receipt)
    client.check()


def test_a_sequencer_whose_head_another_moved_stops_though_the_lock_is_free(
    client: Client, second: LiveLedger
) -> None:
    """The other came and went between two of its appends."""
    end_sessions_of_the_first(client)
    second.start()
    client.keep(second.submit(client.note("by the second")).receipt)
    second.stop()
    event = client.note("for the first")

    with pytest.raises(UnavailableError):
        client.live.submit(event)

    error = why_stopped(client.live)
    assert isinstance(error, CorruptionError)
    assert error.code == "head-mismatch"
    client.live.stop()
    client.live.start()  # started anew, it knows of nothing
    client.submit(event)
    client.check()


def test_two_sequencers_without_a_lock_fence_each_other_by_the_head(
    client: Client, second: LiveLedger, proxy: CuttingProxy
) -> None:
    """Both are connected and write at once: one stops, and no event is lost or there twice."""
    proxy.inject(b"SELECT pg_advisory_unlock_all()")
    second.start()
    events = [client.note(f"note {number}") for number in range(60)]
    halves = {client.live: events[:30], second: events[30:]}
    pending = {
        event.statement: live.start_submitting(event)
        for pair in zip(*([(live, e) for e in half] for live, half in halves.items()), strict=True)
        for live, event in pair
    }
    for future in pending.values():
        future.exception(timeout=30)
    # Whoever wrote last goes on; the other has stopped, or stops when it next writes.
    more = {live: client.note(f"more {number}") for number, live in enumerate(halves)}
    stopped = [live for live in (second, client.live) if not _answers(live, more[live])]
    survivor = next(live for live in halves if live not in stopped)

    assert len(stopped) == 1
    error = why_stopped(stopped[0])
    assert isinstance(error, CorruptionError)
    assert error.code == "head-mismatch"
    for event in (*events, *more.values()):
        client.keep(survivor.submit(event).receipt)
    for future in pending.values():
        if future.exception() is None:
            client.keep(future.result().receipt)
    client.check()


def _answers(live: LiveLedger, event: SubmittedEvent) -> bool:
    try:
        live.submit(event)
    except UnavailableError:
        return False
    return True
