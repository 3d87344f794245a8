"""The history of a record: one line per event, and what each did."""

from ledger.folds.history import fold_history
from tests.builders_events import DOCTOR, LAB, World, note


def test_each_event_tells_what_it_changed() -> None:
    world = World()
    opened = world.admit(world.register("Trần Văn Bình").stream)
    record = opened.stream
    placed = world.order(record)
    answer = world.result(placed)
    written = world.note(record)
    amended = world.amend(written, written, note("again"))
    world.retract(amended)
    lines = fold_history(record, [event for event in world.events if event.stream == record])
    assert [line.version for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line.position for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line.signer for line in lines] == [DOCTOR, DOCTOR, LAB, DOCTOR, DOCTOR, DOCTOR]
    told = [
        [(effect.event_id, effect.section, effect.before, effect.after) for effect in line.effects]
        for line in lines
    ]
    assert told == [
        [(opened.event_id, "encounter", None, "active")],
        [(placed.event_id, "orders", None, "active")],
        [
            (answer.event_id, "results", None, "active"),
            (placed.event_id, "orders", "active", "answered"),
        ],
        [(written.event_id, "notes", None, "active")],
        [(written.event_id, "notes", "active", "amended")],
        [(written.event_id, "notes", "amended", "retracted")],
    ]
    assert [line.reason for line in lines][-2:] == ["typing error", "wrong patient"]
    assert [[ref.relation for ref in line.refs] for line in lines][2] == ["answers"]
