"""Whatever byte of whatever column a superuser changes, `verify` says so and says where.

The columns are read from the database: a new one fails these tests until its tampering is found.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from ledger.verify import Report
from tests.attack import Attack, Column, codes_at, found
from tests.checkpointed import CHECKPOINT_SIZES

KEY_COLUMNS = {
    "entry": ("position",),
    "sealed": ("position",),
    "head": ("size",),
    "tile": ("level", "index"),
    "ledger": ("origin",),
    "stream_key": ("stream",),
    "checkpoint": ("number",),
    "publication": ("number",),
}
BODY_CODES = {
    "body-unreadable",
    "statement-mismatch",
    "statement-malformed",
    "container-mismatch",
    "content-mismatch",
    "signature-invalid",
}
EXPECTED: dict[tuple[str, str], set[str]] = {
    ("entry", "position"): {"position-gap"},
    ("entry", "stream"): {"body-unreadable", "column-mismatch"},
    ("entry", "version"): {"version-gap"},
    ("entry", "event_id"): {"body-unreadable", "column-mismatch"},
    ("entry", "entry"): {"leaf-mismatch"},
    ("entry", "leaf_hash"): {"leaf-mismatch"},
    ("entry", "link_salt"): {"link-broken"},
    ("sealed", "position"): {"body-missing"},
    ("sealed", "body"): BODY_CODES,
    ("head", "one"): {"head-mismatch"},
    ("head", "size"): {"head-mismatch"},
    ("head", "peaks"): {"head-mismatch"},
    ("head", "root"): {"head-mismatch"},
    ("tile", "level"): {"tile-mismatch"},
    ("tile", "index"): {"tile-mismatch"},
    ("tile", "hash"): {"tile-mismatch"},
    ("ledger", "one"): {"column-mismatch"},
    ("ledger", "origin"): {"column-mismatch"},
    ("ledger", "facility_key_id"): {"column-mismatch"},
    ("stream_key", "stream"): {"body-unreadable"},
    ("stream_key", "stream_kind"): {"column-mismatch"},
    ("stream_key", "wrapped"): {"body-unreadable"},
    ("stream_key", "facility_key_id"): {"column-mismatch"},
    ("checkpoint", "number"): {"checkpoint-inconsistent"},
    ("checkpoint", "size"): {"column-mismatch"},
    ("checkpoint", "note"): {"checkpoint-inconsistent"},
    ("publication", "number"): {"checkpoint-inconsistent"},
    ("publication", "size"): {"column-mismatch"},
    ("publication", "note"): {"checkpoint-inconsistent"},
}
"""Codes of which the tampered row's position must have one."""

EMPTY = {"set_aside", "set_aside_head", "successor"}
"""Without rows in a ledger that goes on. Of the first two see tests/cli/test_set_aside.py; what the
last one says, nobody signed here: the successor's founding event does."""


def test_the_untouched_ledger_is_found_to_be_whole(disarmed: Attack) -> None:
    """Dropping constraints alone changes nothing, so the findings below come from the bytes."""
    report = disarmed.verify()

    assert report.ok
    assert report.findings == ()
    assert report.entries_checked == report.size == report.signatures_checked == 260


def test_every_column_has_an_expected_finding(disarmed: Attack) -> None:
    """A column that nobody has thought of is not silently left out below."""
    columns = {(c.table, c.name) for c in disarmed.columns() if c.table not in EMPTY}
    assert columns == set(EXPECTED)


@pytest.mark.parametrize(("table", "name"), EXPECTED)
def test_one_changed_byte_in_any_column_is_found_where_it_is(
    disarmed: Attack, table: str, name: str
) -> None:
    """First, last and some middle byte, in the first rows, a middle one and the last."""
    column = _column(disarmed, table, name)
    for row in _some_rows(disarmed, column):
        for at in (0, 0.5, 1.0):
            _tamper(disarmed, column, row, _flipped(column, row[-1], at, bit=0))


@pytest.mark.parametrize(("table", "name"), EXPECTED)
def test_a_nulled_column_is_found_where_it_is(disarmed: Attack, table: str, name: str) -> None:
    """NOT NULL does not hold against a superuser either."""
    column = _column(disarmed, table, name)
    for row in _some_rows(disarmed, column):
        _tamper(disarmed, column, row, None)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(sorted(EXPECTED)),
    row=st.integers(0, 10**6),
    at=st.floats(0, 1),
    bit=st.integers(0, 7),
)
def test_any_flipped_bit_anywhere_is_found(
    disarmed: Attack, name: tuple[str, str], row: int, at: float, bit: int
) -> None:
    """Random bits of random rows."""
    column = _column(disarmed, *name)
    rows = _rows(disarmed, column)
    chosen = rows[row % len(rows)]
    _tamper(disarmed, column, chosen, _flipped(column, chosen[-1], at, bit))


def _column(attack: Attack, table: str, name: str) -> Column:
    return next(c for c in attack.columns() if (c.table, c.name) == (table, name))


def _rows(attack: Attack, column: Column) -> list[tuple[Any, ...]]:
    """Return all rows in order: their key columns and then the column's value."""
    keys = sql.SQL(", ").join(map(sql.Identifier, KEY_COLUMNS[column.table]))
    query = sql.SQL("SELECT {keys}, {column} FROM {table} ORDER BY {keys}").format(
        keys=keys, column=sql.Identifier(column.name), table=column.relation
    )
    return attack.connection.execute(query).fetchall()


def _some_rows(attack: Attack, column: Column) -> list[tuple[Any, ...]]:
    rows = _rows(attack, column)
    return [rows[at] for at in sorted({0, len(rows) // 2, len(rows) - 1})]


def _flipped(column: Column, value: Any, at: float, bit: int) -> Any:  # noqa: ANN401 - any column's
    """Return the value with one bit changed in the byte at a fraction of its length."""
    match column.type:
        case "bytea":
            data = bytearray(value)
            data[_index(at, len(data))] ^= 1 << bit
            return bytes(data)
        case "text":
            place = _index(at, len(value))
            other = chr(ord(value[place]) ^ 1 << bit % 4)
            return value[:place] + other + value[place + 1 :]
        case "uuid":
            place = 15 - _index(at, 16)
            return type(value)(int=value.int ^ 1 << (8 * place + bit))
        case "boolean":
            return not value
        case "bigint" | "smallint":
            # The sign is left alone in most rows: positions far away are rare among flips.
            size = 7 if column.type == "bigint" else 1
            return value ^ 1 << (8 * _index(at, size) + bit % 7)
        case other:
            pytest.fail(f"no tampering is known for columns of type {other}")


def _index(at: float, length: int) -> int:
    return min(int(at * length), length - 1)


def _tamper(attack: Attack, column: Column, row: tuple[Any, ...], new: object) -> None:
    """Set one column of one row, verify, restore; the finding must be the expected one."""
    keys = KEY_COLUMNS[column.table]
    where = sql.SQL(" AND ").join(
        sql.SQL("{key} = {value}").format(key=sql.Identifier(key), value=sql.Literal(value))
        for key, value in zip(keys, row, strict=False)
    )
    query = sql.SQL("UPDATE {table} SET {column} = {new} WHERE {where}").format(
        table=column.relation,
        column=sql.Identifier(column.name),
        new=sql.Placeholder(),
        where=where,
    )
    assert attack.connection.execute(query, [new]).rowcount == 1
    try:
        report = attack.verify()
    finally:
        attack.restore(column)
    expected = EXPECTED[column.table, column.name]
    assert not report.ok
    assert expected & codes_at(report, _position(attack, column, row, report)), report.findings


def _position(attack: Attack, column: Column, row: tuple[Any, ...], report: Report) -> int | None:
    """Return where the finding must be: at the row's own position, if it has one."""
    match column.table:
        case "entry" | "sealed":
            return int(row[0])
        case "ledger" | "tile":
            return 0
        case "checkpoint" | "publication" if column.name == "number":
            return found(report, "checkpoint-inconsistent")[0]
        case "checkpoint" | "publication":
            number = int(row[0])
            return CHECKPOINT_SIZES[number - 1] - 1
        case "stream_key":
            stream = str(row[0])
            return next(
                built.position
                for built in attack.events
                if built.stream == stream and attack.body(built.position)[0] == 1
            )
        case _:
            (position, *_) = found(report, "head-mismatch")
            assert position is not None
            return position
