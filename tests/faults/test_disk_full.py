"""The disk of the database runs full while events are appended, and has room again."""

from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from ledger.embedded import EmbeddedPostgres
from ledger.errors import UnavailableError
from ledger.submitted import SubmittedEvent
from tests.faulty import Client, client_on
from tests.postgres import start_watchdog
from tests.small_disk import SmallDisk, small_disk

NO_MOUNT = "a small file system cannot be mounted here: it takes root and the right to mount"


@pytest.fixture
def disk() -> Generator[SmallDisk]:
    """A file system large enough for a database server and little more."""
    with small_disk(megabytes=160) as found:
        if found is None:
            pytest.skip(NO_MOUNT)
        yield found


@pytest.fixture
def server(disk: SmallDisk) -> Generator[EmbeddedPostgres]:
    """A server whose whole data folder is on the small disk."""
    home = disk.folder / "home"
    watchdog = start_watchdog(home)
    yield EmbeddedPostgres(home)
    watchdog.communicate(timeout=60)


@pytest.fixture
def client(server: EmbeddedPostgres, tmp_path: Path) -> Generator[Client]:
    """A client of a ledger on the small disk."""
    with client_on(server, tmp_path) as found:
        yield found


def append_until_refused(client: Client) -> SubmittedEvent:
    """Append until there is no answer; return the event that got none."""
    for number in range(5_000):
        event = client.note(f"note {number}")
        try:
            client.keep(client.live.submit(event).receipt)
        except UnavailableError:
            return event
    pytest.fail("the disk did not run full")


def test_a_full_disk_under_the_tables_refuses_and_loses_nothing(
    client: Client, disk: SmallDisk
) -> None:
    """The server goes on; the tables cannot grow. With room again, so does the sequencer."""
    client.check()
    disk.fill(leave_bytes=64 * 1024)

    event = append_until_refused(client)
    with pytest.raises(UnavailableError):
        client.live.submit(client.note("still full"))

    disk.clear()
    client.submit(event)
    client.submit(client.note("with room again"))
    client.check()


def append_and_switch_segments(
    client: Client, connection: psycopg.Connection[tuple[object, ...]]
) -> bool:
    """Append, and begin a new segment of the WAL; return False when the server is gone."""
    try:
        client.keep(client.live.submit(client.note(f"note {len(client.receipts)}")).receipt)
        connection.execute("SELECT pg_switch_wal()")
    except (psycopg.OperationalError, UnavailableError):
        return False
    return True


def test_a_full_disk_under_the_log_of_the_server_loses_nothing(
    client: Client, disk: SmallDisk, server: EmbeddedPostgres
) -> None:
    """PostgreSQL stops at once when its WAL cannot be written; nobody repairs anything."""
    disk.fill(leave_bytes=2 * 1024 * 1024)  # for the tables, not for a segment of the WAL
    with psycopg.connect(client.database.url, autocommit=True) as connection:
        for _ in range(20):
            if not append_and_switch_segments(client, connection):
                break
    event = client.note("unanswered")
    with pytest.raises(UnavailableError):
        client.live.submit(event)

    disk.clear()
    server.start()
    client.submit(event)
    client.check()
