"""Read from the ledger's tables what folds need of an event, with as little work as possible.

Ids come as text, which folds want; what proves an event stays where it is; many rows come by COPY,
which costs both ends half of what a query does.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from ledger.database import Connection, Database

BareRow = tuple[int, str, int, str, bytes, bytes | None]
"""Position, stream, version, event_id, entry and body (None: its row is gone), all unchecked."""

_ROWS: Final = """
SELECT e.position, e.stream::text, e.version, e.event_id::text, e.entry, s.body
FROM {ledger}.entry AS e LEFT JOIN {ledger}.sealed AS s ON s.position = e.position
"""
# The second pair of bounds: without it the planner may scan bodies from the beginning.
_AFTER: Final = (
    _ROWS
    + """  AND s.position > %(after)s AND s.position < %(end)s
WHERE e.position > %(after)s AND e.position < %(end)s
ORDER BY e.position
"""
)
_OF_STREAMS: Final = _ROWS + "WHERE e.stream = ANY({streams}::uuid[]) AND e.position <= {up_to}"
_COPY: Final = "COPY ({query}) TO STDOUT (FORMAT BINARY)"
_TYPES: Final = ("int8", "text", "int8", "text", "bytea", "bytea")
_BY_VERSION: Final = itemgetter(1, 2)


def rows_after(
    connection: Connection, database: Database, after: int, *, end: int
) -> list[BareRow]:
    """Return the rows with after < position < end, by position."""
    parameters = {"after": after, "end": end}
    cursor = connection.execute(database.query(_AFTER), parameters, binary=True)
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in cursor.fetchall()]


def rows_of_streams(
    connection: Connection, database: Database, streams: Sequence[str], *, up_to: int
) -> list[BareRow]:
    """Return these streams' rows with position <= up_to, by stream and version."""
    query = sql.SQL(_OF_STREAMS).format(
        ledger=sql.Identifier(database.schema),
        streams=sql.Literal([UUID(text) for text in streams]),
        up_to=sql.Literal(up_to),
    )
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL(_COPY).format(query=query)) as copy,
    ):
        copy.set_types(_TYPES)
        rows: list[Any] = list(copy.rows())
    # The index nearly always gives them in this order; a sort on the server would move bodies.
    rows.sort(key=_BY_VERSION)
    return rows
