"""Say what a projection is: a fold, and the rows that its states are written to.

The runner, the rebuild and the check know projections only by this description, so that catching
up, living and being checked are the same functions.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from ledger.rows import BareEvent
from projections.tables import Row, RowSink, Table

StateT = TypeVar("StateT")

# A cached item holds its content: 50,000 of 2 KB are 100 MB.
CACHE_WEIGHT: Final = 50_000


class LoadRows(Protocol):
    """Reads a view table's rows of some streams."""

    def __call__(self, table: Table, streams: Sequence[str]) -> list[Row]:
        """Return the rows, columns in the table's order, in any order of rows."""
        ...


@dataclass(frozen=True, kw_only=True)
class Projection(Generic[StateT]):
    """A fold over streams of some kinds, and how its states become rows.

    Attributes:
        kinds: of the streams whose events matter.
        owners: which states an event concerns, as stream ids.
        empty: the state of a stream without events.
        evolve: folds an event into a state; returns what it touched, for `write`.
        load: restores the states of streams from their rows; absent for streams without rows.
        write: puts the rows of a state that depend on what was touched; None: all of its rows.
        weight: how much of the cache a state takes.
    """

    tables: tuple[Table, ...]
    kinds: frozenset[str]
    owners: Callable[[BareEvent], Sequence[str]]
    empty: Callable[[str], StateT]
    evolve: Callable[[StateT, BareEvent], Iterable[str]]
    load: Callable[[LoadRows, Sequence[str]], Mapping[str, StateT]]
    write: Callable[[RowSink, StateT, Collection[str] | None], None]
    weight: Callable[[StateT], int]


class StateCache(Generic[StateT]):
    """Keeps the states used last, up to a total weight."""

    def __init__(self, projection: Projection[StateT], *, capacity: int = CACHE_WEIGHT) -> None:
        self.projection = projection
        self._capacity = capacity
        self._states: OrderedDict[str, tuple[StateT, int]] = OrderedDict()
        self._weight = 0

    def clear(self) -> None:
        """Forget everything: the tables were changed by someone else, or a batch failed."""
        self._states.clear()
        self._weight = 0

    def fold(self, events: Sequence[BareEvent], load: LoadRows, changes: RowSink) -> None:
        """Fold a batch in and put the rows that it changes.

        States that are not cached are loaded with one query per table.
        """
        projection = self.projection
        work = [
            (owner, event)
            for event in events
            if event.statement.stream_kind in projection.kinds
            for owner in projection.owners(event)
        ]
        states = self._states_of({owner for owner, _ in work}, load)
        touched: dict[str, set[str]] = {}
        for owner, event in work:
            touched.setdefault(owner, set()).update(projection.evolve(states[owner], event))
        for owner, parts in touched.items():
            projection.write(changes, states[owner], parts)
            self._keep(owner, states[owner])
        self._trim()

    def _states_of(self, owners: set[str], load: LoadRows) -> dict[str, StateT]:
        states = {owner: self._states[owner][0] for owner in owners if owner in self._states}
        missing = sorted(owners - states.keys())
        if not missing:
            return states
        loaded = self.projection.load(load, missing)
        for owner in missing:
            states[owner] = loaded[owner] if owner in loaded else self.projection.empty(owner)
        return states

    def _keep(self, owner: str, state: StateT) -> None:
        _, known = self._states.pop(owner, (None, 0))
        weight = self.projection.weight(state)
        self._states[owner] = (state, weight)
        self._weight += weight - known

    def _trim(self) -> None:
        while self._weight > self._capacity and self._states:
            _, (_, weight) = self._states.popitem(last=False)
            self._weight -= weight


AnyProjection = Projection[Any]
