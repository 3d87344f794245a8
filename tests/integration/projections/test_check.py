"""Tampering with any view is found and located, whatever was changed and wherever."""
# ruff: noqa: S608 - the tests tamper as a superuser would, by whatever SQL

import pytest
import zstandard
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ledger.database import Database
from ledger.errors import UnavailableError
from ledger.verify.report import Finding
from projections.catalogue import TABLES
from projections.check import check_views
from projections.packing import pack, unpack
from projections.runner import Projector
from projections.tables import Column, Table
from tests.stored_events import keyring
from tests.viewed_ledger import ViewedLedger

VIEWS = "ledger_views_1"
FLIP = "set_byte({column}, 0, get_byte({column}, 0) # 1)"
FLIP_LAST = "set_byte({column}, length({column}) - 1, get_byte({column}, length({column}) - 1) # 1)"
NEXT = "translate(substr({column}::text, 12, 1), '0123456789abcdef', '123456789abcdef0')"
CHANGES = {
    "uuid": f"coalesce(overlay({{column}}::text placing {NEXT} from 12)::uuid, gen_random_uuid())",
    "bigint": "coalesce({column}, 0) + 1000",
    "text": "coalesce({column}, '') || 'x'",
    "bytea": f"coalesce({FLIP}, 'x')",
    "packed": FLIP_LAST,
}
UNBOUND_POINTER = """
ALTER TABLE ledger_views.active DROP CONSTRAINT active_is_one_row;
UPDATE ledger_views.active SET one = false
"""
OTHERS = {"uuid": "gen_random_uuid()", "bigint": "99", "text": "'strange'"}


@pytest.fixture
def projected(viewed: ViewedLedger, projector: Projector) -> ViewedLedger:
    viewed.fill()
    viewed.save()
    projector.catch_up()
    return viewed


def findings(viewed: ViewedLedger, *, processes: int = 1) -> tuple[Finding, ...]:
    ring = keyring()
    return check_views(viewed.connection, viewed.database, ring, processes=processes, few=0)


def test_untouched_views_have_no_finding(projected: ViewedLedger) -> None:
    assert findings(projected) == ()


def test_views_that_are_behind_are_checked_as_of_their_own_tracking(
    projected: ViewedLedger,
) -> None:
    projected.world.register("Phạm Văn Tài")
    projected.save()
    assert findings(projected) == ()


def test_any_change_of_any_column_of_any_row_is_found_and_located(projected: ViewedLedger) -> None:
    last = len(projected.world.events) - 1
    for table in TABLES:
        for column in table.columns:
            for place in range(_count(projected, table)):
                found = _tampered(projected, table, _update(column), place)
                assert found, f"{table.name}.{column.name} row {place}"
                for finding in found:
                    assert finding.code == "view-mismatch"
                    assert finding.position is not None
                    assert 0 <= finding.position <= last
                    assert "Hải" not in finding.detail
    assert findings(projected) == ()


@pytest.mark.parametrize(
    "body", [b"", b"{}", pack(b"{}"), pack(b"{}") + b"\0", zstandard.compress(b"{}")]
)
def test_a_packed_body_that_is_replaced_or_damaged_is_found(
    projected: ViewedLedger, body: bytes
) -> None:
    query = "UPDATE ledger_views_1.record_item SET body = %(body)s WHERE section = 'orders'"
    projected.connection.execute(query, {"body": body})
    found = findings(projected)
    assert found
    assert {finding.detail for finding in found} == {
        "record_item is not what the ledger yields: column body"
    }


def test_an_item_that_is_packed_otherwise_is_the_same_item(projected: ViewedLedger) -> None:
    name = f"{VIEWS}.record_item"
    [(ctid, body)] = projected.connection.execute(
        f"SELECT ctid::text, body FROM {name} WHERE section = 'orders' LIMIT 1"
    ).fetchall()
    other = zstandard.compress(unpack(body), level=9)
    assert other != body
    query = f"UPDATE {name} SET body = %(body)s WHERE ctid = %(row)s::tid"
    projected.connection.execute(query, {"body": other, "row": ctid})
    assert findings(projected) == ()


def test_a_deleted_row_of_any_table_is_found_at_its_position(projected: ViewedLedger) -> None:
    for table in TABLES:
        for place, at in enumerate(_positions(projected, table)):
            found = _tampered(projected, table, "DELETE FROM {table} WHERE ctid = {row}", place)
            assert [finding.position for finding in found] == [at], table.name


def test_an_added_row_of_any_table_is_found(projected: ViewedLedger) -> None:
    for table in TABLES:
        for changed in {table.key[-1], table.stream}:
            found = _tampered(projected, table, _copy(table, changed), 0)
            assert found, f"{table.name} with another {changed}"


@pytest.mark.parametrize(
    "change",
    [
        "position = position - 1",
        "position = 1000000",
        "position = -7",
        "layout = layout || 'x'",
        f"leaf_hash = {FLIP}".replace("{column}", "leaf_hash"),
    ],
)
def test_a_changed_tracking_is_found(projected: ViewedLedger, change: str) -> None:
    _run(projected, "UPDATE ledger_views_1.tracking SET " + change)
    assert findings(projected)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledger_views_1.tracking",
        "DELETE FROM ledger_views.active",
        "UPDATE ledger_views.active SET number = 2",
        UNBOUND_POINTER,
        "DROP TABLE ledger_views_1.staff_key",
        "ALTER TABLE ledger_views_1.record RENAME body TO bodies",
        "ALTER TABLE ledger_views_1.record ADD extra text",
        "CREATE TABLE ledger_views_1.extra (one text)",
        "DROP SCHEMA ledger_views_1 CASCADE",
        "DROP SCHEMA ledger_views CASCADE",
    ],
)
def test_missing_or_bent_bookkeeping_is_found(projected: ViewedLedger, statement: str) -> None:
    _run(projected, statement)
    assert [finding.code for finding in findings(projected)][:1] == ["view-mismatch"]


def test_a_damaged_ledger_does_not_stop_the_check_of_other_streams(projected: ViewedLedger) -> None:
    events = projected.world.events
    allergy = next(e.position for e in events if e.statement.type == "allergy-recorded.v1")
    orders = [e.position for e in events if e.statement.type == "order-placed.v1"]
    with projected.connection.transaction():
        _run(projected, "SET LOCAL session_replication_role = replica")
        _run(projected, f"DELETE FROM ledger.sealed WHERE position = {allergy}")
        _run(projected, "DELETE FROM ledger_views_1.record_item WHERE section = 'orders'")
    assert [finding.position for finding in findings(projected)] == [allergy, *orders]


def test_further_processes_find_the_same(projected: ViewedLedger) -> None:
    assert findings(projected, processes=2) == ()
    for table in TABLES:
        name = f"{VIEWS}.{table.name}"
        _run(projected, _copy(table, table.stream).format(table=name, row="'(0,1)'"))
    _run(projected, f"DELETE FROM {VIEWS}.record_item WHERE section = 'orders'")
    with projected.connection.transaction():
        _run(projected, "SET LOCAL session_replication_role = replica")
        _run(projected, "DELETE FROM ledger.sealed WHERE position = 2")
    alone = findings(projected)
    for what in ("is damaged", "a row is missing", "a stream that the ledger does not have"):
        assert any(what in finding.detail for finding in alone), what
    assert findings(projected, processes=2) == alone


def test_a_further_process_that_loses_the_database_says_so(projected: ViewedLedger) -> None:
    lost = Database(make_conninfo(projected.database.url, port=1), projected.database.schema)
    with pytest.raises(UnavailableError):
        check_views(projected.connection, lost, keyring(), processes=2, few=0)


def _update(column: Column) -> str:
    value = CHANGES[column.type].replace("{column}", column.name)
    return f"UPDATE {{table}} SET {column.name} = {value} WHERE ctid = {{row}}"


def _copy(table: Table, changed: str) -> str:
    """Insert a copy of a row that differs in one column, and in its key's first one if needed."""
    other = {changed} if changed in table.key else {changed, table.key[0]}
    values = [
        OTHERS[column.type] if column.name in other else column.name for column in table.columns
    ]
    return f"INSERT INTO {{table}} SELECT {', '.join(values)} FROM {{table}} WHERE ctid = {{row}}"


def _tampered(viewed: ViewedLedger, table: Table, text: str, place: int) -> tuple[Finding, ...]:
    """Do to one row what a superuser could, check, and put the table back."""
    name = f"{VIEWS}.{table.name}"
    row = f"(SELECT ctid FROM {name} ORDER BY {', '.join(table.key)} LIMIT 1 OFFSET {place})"
    _run(viewed, f"CREATE TEMP TABLE kept AS SELECT * FROM {name}")
    _run(viewed, text.replace("{table}", name).replace("{row}", row))
    found = findings(viewed)
    _run(viewed, f"DELETE FROM {name}; INSERT INTO {name} SELECT * FROM kept; DROP TABLE kept")
    return found


def _run(viewed: ViewedLedger, text: str) -> None:
    viewed.connection.execute(text.encode())


def _count(viewed: ViewedLedger, table: Table) -> int:
    return len(_positions(viewed, table))


def _positions(viewed: ViewedLedger, table: Table) -> list[int]:
    order = sql.SQL(", ").join(sql.Identifier(name) for name in table.key)
    query = sql.SQL("SELECT position FROM {} ORDER BY {}")
    name = sql.Identifier(VIEWS, table.name)
    return [row[0] for row in viewed.connection.execute(query.format(name, order)).fetchall()]
