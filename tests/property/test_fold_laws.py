"""Laws of the folds and views: batches, restarts and eviction never change what is shown."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.folds.history import fold_history
from ledger.folds.item import StreamItems
from ledger.folds.items import evolve_items
from ledger.folds.record import fold_record, render_record
from ledger.rows import Event
from projections.catalogue import PROJECTIONS, TABLES
from projections.projection import StateCache
from projections.tables import Changes, Row, Table
from tests.builders_events import PLAIN, World, encounter, note, order, patient


class MemoryTables:
    """What PostgreSQL does with `Changes`: upsert by key, replace by owner, select by stream."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[Row, Row]] = {table.name: {} for table in TABLES}

    def apply(self, changes: Changes) -> None:
        for table, owners in changes.replacements.items():
            rows = self._rows[table.name]
            place = table.place(table.owner or "")
            for key in [key for key, row in rows.items() if row[place] in owners]:
                del rows[key]
            for row in (row for owned in owners.values() for row in owned):
                assert table.key_of(row) not in rows
                rows[table.key_of(row)] = row
        for table, upserts in changes.upserts.items():
            self._rows[table.name].update(upserts)

    def load(self, table: Table, streams: Sequence[str]) -> list[Row]:
        place, wanted = table.place(table.stream), set(streams)
        return [row for row in self._rows[table.name].values() if row[place] in wanted]

    def shown(self) -> dict[str, list[Row]]:
        return {name: sorted(rows.values(), key=repr) for name, rows in self._rows.items()}


class Script:
    """Plays actions, each on what its number picks among what is there."""

    def __init__(self) -> None:
        self.world = World()
        self.patients = [self.world.register("Name", identifiers=[("urn:id", "0")])]
        self.records = [self.world.admit(self.patients[0].stream, "R")]
        self.orders = [self.world.order(self.records[0].stream, "O")]
        self.entries = [*self.patients, *self.records, *self.orders]
        self.newest = {event.event_id: event for event in self.entries}

    def play(self, action: str, number: int) -> None:
        """Append an event and remember it as its kind."""
        event = ACTIONS[action](self, number)
        if action not in {"amend", "retract"}:
            self.entries.append(event)
            self.newest[event.event_id] = event
        kinds = {"register": self.patients, "admit": self.records, "order": self.orders}
        kinds.get(action, []).append(event)

    def register(self, number: int) -> Event:
        return self.world.register(f"Name {number}", identifiers=[("urn:id", str(number))])

    def rename(self, number: int) -> Event:
        content = patient(f"Other {number}", identifiers=[("urn:id", str(number + 1))])
        stream = _pick(self.patients, number).stream
        return self.world.add("patient-identity-updated.v1", stream, "patient", content)

    def allergy(self, number: int) -> Event:
        stream = _pick(self.patients, number).stream
        return self.world.add("allergy-recorded.v1", stream, "patient", {"code": {"text": "x"}})

    def admit(self, number: int) -> Event:
        return self.world.admit(_pick(self.patients, number).stream, f"R{number}")

    def note(self, number: int) -> Event:
        return self.world.note(_pick(self.records, number).stream, f"text {number}")

    def order(self, number: int) -> Event:
        return self.world.order(_pick(self.records, number).stream, f"O{number}", f"P{number}")

    def result(self, number: int) -> Event:
        status = "preliminary" if number % 2 else "final"
        return self.world.result(_pick(self.orders, number), status)

    def cancel(self, number: int) -> Event:
        placed = _pick(self.orders, number)
        document = {"reason": "duplicate"}
        return self.world.add(
            "order-cancelled.v1",
            placed.stream,
            "record",
            document,
            media_type=PLAIN,
            refs=[("answers", placed)],
        )

    def close(self, number: int) -> Event:
        record = _pick(self.records, number).stream
        return self.world.add(
            "record-closed.v1", record, "record", encounter(self.patients[0].stream)
        )

    def amend(self, number: int) -> Event:
        target = _pick(self.entries, number)
        event = self.world.amend(target, self.newest[target.event_id], _version(target, number))
        self.newest[target.event_id] = event
        return event

    def retract(self, number: int) -> Event:
        return self.world.retract(self.newest[_pick(self.entries, number).event_id])


ACTIONS: dict[str, Callable[[Script, int], Event]] = {
    "register": Script.register,
    "rename": Script.rename,
    "allergy": Script.allergy,
    "admit": Script.admit,
    "note": Script.note,
    "order": Script.order,
    "result": Script.result,
    "cancel": Script.cancel,
    "close": Script.close,
    "amend": Script.amend,
    "retract": Script.retract,
}
SCRIPTS = st.lists(
    st.tuples(st.sampled_from(sorted(ACTIONS)), st.integers(0, 30)), min_size=1, max_size=60
)


def build(script: list[tuple[str, int]]) -> World:
    """Return the world after a script."""
    played = Script()
    for action, number in script:
        played.play(action, number)
    return played.world


def _pick(events: list[Event], number: int) -> Event:
    return events[number % len(events)]


def _version(target: Event, number: int) -> object:
    match target.statement.type:
        case "record-opened.v1":
            return encounter(target.stream, f"R{number}x")
        case "order-placed.v1":
            return order(f"O{number}x")
        case "patient-registered.v1" | "patient-identity-updated.v1":
            return patient(f"Amended {number}", identifiers=[("urn:id", f"x{number}")])
        case _:
            return note(f"amended {number}")


def project(events: list[Event], *, batch: int, capacity: int, forget: int) -> MemoryTables:
    """Fold in batches, with caches of some capacity that are lost every `forget` batches."""
    tables = MemoryTables()
    caches = [StateCache(projection, capacity=capacity) for projection in PROJECTIONS]
    for count, start in enumerate(range(0, len(events), batch), 1):
        changes = Changes()
        for cache in caches:
            if count % forget == 0:
                cache.clear()
            cache.fold(events[start : start + batch], tables.load, changes)
        tables.apply(changes)
    return tables


@settings(max_examples=60, deadline=None)
@given(
    script=SCRIPTS,
    batch=st.integers(1, 20),
    capacity=st.integers(0, 40),
    forget=st.integers(1, 9),
)
def test_incremental_projection_equals_a_rebuild(
    script: list[tuple[str, int]], batch: int, capacity: int, forget: int
) -> None:
    events = build(script).events
    whole = project(events, batch=len(events), capacity=10_000, forget=1000)
    split = project(events, batch=batch, capacity=capacity, forget=forget)
    assert split.shown() == whole.shown()


@settings(max_examples=60, deadline=None)
@given(script=SCRIPTS)
def test_rows_written_along_the_way_equal_the_rows_of_the_final_states(
    script: list[tuple[str, int]],
) -> None:
    events = build(script).events
    along = project(events, batch=1, capacity=10_000, forget=1000)
    final = MemoryTables()
    for projection in PROJECTIONS:
        states: dict[str, Any] = {}
        for event in events:
            if event.statement.stream_kind in projection.kinds:
                for owner in projection.owners(event):
                    state = states.setdefault(owner, projection.empty(owner))
                    projection.evolve(state, event)
        changes = Changes()
        for state in states.values():
            projection.write(changes, state, None)
        final.apply(changes)
    assert along.shown() == final.shown()


@settings(max_examples=60, deadline=None)
@given(script=SCRIPTS)
def test_as_of_a_position_equals_the_fold_of_the_prefix(script: list[tuple[str, int]]) -> None:
    world = build(script)
    record = next(e.stream for e in world.events if e.statement.type == "record-opened.v1")
    events = [event for event in world.events if event.stream == record]
    state = StreamItems(stream=record)
    for count, event in enumerate(events, 1):
        evolve_items(state, event)
        assert render_record(fold_record(record, events[:count])) == render_record(state)


@settings(max_examples=60, deadline=None)
@given(script=SCRIPTS)
def test_history_ends_where_the_record_stands(script: list[tuple[str, int]]) -> None:
    world = build(script)
    record = next(e.stream for e in world.events if e.statement.type == "record-opened.v1")
    events = [event for event in world.events if event.stream == record]
    last = {
        effect.event_id: effect.after
        for line in fold_history(record, events)
        for effect in line.effects
    }
    state = fold_record(record, events)
    assert last == {event_id: item.status for event_id, item in state.items.items()}
