"""Compare the rows of some streams, in every table of the views, with what their events yield."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from ledger.bare import BareReader
from ledger.database import Connection, Database
from ledger.errors import LedgerError
from ledger.keyring import Keyring
from ledger.reader import LedgerReader
from ledger.rows import BareEvent
from ledger.verify.report import Findings, Place
from projections.catalogue import PROJECTIONS, TABLES
from projections.errors import ProjectionFailedError
from projections.tables import Changes, Row, Table, select_rows


class Target(NamedTuple):
    """Which generation of views to compare, and as of which position of the ledger."""

    database: Database
    number: int
    up_to: int


class Comparer:
    """Compares page by page over a connection, within a transaction of its caller's.

    Attributes:
        findings: what contradicts the ledger so far, code `view-mismatch`.
    """

    def __init__(self, connection: Connection, keyring: Keyring, target: Target) -> None:
        """Read views and ledger over `connection`, and open the events with `keyring`."""
        self.findings = Findings()
        self._connection = connection
        self._reader = BareReader(LedgerReader(connection, target.database, keyring))
        self._schema = target.database.views_schema(target.number)
        self._up_to = target.up_to
        self._founded = self._founding()

    @property
    def registrars(self) -> set[str]:
        """The streams of those whom the founding event enrols."""
        return {owner for _, owner, _ in self._founded}

    def compare(self, page: Sequence[str]) -> None:
        """Compare the rows of these streams, which the ledger has."""
        events, damaged = self._events_of(page)
        self._compare([stream for stream in page if stream not in damaged], events)

    def compare_without_events(self, streams: Sequence[str]) -> None:
        """Compare the rows of streams of which the ledger has no event of their own."""
        self._compare(streams, [])

    def found_row(self, table: Table, row: Row, detail: str) -> None:
        """Report what is wrong with a row."""
        names = {column.name for column in table.columns}
        position = row[table.place("position")]
        located = isinstance(position, int) and 0 <= position <= self._up_to
        event_id = row[table.place("event_id")] if "event_id" in names else None
        place = Place(
            position=position if located else max(self._up_to, 0),
            stream=str(row[table.place(table.stream)]),
            event_id=None if event_id is None else str(event_id),
        )
        self.findings.add("view-mismatch", place, f"{table.name} {detail}")

    def _founding(self) -> list[tuple[int, str, BareEvent]]:
        """Return the founding event with each member that it enrols besides its own stream."""
        if self._up_to < 0:
            return []
        try:
            events = self._reader.events(-1, 1)
            return list(_work(events, other_streams=True))
        except LedgerError:
            return []

    def _events_of(self, streams: Sequence[str]) -> tuple[list[BareEvent], set[str]]:
        """Return the streams' events, and those of the streams whose events cannot be opened."""
        try:
            return self._opened(streams), set()
        except LedgerError:
            pass
        events: list[BareEvent] = []
        damaged: set[str] = set()
        for stream in streams:
            try:
                events.extend(self._opened([stream]))
            except LedgerError as error:
                damaged.add(stream)
                place = Place(position=getattr(error, "position", None))
                detail = "the ledger is damaged here, so its view cannot be told"
                self.findings.add("view-mismatch", place, detail)
        return events, damaged

    def _opened(self, streams: Sequence[str]) -> list[BareEvent]:
        opened = self._reader.streams(streams, up_to=self._up_to)
        return [event for _, events in opened for event in events]

    def _compare(self, streams: Sequence[str], events: Sequence[BareEvent]) -> None:
        wanted = set(streams)
        states: dict[tuple[int, str], Any] = {}
        for place, owner, event in (*self._founded, *_work(events, other_streams=False)):
            if owner in wanted:
                projection = PROJECTIONS[place]
                key = place, owner
                states[key] = states.get(key) or projection.empty(owner)
                projection.evolve(states[key], event)
        changes = Changes()
        for (place, _), state in states.items():
            PROJECTIONS[place].write(changes, state, None)
        parameters = {"streams": [UUID(stream) for stream in streams]}
        for table in TABLES:
            query = select_rows(table, self._schema)
            stored = self._connection.execute(query, parameters, binary=True).fetchall()
            self._compare_rows(table, changes.rows(table), stored)

    def _compare_rows(self, table: Table, expected: Iterable[Row], stored: Iterable[Row]) -> None:
        missing = {table.key_of(row): row for row in expected}
        for row in stored:
            right = missing.pop(table.key_of(row), None)
            if right is None:
                self.found_row(table, row, "is not what the ledger yields: a row too many")
            elif (plain := _plain(table, row)) != right:
                wrong = next(i for i, value in enumerate(plain) if value != right[i])
                name = table.columns[wrong].name
                self.found_row(table, right, f"is not what the ledger yields: column {name}")
        for row in missing.values():
            self.found_row(table, row, "is not what the ledger yields: a row is missing")


def _plain(table: Table, row: Row) -> Row:
    """Return a stored row as it was written, or as it is where what is packed in it is damaged."""
    try:
        return table.unpack(row)
    except ProjectionFailedError:
        return row


def _work(
    events: Iterable[BareEvent], *, other_streams: bool
) -> Iterator[tuple[int, str, BareEvent]]:
    """Yield (place of a projection, owner, event), for owners of or besides the event's stream."""
    for event in events:
        for place, projection in enumerate(PROJECTIONS):
            if event.statement.stream_kind in projection.kinds:
                for owner in projection.owners(event):
                    if (owner != event.stream) == other_streams:
                        yield place, owner, event
