"""Rows encoded by us are read by PostgreSQL as psycopg's own dumpers would have sent them."""

from typing import Any, Final

import pytest
from psycopg import sql

from projections.binary_rows import COPY_BEGIN, COPY_END, array_data, row_encoder
from projections.packing import pack
from tests.viewed_ledger import ViewedLedger

KINDS: Final = ("uuid", "text", "bigint", "bytea")
ROWS: Final[list[tuple[Any, ...]]] = [
    ("019a0000-0000-7000-8000-0000000000ff", "Nguyễn Thị Hải", 0, b"\0\xff body"),
    ("00000000-0000-0000-0000-000000000000", "", -(1 << 63), b""),
    (None, None, None, None),
    ("ffffffff-ffff-8fff-bfff-ffffffffffff", "𝄞\n\t\\N", (1 << 63) - 1, bytes(9000)),
]


@pytest.mark.parametrize("count", [0, 2, 4])
def test_rows_arrive_by_copy_and_as_arrays_as_they_were(viewed: ViewedLedger, count: int) -> None:
    connection, rows = viewed.connection, ROWS[:count]
    for name in ("copied", "given"):
        table = sql.Identifier(name)
        query = sql.SQL("CREATE TEMPORARY TABLE {} (u uuid, t text, i bigint, b bytea)")
        connection.execute(query.format(table))
    encode = row_encoder(KINDS)
    into = "COPY copied FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        copy.write(COPY_BEGIN + b"".join(map(encode, rows)) + COPY_END)
    columns = list(zip(*rows, strict=True)) or [()] * len(KINDS)
    arrays = [array_data(kind, column) for kind, column in zip(KINDS, columns, strict=True)]
    connection.execute(
        "INSERT INTO given SELECT * FROM unnest(%b::uuid[], %b::text[], %b::bigint[], %b::bytea[])",
        arrays,
    )
    for name in ("copied", "given"):
        query = sql.SQL("SELECT u::text, t, i, b FROM {}").format(sql.Identifier(name))
        assert connection.execute(query).fetchall() == rows


def test_a_packed_column_is_one_of_packed_bytes() -> None:
    values = [b"one", None, b""]
    packed = [None if value is None else pack(value) for value in values]
    assert array_data("packed", values).data == array_data("bytea", packed).data
    for value, known in zip(values, packed, strict=True):
        assert row_encoder(["packed"])([value]) == row_encoder(["bytea"])([known])
