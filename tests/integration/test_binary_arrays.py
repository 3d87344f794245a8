"""Arrays in PostgreSQL's binary form: the server reads what was written, however it is sent."""

import asyncio

import pytest

from ledger.binary_arrays import (
    EncodedArray,
    bytes_array,
    integers_array,
    texts_array,
    uuids_array,
)
from ledger.database import Database
from ledger.prepared import PreparedStatements

SAME = b"SELECT (%(array)b)::text"
CASES = [
    ("bytea", bytes_array([]), "{}"),
    ("bytea", bytes_array([b"", b"\x00\xff", b"{,}"]), '{"\\\\x","\\\\x00ff","\\\\x7b2c7d"}'),
    ("bigint", integers_array([]), "{}"),
    ("bigint", integers_array([0, -1, 2**63 - 1, -(2**63)]), f"{{0,-1,{2**63 - 1},{-(2**63)}}}"),
    ("text", texts_array([]), "{}"),
    ("text", texts_array(["", "bệnh án", 'a"b']), '{"","bệnh án","a\\"b"}'),
    ("uuid", uuids_array([]), "{}"),
    ("uuid", uuids_array([bytes(range(16))]), "{00010203-0405-0607-0809-0a0b0c0d0e0f}"),
]


@pytest.mark.parametrize(("kind", "array", "text"), CASES)
def test_the_server_reads_what_was_written(
    database: Database, kind: str, array: EncodedArray, text: str
) -> None:
    with database.connect("reader") as connection:
        row = connection.execute(SAME, {"array": array}).fetchone()
    assert row == (text,)

    async def prepared() -> bytes | None:
        connection = await database.connect_async("reader")
        try:
            statements = PreparedStatements(connection)
            typed = SAME.replace(b"%(array)b", b"%%(array)b::%s[]" % kind.encode())
            result = await statements.run(typed, {"array": array})
            statements.close()
            return result.get_value(0, 0)
        finally:
            await connection.close()

    assert asyncio.run(prepared()) == text.encode()
