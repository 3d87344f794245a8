"""Rebuilding beside the live views: identical rows, an atomic switch, readers never without."""

import multiprocessing
import threading
import time
from multiprocessing.synchronize import Event as EventOfProcesses

import pytest

from ledger.database import Database
from ledger.errors import CorruptionError
from projections.check import check_views
from projections.patient_queries import patient_page
from projections.reads import ViewReader
from projections.rebuild import RebuildOptions, drop_inactive, rebuild
from projections.record_queries import record_page
from projections.runner import Projector
from projections.tracking import active_number, generations
from tests.stored_events import keyring
from tests.viewed_ledger import ViewedLedger

IN_PROCESSES = RebuildOptions(limit=5, processes=2, few=0)


def test_a_rebuild_yields_identical_rows_in_a_new_generation(
    viewed: ViewedLedger, projector: Projector
) -> None:
    viewed.fill()
    last = viewed.save()
    projector.catch_up()
    before = viewed.rows()
    told: list[int] = []
    options = RebuildOptions(progress=told.append, limit=5)
    number = rebuild(viewed.connection, viewed.database, keyring(), options)
    assert number == 2
    assert viewed.rows() == before
    assert generations(viewed.connection, viewed.database) == [2]
    assert told[-1] == last


def test_words_can_be_read_by_their_index_alone_as_soon_as_views_are_rebuilt(
    viewed: ViewedLedger, projector: Projector
) -> None:
    viewed.fill()
    viewed.save()
    projector.catch_up()
    number = rebuild(viewed.connection, viewed.database, keyring())
    name = f"{viewed.database.views_schema(number)}.search_word"
    query = "SELECT relpages, relallvisible FROM pg_class WHERE oid = %s::regclass"
    row = viewed.connection.execute(query, [name]).fetchone()
    assert row is not None
    pages, visible = row
    assert visible == pages > 0


def test_the_live_projector_goes_on_in_the_new_generation(
    viewed: ViewedLedger, projector: Projector
) -> None:
    record = viewed.fill()
    viewed.save()
    projector.catch_up()
    rebuild(viewed.connection, viewed.database, keyring())
    viewed.world.note(record, "after the switch")
    last = viewed.save()
    assert projector.catch_up() == last
    assert b"after the switch" in record_page(viewed.views, record)
    assert check_views(viewed.connection, viewed.database, keyring()) == ()


def test_a_rebuild_mends_tampered_views_and_bookkeeping(
    viewed: ViewedLedger, projector: Projector
) -> None:
    viewed.fill()
    viewed.save()
    projector.catch_up()
    right = viewed.rows()
    for damage in (
        b"UPDATE ledger_views_1.record SET body = '{}', status = 'closed'",
        b"UPDATE ledger_views_2.tracking SET position = 1000000",
        b"DELETE FROM ledger_views_3.tracking",
        b"DROP SCHEMA ledger_views_4 CASCADE",
    ):
        viewed.connection.execute(damage)
        rebuild(viewed.connection, viewed.database, keyring())
        assert viewed.rows() == right
    viewed.connection.execute(b"DELETE FROM ledger_views.active")
    rebuild(viewed.connection, viewed.database, keyring())
    assert viewed.rows() == right


def test_a_rebuild_that_fails_leaves_the_old_views_in_use(
    viewed: ViewedLedger, projector: Projector
) -> None:
    record = viewed.fill()
    last = viewed.save()
    projector.catch_up()
    shown = record_page(viewed.views, record)
    with viewed.connection.transaction():
        viewed.connection.execute("SET LOCAL session_replication_role = replica")
        viewed.connection.execute("DELETE FROM ledger.sealed WHERE position = %s", [last])
    with pytest.raises(CorruptionError):
        rebuild(viewed.connection, viewed.database, keyring())
    assert active_number(viewed.connection, viewed.database) == 1
    assert record_page(viewed.views, record) == shown
    drop_inactive(viewed.connection, viewed.database)
    assert generations(viewed.connection, viewed.database) == [1]


def test_readers_find_the_views_at_every_moment_of_rebuilds(
    viewed: ViewedLedger, projector: Projector
) -> None:
    record = viewed.fill()
    viewed.save()
    projector.catch_up()
    patient = viewed.world.events[5].stream
    expected = record_page(viewed.views, record), patient_page(viewed.views, patient)
    stop = threading.Event()
    seen: list[object] = []

    def read() -> None:
        with viewed.database.connect("reader") as connection:
            views = ViewReader(connection, viewed.database)
            while not stop.is_set():
                try:
                    seen.append((record_page(views, record), patient_page(views, patient)))
                except Exception as error:  # noqa: BLE001 - asserted on below
                    seen.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(5):
        rebuild(viewed.connection, viewed.database, keyring())
    stop.set()
    reader.join()
    assert len(seen) > 5
    assert all(pages == expected for pages in seen)


def test_further_processes_yield_identical_rows(viewed: ViewedLedger, projector: Projector) -> None:
    viewed.fill()
    viewed.save()
    projector.catch_up()
    before = viewed.rows()
    assert rebuild(viewed.connection, viewed.database, keyring(), IN_PROCESSES) == 2
    assert viewed.rows() == before


def test_what_a_further_process_finds_damaged_is_told_with_its_position(
    viewed: ViewedLedger, projector: Projector
) -> None:
    viewed.fill()
    last = viewed.save()
    projector.catch_up()
    with viewed.connection.transaction():
        viewed.connection.execute("SET LOCAL session_replication_role = replica")
        viewed.connection.execute("UPDATE ledger.sealed SET body = body || 'x' WHERE position = 7")
    with pytest.raises(CorruptionError, match="body-unreadable") as raised:
        rebuild(viewed.connection, viewed.database, keyring(), IN_PROCESSES)
    assert raised.value.position == 7
    assert viewed.views.reached() == last


@pytest.mark.parametrize("lost", [0, 5, 9])
def test_a_rebuild_finds_a_lost_entry(
    viewed: ViewedLedger, projector: Projector, lost: int
) -> None:
    viewed.fill()
    viewed.save()
    projector.catch_up()
    with viewed.connection.transaction():
        viewed.connection.execute("SET LOCAL session_replication_role = replica")
        viewed.connection.execute("DELETE FROM ledger.entry WHERE position = %s", [lost])
    with pytest.raises(CorruptionError, match=r"(position|version)-gap at position"):
        rebuild(viewed.connection, viewed.database, keyring())
    assert active_number(viewed.connection, viewed.database) == 1


def test_a_killed_rebuild_leaves_the_old_views_in_use_and_no_process_behind(
    viewed: ViewedLedger, projector: Projector
) -> None:
    record = viewed.fill()
    viewed.save()
    projector.catch_up()
    shown = viewed.rows()
    context = multiprocessing.get_context("spawn")
    told = context.Event()
    process = context.Process(target=_rebuild_until_killed, args=(viewed.database, told))
    process.start()
    assert told.wait(60)
    deadline = time.monotonic() + 20
    while _rebuilding(viewed) < 2:  # the rebuild, and a further process
        assert time.monotonic() < deadline, "no further process loads"
        time.sleep(0.05)
    process.kill()
    process.join()
    deadline = time.monotonic() + 20
    while _rebuilding(viewed):
        assert time.monotonic() < deadline, "a process of the killed rebuild goes on"
        time.sleep(0.05)
    assert viewed.rows() == shown
    viewed.world.note(record, "the live views go on")
    last = viewed.save()
    assert projector.catch_up() == last
    live = viewed.rows()
    rebuild(viewed.connection, viewed.database, keyring())
    assert viewed.rows() == live
    assert len(generations(viewed.connection, viewed.database)) == 1


def _rebuild_until_killed(database: Database, told: EventOfProcesses) -> None:
    def wait(_: int) -> None:
        told.set()
        time.sleep(60)

    options = RebuildOptions(progress=wait, limit=2, processes=2, few=0)
    with database.connect("owner", name="clinledger-rebuild") as connection:
        rebuild(connection, database, keyring(), options)


def _rebuilding(viewed: ViewedLedger) -> int:
    row = viewed.connection.execute(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE application_name = 'clinledger-rebuild' AND datname = current_database()"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_commits_during_a_rebuild_are_in_the_new_views(viewed: ViewedLedger) -> None:
    record = viewed.fill()
    viewed.save()
    written: list[int] = []

    def write(_: int) -> None:
        if len(written) < 3:
            viewed.world.note(record, "meanwhile")
            written.append(viewed.save())

    options = RebuildOptions(progress=write, limit=4)
    rebuild(viewed.connection, viewed.database, keyring(), options)
    assert viewed.views.reached() == written[-1]
    assert check_views(viewed.connection, viewed.database, keyring()) == ()
