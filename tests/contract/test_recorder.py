"""The eventsourcing library's own recorder cases, on the bare storage layer and real PostgreSQL.

One clause is tightened: versions start at 1 and have no gaps, because each entry's link hashes the
previous version's leaf. Some of the library's cases count versions from 0; `CountsFromZero` moves
them up by one, and changes nothing else.
"""

import threading
from collections.abc import Generator, Sequence
from typing import Any
from uuid import UUID, uuid5

import msgspec
import pytest
from eventsourcing.persistence import IntegrityError, ProgrammingError, StoredEvent
from eventsourcing.tests.persistence import ApplicationRecorderTestCase
from typing_extensions import override

from ledger.clock import SystemClock
from ledger.database import Database
from ledger.recorder import LedgerRecorder
from ledger.recorder.states import Parts
from ledger.rows import EntryRow
from ledger.store import EntryStore

_NAMESPACE = UUID("5b1d5f7e-36b8-4f0c-8a4f-5f4f3f1f0c11")


class OpaqueStates:
    """Stores any bytes: the statement is topic and state, there is no container."""

    def to_parts(self, event: StoredEvent) -> Parts:
        statement = msgspec.msgpack.encode([event.topic, event.state])
        name = f"{event.originator_id}/{event.originator_version}"
        return Parts(
            event_id=uuid5(_NAMESPACE, name),
            statement=statement,
            container=b"",
            body=b"\x00" + statement,
        )

    def from_rows(self, reader: EntryStore, rows: Sequence[EntryRow]) -> list[tuple[str, bytes]]:
        assert isinstance(reader, EntryStore)
        bodies = [(row.body or b"")[1:] for row in rows]
        return [msgspec.msgpack.decode(body, type=tuple[str, bytes]) for body in bodies]


class CountsFromZero(LedgerRecorder):
    """Takes versions from 0, as some of the library's cases count, and stores them from 1."""

    _shift = False

    @override
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        if stored_events and stored_events[0].originator_version == 0:
            stored_events = [
                StoredEvent(e.originator_id, e.originator_version + 1, e.topic, e.state)
                for e in stored_events
            ]
        return super().insert_events(stored_events, **kwargs)


class TestLibraryCases(ApplicationRecorderTestCase[LedgerRecorder]):
    """Every case that the library asks of an application recorder."""

    @pytest.fixture(autouse=True)
    def _use_database(self, database: Database) -> None:
        self.database = database

    @override
    def create_recorder(self) -> LedgerRecorder:
        recorder = CountsFromZero(self.database, OpaqueStates(), clock=SystemClock())
        self.addCleanup(recorder.close)
        return recorder


@pytest.fixture
def recorder(each_database: Database) -> Generator[LedgerRecorder]:
    found = LedgerRecorder(each_database, OpaqueStates(), clock=SystemClock())
    yield found
    found.close()


STREAM = UUID("0190b3f2-0000-7000-8000-000000000001")


def stored(version: int, state: bytes = b"state") -> StoredEvent:
    return StoredEvent(STREAM, version, "topic.v1", state)


def test_versions_start_at_one_and_have_no_gaps(recorder: LedgerRecorder) -> None:
    for wrong in (0, 2):
        with pytest.raises(IntegrityError):
            recorder.insert_events([stored(wrong)])
    assert recorder.max_notification_id() is None
    assert recorder.insert_events([stored(1), stored(2)]) == [1, 2]


def test_a_refused_batch_leaves_nothing_and_burns_no_position(recorder: LedgerRecorder) -> None:
    recorder.insert_events([stored(1)])
    with pytest.raises(IntegrityError):
        recorder.insert_events([stored(2), stored(4)])
    assert recorder.insert_events([stored(2)]) == [2]


def test_tracking_is_not_written_with_events(recorder: LedgerRecorder) -> None:
    with pytest.raises(ProgrammingError):
        recorder.insert_events([stored(1)], tracking=object())


def test_a_subscription_gets_what_was_and_what_comes(recorder: LedgerRecorder) -> None:
    recorder.insert_events([stored(1, b"before")])
    with recorder.subscribe(gt=0) as subscription:
        assert next(subscription).state == b"before"
        recorder.insert_events([stored(2, b"after")])
        following = next(subscription)
    assert (following.id, following.state) == (2, b"after")


def test_two_recorders_on_one_ledger_never_break_the_chain(each_database: Database) -> None:
    one = LedgerRecorder(each_database, OpaqueStates(), clock=SystemClock())
    two = LedgerRecorder(each_database, OpaqueStates(), clock=SystemClock())
    one.insert_events([stored(1)])
    two.insert_events([stored(2)])
    one.insert_events([stored(3)])
    assert [event.originator_version for event in two.select_events(STREAM)] == [1, 2, 3]
    assert [event.originator_version for event in one.select_events(STREAM, gt=1, lte=2)] == [2]
    one.close()
    two.close()


class PausingStates(OpaqueStates):
    """Pauses a reader in the middle of its reading."""

    def __init__(self) -> None:
        self.reading = threading.Event()
        self.go_on = threading.Event()

    @override
    def from_rows(self, reader: EntryStore, rows: Sequence[EntryRow]) -> list[tuple[str, bytes]]:
        self.reading.set()
        assert self.go_on.wait(timeout=30)
        assert reader.head().size == len(rows)
        return super().from_rows(reader, rows)


def test_closing_waits_for_the_thread_that_is_reading(database: Database) -> None:
    """Else that thread goes on with a socket whose number another connection has by then."""
    states = PausingStates()
    recorder = LedgerRecorder(database, states, clock=SystemClock())
    recorder.insert_events([stored(1)])
    found: list[StoredEvent] = []
    reader = threading.Thread(target=lambda: found.extend(recorder.select_events(STREAM)))
    reader.start()
    assert states.reading.wait(timeout=30)
    closer = threading.Thread(target=recorder.close)
    closer.start()
    closer.join(timeout=0.2)
    assert closer.is_alive()
    states.go_on.set()
    reader.join(timeout=30)
    closer.join(timeout=30)
    assert not closer.is_alive()
    assert [event.originator_version for event in found] == [1]
