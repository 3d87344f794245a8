"""Read what the ledger has grown by since it was last looked at, as of one moment."""

from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from typing import Final

from ledger.database import Connection, Database
from ledger.verify.bodies import StoredBody
from ledger.verify.rows import StoredEntry, StoredTile
from ledger.verify.snapshot import Snapshot, reading

_ENTRIES: Final = """
SELECT position, coalesce(uuid_send(stream), ''), coalesce(version, 0),
  coalesce(uuid_send(event_id), ''), coalesce(entry, ''), coalesce(leaf_hash, ''),
  coalesce(link_salt, '')
FROM {ledger}.entry
WHERE position >= %(start)s
ORDER BY position
"""
_BODIES: Final = """
SELECT position, coalesce(body, '')
FROM {ledger}.sealed
WHERE position >= %(start)s
ORDER BY position
"""
_TILES: Final = """
SELECT level, index, coalesce(hash, '')
FROM {ledger}.tile
WHERE index >= %(start)s >> (8 * level)
"""
_EVENT_IDS: Final = """
SELECT position, event_id::text
FROM {ledger}.entry
WHERE event_id = ANY(%(event_ids)s::uuid[])
ORDER BY position
"""
_STREAMS: Final = """
SELECT DISTINCT stream::text FROM {ledger}.entry WHERE position >= %(start)s AND version = 1
"""


class Growth(Snapshot):
    """The stored rows as of one moment, from a position on."""

    def new_entries(self, start: int) -> Iterator[StoredEntry]:
        """Return the rows of `entry` from a position on."""
        return self._stream(StoredEntry, _ENTRIES, {"start": start})

    def new_bodies(self, start: int) -> Iterator[StoredBody]:
        """Return the rows of `sealed` from a position on, whole."""
        return self._stream(StoredBody, _BODIES, {"start": start})

    def new_tiles(self, size: int) -> list[StoredTile]:
        """Return the rows of `tile` that a tree of this size does not complete."""
        return self._all(StoredTile, _TILES, {"start": size})

    def new_streams(self, start: int) -> list[str]:
        """Return the streams whose first event stands at or after a position."""
        query = self._database.query(_STREAMS)
        rows = self._connection.execute(query, {"start": start}).fetchall()
        return [str(row[0]) for row in rows]

    def places_of(self, event_ids: Collection[str]) -> list[tuple[int, str]]:
        """Return where these event ids stand, as often as they do, by position."""
        query = self._database.query(_EVENT_IDS)
        rows = self._connection.execute(query, {"event_ids": list(event_ids)}).fetchall()
        return [(int(position), str(event_id)) for position, event_id in rows]


@contextmanager
def open_growth(connection: Connection, database: Database) -> Generator[Growth]:
    """Begin one read-only transaction on an open connection.

    Raises:
        UnavailableError: the server ceases to answer.
        EnvironmentRefusedError: the tables cannot be read.
    """
    with reading(connection, database):
        yield Growth(connection, database)
