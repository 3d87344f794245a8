"""Fold one batch of events into the views: the same for catching up, living and rebuilding."""

from collections.abc import Sequence
from typing import Final

from ledger.bare import BareReader
from ledger.database import Connection, Database
from ledger.keyring import Keyring
from ledger.reader import LedgerReader
from projections.binary_rows import array_data
from projections.catalogue import LAYOUT, PROJECTIONS
from projections.errors import ProjectionFailedError
from projections.projection import StateCache
from projections.tables import Changes, Row, Table, select_rows, views_query
from projections.tracking import FOLLOW, Tracking, tracking

BATCH: Final = 1_000


class Engine:
    """Folds batches into one generation over one connection; not to be shared between threads.

    Its caches are valid as long as nobody else advances the generation: every batch compares the
    tracking row with what it knows, and starts from the tables when they differ.
    """

    def __init__(
        self, connection: Connection, database: Database, keyring: Keyring, *, number: int
    ) -> None:
        """Fold into the generation `number`, reading the ledger over the same connection."""
        self._connection = connection
        self._database = database
        self._reader = BareReader(LedgerReader(connection, database, keyring))
        self._schema = database.views_schema(number)
        self._caches = [StateCache(projection) for projection in PROJECTIONS]
        self._known: Tracking | None = None
        self.number = number

    @property
    def reached(self) -> int:
        """Position that the last batch found or reached, -1 for none or when it failed."""
        return -1 if self._known is None else self._known.position

    def fold_batch(self, limit: int = BATCH) -> Tracking | None:
        """Fold the next events, up to `limit`, in; None when there were none.

        In the caller's transaction: (1) lock the tracking row, (2) read the events after it, (3)
        write the rows that they change, (4) advance the tracking row. A crash leaves nothing
        half-written, and a transaction that fails is noticed by the next batch: the tracking row is
        not what is known.

        Raises:
            CorruptionError: stored events contradict their digests; nothing was written.
            ProjectionFailedError: another version of the program wrote these views.
        """
        known, self._known = self._known, None  # stays None when anything below fails
        place = tracking(self._connection, self._database, self.number, lock=True)
        if place.layout != LAYOUT:
            raise ProjectionFailedError(
                "the views were made by another version: run `clinledger rebuild`"
            )
        if place != known:
            for cache in self._caches:
                cache.clear()
        events = self._reader.events(place.position, limit)
        if events:
            changes = Changes()
            for cache in self._caches:
                cache.fold(events, self._load, changes)
            place = self._write(changes, events[-1].position)
        self._known = place
        return place if events else None

    def _write(self, changes: Changes, position: int) -> Tracking:
        # One answer for all tables and the tracking row, not one for each.
        with self._connection.pipeline():
            changes.flush(self._connection, self._schema)
            cursor = self._connection.execute(
                views_query(FOLLOW, self._database, self.number), {"position": position}
            )
        [(leaf_hash,)] = cursor.fetchall()
        return Tracking(position=position, leaf_hash=leaf_hash, layout=LAYOUT)

    def _load(self, table: Table, streams: Sequence[str]) -> list[Row]:
        cursor = self._connection.execute(
            select_rows(table, self._schema),
            {"streams": array_data("uuid", streams)},
            binary=True,
        )
        return [table.unpack(row) for row in cursor]
