"""The projector: batches, tracking, notifications, reconnection, two at once."""

import threading
import time
from typing import LiteralString

import psycopg
import pytest

from ledger.database import Database, Role
from ledger.errors import CorruptionError
from projections.check import check_views
from projections.engine import Engine
from projections.errors import ProjectionBehindError, ProjectionFailedError
from projections.record_queries import record_page, records_by_identifier
from projections.replay import record_as_of
from projections.runner import Projector, wait_for_position
from projections.tracking import NO_LEAF, install_views, tracking
from tests.stored_events import keyring
from tests.viewed_ledger import ViewedLedger


def test_catching_up_folds_everything_and_says_how_far(
    viewed: ViewedLedger, projector: Projector
) -> None:
    record = viewed.fill()
    last = viewed.save()
    assert projector.catch_up() == last
    assert record_page(viewed.views, record) == record_as_of(viewed.reader, record)
    place = tracking(viewed.connection, viewed.database, 1)
    assert (place.position, place.leaf_hash) == (last, viewed.event(last).leaf_hash)
    assert all(rows for rows in viewed.rows().values())


def test_views_begin_before_the_first_position(viewed: ViewedLedger) -> None:
    place = tracking(viewed.connection, viewed.database, 1)
    assert (place.position, place.leaf_hash) == (-1, NO_LEAF)


def test_any_split_into_batches_yields_the_same_rows(viewed: ViewedLedger) -> None:
    viewed.fill()
    viewed.save()
    shown: list[object] = []
    for number, limit in ((1, 1), (2, 2), (3, 3), (4, 1000)):
        if number > 1:
            _new_generation(viewed, number)
        projector = Projector(viewed.database, keyring(), limit=limit)
        projector.catch_up()
        projector.close()
        shown.append(viewed.rows())
    assert all(rows == shown[0] for rows in shown)


def test_a_projector_that_starts_in_the_middle_goes_on_from_the_tables(
    viewed: ViewedLedger,
) -> None:
    viewed.fill()
    while viewed.save(3) < len(viewed.world.events) - 1:
        _projected(viewed)
    _projected(viewed)
    assert check_views(viewed.connection, viewed.database, keyring()) == ()


def test_a_batch_that_fails_leaves_nothing_behind(viewed: ViewedLedger) -> None:
    viewed.fill()
    last = viewed.save()
    before = viewed.rows()
    _break_body(viewed, last)
    projector = Projector(viewed.database, keyring())
    with pytest.raises(CorruptionError) as raised:
        projector.catch_up()
    projector.close()
    assert raised.value.position == last
    assert viewed.rows() == before


def test_no_length_of_names_or_identifiers_stops_the_projector(
    viewed: ViewedLedger, projector: Projector
) -> None:
    long = "".join(chr(0x1F600 + n * 7 % 80) + chr(0x20000 + n * 7919 % 40000) for n in range(5000))
    stream = viewed.world.register(long, identifiers=[(long, long)]).stream
    record = viewed.world.admit(stream, long, "BA-9").stream
    viewed.world.order(record, long, "XN-9")
    viewed.save()
    projector.catch_up()
    assert [hit.record for hit in records_by_identifier(viewed.views, long)] == [record]
    assert check_views(viewed.connection, viewed.database, keyring()) == ()


def test_two_projectors_of_one_ledger_do_no_harm(viewed: ViewedLedger) -> None:
    viewed.fill()
    viewed.save()
    both = [Projector(viewed.database, keyring(), limit=2) for _ in range(2)]
    threads = [threading.Thread(target=projector.catch_up) for projector in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for projector in both:
        projector.close()
    assert check_views(viewed.connection, viewed.database, keyring()) == ()


def test_a_running_projector_follows_commits_without_waiting_for_the_poll(
    viewed: ViewedLedger,
) -> None:
    record = viewed.fill()
    first = viewed.save()
    with Following(viewed.database, poll_seconds=60):
        wait_for_position(viewed.connection, viewed.database, first, timeout_seconds=20)
        viewed.world.note(record, "live")
        later = viewed.save()
        wait_for_position(viewed.connection, viewed.database, later, timeout_seconds=20)
        viewed.world.note(record, "wakes it to stop")
        stopping = threading.Timer(0.2, viewed.save)
        stopping.start()
    stopping.join()
    assert b'"title":"live"' in record_page(viewed.views, record)


def test_a_commit_that_was_folded_already_wakes_nobody(viewed: ViewedLedger) -> None:
    viewed.fill()
    last = viewed.save()
    with Following(viewed.database, poll_seconds=60):
        wait_for_position(viewed.connection, viewed.database, last, timeout_seconds=20)
        time.sleep(0.3)  # until it has looked once more and waits
        before = _last_lock(viewed)
        viewed.connection.execute("SELECT pg_notify('ledger', %s)", [str(last + 1)])
        time.sleep(0.3)
        assert _last_lock(viewed) == before
        viewed.connection.execute("SELECT pg_notify('ledger', 'what is no size')")
        deadline = time.monotonic() + 20
        while _last_lock(viewed) == before:
            assert time.monotonic() < deadline, "it does not look when it cannot know"
            time.sleep(0.02)
        viewed.world.note(viewed.world.events[-1].stream, "wakes it to stop")
        stopping = threading.Timer(0.2, viewed.save)
        stopping.start()
    stopping.join()


def test_a_projector_reconnects_when_its_connections_are_cut(viewed: ViewedLedger) -> None:
    record = viewed.fill()
    first = viewed.save()
    with Following(viewed.database, poll_seconds=0.1):
        wait_for_position(viewed.connection, viewed.database, first, timeout_seconds=20)
        cut = viewed.connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name LIKE 'clinledger-projector%' AND datname = current_database()"
        ).fetchone()
        assert cut == (2,)
        viewed.world.note(record, "after the cut")
        later = viewed.save()
        wait_for_position(viewed.connection, viewed.database, later, timeout_seconds=20)
    assert check_views(viewed.connection, viewed.database, keyring()) == ()


def test_waiting_for_a_position_that_does_not_come_says_how_far_the_views_are(
    viewed: ViewedLedger,
) -> None:
    with pytest.raises(ProjectionBehindError) as raised:
        wait_for_position(viewed.connection, viewed.database, 0, timeout_seconds=0.05)
    assert (raised.value.wanted, raised.value.reached) == (0, -1)


def test_views_of_another_version_are_not_continued(viewed: ViewedLedger) -> None:
    viewed.fill()
    viewed.save()
    viewed.connection.execute("UPDATE ledger_views_1.tracking SET layout = 'older'")
    engine = Engine(viewed.connection, viewed.database, keyring(), number=1)
    with pytest.raises(ProjectionFailedError, match="rebuild"):
        engine.fold_batch()


def test_installing_again_changes_nothing(viewed: ViewedLedger) -> None:
    viewed.fill()
    viewed.save()
    _projected(viewed)
    before = viewed.rows()
    assert install_views(viewed.connection, viewed.database) == 1
    assert viewed.rows() == before


def test_the_projector_may_not_write_the_ledger_nor_the_reader_the_views(
    viewed: ViewedLedger,
) -> None:
    attempts: tuple[tuple[Role, LiteralString], ...] = (
        ("projector", "DELETE FROM ledger.entry"),
        ("projector", "INSERT INTO ledger.head (size, peaks, root) VALUES (1, '', '')"),
        ("reader", "DELETE FROM ledger_views_1.record"),
        ("reader", "UPDATE ledger_views.active SET number = 7"),
    )
    for role, statement in attempts:
        with (
            viewed.database.connect(role) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)


class Following:
    """Runs a projector in a thread, and raises here what stopped it."""

    def __init__(self, database: Database, *, poll_seconds: float) -> None:
        self._projector = Projector(database, keyring())
        self._poll_seconds = poll_seconds
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self._projector.run(self._stop, poll_seconds=self._poll_seconds)
        except Exception as error:  # noqa: BLE001 - raised again by the test's thread
            self._failure = error

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        started = time.monotonic()
        self._thread.join()
        assert time.monotonic() - started < 20
        if self._failure is not None:
            raise self._failure


def _last_lock(viewed: ViewedLedger) -> object:
    """Return the transaction that locked the tracking row last: every batch does."""
    return viewed.connection.execute("SELECT xmax FROM ledger_views_1.tracking").fetchall()


def _projected(viewed: ViewedLedger) -> None:
    projector = Projector(viewed.database, keyring(), limit=3)
    projector.catch_up()
    projector.close()


def _new_generation(viewed: ViewedLedger, number: int) -> None:
    viewed.connection.execute("UPDATE ledger_views.active SET number = %s", [number])
    install_views(viewed.connection, viewed.database)


def _break_body(viewed: ViewedLedger, position: int) -> None:
    # What a superuser can do: the triggers are switched off for the session.
    with viewed.connection.transaction():
        viewed.connection.execute("SET LOCAL session_replication_role = replica")
        viewed.connection.execute(
            "UPDATE ledger.sealed SET body = '\\x00' WHERE position = %s", [position]
        )
