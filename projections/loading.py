"""Fold whole streams into a generation that nobody reads yet, and write their rows by COPY.

A row depends on one stream only, so pages of streams can be loaded in any order, by any number of
processes, each row once. What the facility's stream says of members of staff is the exception: the
directory is loaded as one page.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ledger.bare import open_streams
from ledger.bare_rows import rows_of_streams
from ledger.database import Connection, Database
from ledger.rows import BareEvent
from projections.catalogue import PROJECTIONS
from projections.tables import NewRows, RowSink


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some streams to load.

    Attributes:
        keys: by stream id, None for streams that have no key. In memory and between our own
            processes only.
        directory: these are the facility's and all staff streams.
    """

    keys: Mapping[str, bytes | None]
    directory: bool = False

    def __repr__(self) -> str:
        """Show nothing: keys are secret."""
        return "Page()"


class Loader:
    """Loads pages over a connection; not to be shared between threads."""

    def __init__(
        self, connection: Connection, database: Database, *, origin: str, number: int, up_to: int
    ) -> None:
        """Load into the generation `number`, as of the position `up_to`."""
        self._connection = connection
        self._database = database
        self._origin = origin
        self._schema = database.views_schema(number)
        self._up_to = up_to

    def load(self, page: Page) -> int:
        """Write the rows of a page in one transaction; return the number of its events.

        Raises:
            CorruptionError: stored events contradict their digests; nothing was written.
        """
        streams = list(page.keys)
        stored = rows_of_streams(self._connection, self._database, streams, up_to=self._up_to)
        opened = open_streams(stored, page.keys, origin=self._origin)
        rows = NewRows()
        if page.directory:
            together = [event for _, events in opened for event in events]
            write_states(rows, sorted(together, key=lambda event: event.position))
        else:
            for stream, events in opened:
                write_stream(rows, stream, events)
        with self._connection.transaction():
            rows.flush(self._connection, self._schema)
        return len(stored)


def write_stream(rows: RowSink, stream: str, events: Sequence[BareEvent]) -> None:
    """Fold all events of a stream in order, and put every row of what it says of itself."""
    for projection in PROJECTIONS:
        concerning = [
            event
            for event in events
            if event.statement.stream_kind in projection.kinds
            and stream in projection.owners(event)
        ]
        if concerning:
            state = projection.empty(stream)
            for event in concerning:
                projection.evolve(state, event)
            projection.write(rows, state, None)


def write_states(rows: RowSink, events: Iterable[BareEvent]) -> None:
    """Fold events of several streams, which are all that concern their owners, and put every row.

    Args:
        rows: where to.
        events: in the order of their positions.
    """
    states: dict[tuple[int, str], Any] = {}
    for event in events:
        for place, projection in enumerate(PROJECTIONS):
            if event.statement.stream_kind in projection.kinds:
                for owner in projection.owners(event):
                    state = states.get((place, owner))
                    if state is None:
                        state = states[place, owner] = projection.empty(owner)
                    projection.evolve(state, event)
    for (place, _), state in states.items():
        PROJECTIONS[place].write(rows, state, None)
