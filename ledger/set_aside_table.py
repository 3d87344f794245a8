"""Read set-aside rows as they lie, from their two tables, and find what no event records yet."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from ledger.database import Connection, Database
from ledger.errors import CorruptionError
from ledger.merkle import CompactRange, leaf_hash
from ledger.profiles.facts import SetAsideFacts
from ledger.rows import Head
from ledger.set_aside import FORMAT, SetAside, SetAsideRows, describe
from ledger.store import EntryStore

_NULL: Final = b"\xff\xff\xff\xff"
_SIZES: Final = """
SELECT DISTINCT size FROM (
  SELECT size FROM {ledger}.set_aside UNION ALL SELECT size FROM {ledger}.set_aside_head
) AS s
WHERE size >= %(start)s
ORDER BY size
"""
_ROWS: Final = """
SELECT ordinal, position, stream, version, event_id, entry, leaf_hash, link_salt, body
FROM {ledger}.set_aside
WHERE size = %(size)s
ORDER BY ordinal
"""
_HEADS: Final = """
SELECT ordinal, head_size, head_root, head_peaks
FROM {ledger}.set_aside_head
WHERE size = %(size)s
ORDER BY ordinal
"""


def read_set_aside(
    connection: Connection, database: Database, *, start: int = 0
) -> list[SetAsideRows]:
    """Read every decision that kept at least `start` entries, by size.

    Args:
        connection: of any role, in any state of a transaction.
        database: where the ledger lies.
        start: smaller ones are left out.
    """
    return [_read(connection, database, size) for size in _sizes(connection, database, start)]


def find_pending(
    store: EntryStore, head: Head, *, recorded: Sequence[SetAsideFacts]
) -> SetAside | None:
    """Return the decision that waits to be recorded by the next event, None for none.

    Args:
        store: of the ledger.
        head: as committed.
        recorded: decisions that events record, by position.

    Raises:
        CorruptionError: `set-aside-mismatch`: something was set aside elsewhere than at the head,
            and no event records it.
    """
    known = {facts.decided.size for facts in recorded}
    found: SetAside | None = None
    for size in _sizes(store.connection, store.database, 1):
        if size in known:
            continue
        if size != head.size:
            raise CorruptionError("set-aside-mismatch", size, "no event records it")
        rows = _read(store.connection, store.database, size)
        found = describe(rows, CompactRange.from_peaks(head.size, head.peaks))
    return found


def _sizes(connection: Connection, database: Database, start: int) -> list[int]:
    rows = connection.execute(database.query(_SIZES), {"start": start}).fetchall()
    return [int(row[0]) for row in rows]


def _read(connection: Connection, database: Database, size: int) -> SetAsideRows:
    digest = hashlib.sha256(f"{FORMAT}\n".encode())
    leaves: list[bytes] = []
    with connection.cursor() as cursor:
        cursor.execute(database.query(_ROWS), {"size": size}, binary=True)
        for row in cursor:
            digest.update(b"".join(_fields(row)))
            entry = row[5]
            if entry is not None:  # else a body without an entry, which is no leaf
                leaves.append(leaf_hash(bytes(entry)))
        cursor.execute(database.query(_HEADS), {"size": size}, binary=True)
        for row in cursor:
            digest.update(b"".join(_fields(row)))
    return SetAsideRows(size=size, leaves=tuple(leaves), digest=digest.digest())


def _fields(row: Sequence[Any]) -> Iterator[bytes]:
    """Spell each column: its length in four bytes, then its bytes; null has a length of its own."""
    for value in row:
        match value:
            case None:
                yield _NULL
            case int():
                yield (8).to_bytes(4) + value.to_bytes(8, signed=True)
            case UUID():
                yield (16).to_bytes(4) + value.bytes
            case _:
                yield len(value).to_bytes(4) + bytes(value)
