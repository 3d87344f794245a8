"""The record fold: every amendment, retraction and signer stays visible, nothing else changes."""

from typing import Any

import msgspec
import pytest

from ledger.folds.item import StreamItems
from ledger.folds.items import evolve_items
from ledger.folds.record import (
    fold_record,
    header_bytes,
    item_bytes,
    record_header,
    render_record,
    restore_record,
)
from ledger.rows import Event
from tests.builders_events import DOCTOR, LAB, NURSE, PLAIN, World, encounter, note


@pytest.fixture
def world() -> World:
    """A ledger with one patient."""
    found = World()
    found.register("Nguyễn Thị Hoa")
    return found


@pytest.fixture
def record(world: World) -> str:
    """An open record of that patient."""
    return world.admit(world.events[0].stream, "BA-7").stream


def folded(world: World, record: str) -> StreamItems:
    return fold_record(record, [event for event in world.events if event.stream == record])


def page(world: World, record: str) -> dict[str, Any]:
    return msgspec.json.decode(render_record(folded(world, record)))


def item(world: World, record: str, event: Event) -> dict[str, Any]:
    items: list[dict[str, Any]] = page(world, record)["items"]
    return next(found for found in items if found["event_id"] == event.event_id)


def test_an_open_record_shows_whose_it_is_and_how_far_it_came(world: World, record: str) -> None:
    shown = page(world, record)
    assert shown["patient"] == world.events[0].stream
    assert shown["status"] == "open"
    assert shown["record_type"] == "01/BV1"
    assert [found["value"] for found in shown["identifiers"]] == ["BA-7"]
    assert (shown["version"], shown["position"]) == (1, 1)
    assert shown["opened"]["signer"] == DOCTOR
    assert shown["closed"] is None


def test_an_item_embeds_the_exact_text_that_was_signed(world: World, record: str) -> None:
    content = b'{"resourceType":"Composition",  "status":"final","v":5.600,"t":"l\\u00fd"}'
    written = world.note(record)
    world.amend(written, written, content)
    assert content in render_record(folded(world, record))


def test_an_amended_item_shows_the_new_content_and_who_amended_it(
    world: World, record: str
) -> None:
    written = world.note(record, "first")
    amended = world.amend(written, written, note("second"), signer=NURSE)
    again = world.amend(written, amended, note("third"))
    shown = item(world, record, written)
    assert shown["status"] == "amended"
    assert shown["resource"]["title"] == "third"
    assert shown["signer"] == DOCTOR
    assert (shown["current_event_id"], shown["current_position"]) == (again.event_id, 4)
    changes = [(c["event_id"], c["position"], c["signer"]) for c in shown["amendments"]]
    assert changes == [(amended.event_id, 3, NURSE), (again.event_id, 4, DOCTOR)]
    assert shown["amendments"][0]["reason"] == "typing error"


def test_a_retracted_item_stays_and_says_who_retracted_it_and_why(
    world: World, record: str
) -> None:
    written = world.note(record)
    amended = world.amend(written, written, note("second"))
    retracted = world.retract(amended, signer=NURSE)
    shown = item(world, record, written)
    assert shown["status"] == "retracted"
    assert shown["retraction"]["event_id"] == retracted.event_id
    assert shown["retraction"]["signer"] == NURSE
    assert shown["retraction"]["reason"] == "wrong patient"
    assert shown["resource"]["title"] == "second"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("registered", "in-progress"),
        ("preliminary", "in-progress"),
        ("final", "answered"),
        ("corrected", "answered"),
        ("cancelled", "active"),
        ("entered-in-error", "active"),
    ],
)
def test_an_order_follows_its_result(world: World, record: str, status: str, expected: str) -> None:
    placed = world.order(record)
    answer = world.result(placed, status)
    shown = item(world, record, placed)
    assert shown["status"] == expected
    assert shown["referenced_by"] == [
        {
            "event_id": answer.event_id,
            "position": 3,
            "type": "result-reported.v1",
            "relation": "answers",
            "signer": LAB,
            "status": "active",
            "resource_status": status,
        }
    ]


def test_an_order_is_open_again_when_its_result_is_retracted(world: World, record: str) -> None:
    placed = world.order(record)
    answer = world.result(placed)
    world.retract(answer)
    shown = item(world, record, placed)
    assert shown["status"] == "active"
    assert [link["status"] for link in shown["referenced_by"]] == ["retracted"]


def test_an_order_is_answered_when_its_preliminary_result_becomes_final(
    world: World, record: str
) -> None:
    placed = world.order(record)
    answer = world.result(placed, "preliminary")
    later = world.result(placed, "preliminary")
    final = (answer.content or b"").replace(b"preliminary", b"final")
    world.amend(answer, answer, final)
    shown = item(world, record, placed)
    assert shown["status"] == "answered"
    assert [link["event_id"] for link in shown["referenced_by"]] == [
        answer.event_id,
        later.event_id,
    ]


def test_a_cancelled_order_stays_cancelled_whatever_else_refers_to_it(
    world: World, record: str
) -> None:
    placed = world.order(record)
    world.add(
        "order-cancelled.v1",
        record,
        "record",
        {"reason": "duplicate"},
        media_type=PLAIN,
        refs=[("answers", placed)],
    )
    world.note(record, refs=[("based-on", placed)])
    assert item(world, record, placed)["status"] == "cancelled"


def test_a_replaced_order_says_so(world: World, record: str) -> None:
    placed = world.order(record)
    world.order(record, refs=[("replaces", placed)])
    assert item(world, record, placed)["status"] == "replaced"


def test_a_closed_record_says_when_and_by_whom(world: World, record: str) -> None:
    content = encounter(world.events[0].stream, status="finished")
    closed = world.add("record-closed.v1", record, "record", content, signer=NURSE)
    shown = page(world, record)
    assert shown["status"] == "closed"
    assert (shown["closed"]["event_id"], shown["closed"]["signer"]) == (closed.event_id, NURSE)


def test_the_header_follows_an_amended_encounter(world: World, record: str) -> None:
    opened = world.events[1]
    world.amend(opened, opened, encounter(world.events[0].stream, "BA-8"))
    assert [found["value"] for found in page(world, record)["identifiers"]] == ["BA-8"]


def test_an_event_touches_only_its_item_and_those_it_refers_to(world: World, record: str) -> None:
    world.note(record)
    placed = world.order(record)
    state = folded(world, record)
    before = dict(state.items)
    answer = world.result(placed)
    assert evolve_items(state, answer) == (answer.event_id, placed.event_id)
    changed = {key for key, value in state.items.items() if before.get(key) is not value}
    assert changed == {answer.event_id, placed.event_id}


def test_destroyed_content_leaves_the_item_and_its_signer(world: World, record: str) -> None:
    written = world.note(record)
    events = [event for event in world.events if event.stream == record]
    gone = [msgspec.structs.replace(event, content=None) for event in events]
    state = fold_record(record, gone)
    shown = state.items[written.event_id]
    assert (shown.content_status, bytes(shown.resource)) == ("destroyed", b"null")
    assert shown.signer == DOCTOR
    assert record_header(state).patient is None
    assert msgspec.json.decode(render_record(state))["version"] == 2


@pytest.mark.parametrize(
    "content", [b"[]", b"7", b'{"status":7}', b'{"entry":"none"}', b"not JSON"]
)
def test_no_content_makes_the_fold_fail(world: World, record: str, content: bytes) -> None:
    placed = world.order(record)
    for tag in ("note-written.v1", "vitals-recorded.v1", "order-placed.v1", "later-type.v1"):
        world.add(tag, record, "record", content)
    world.add("entry-amended.v1", record, "record", content, refs=[("amends", placed)])
    world.add("entry-retracted.v1", record, "record", content, refs=[("retracts", placed)])
    assert page(world, record)["version"] == 8


def test_a_state_restored_from_its_bytes_goes_on_as_if_it_had_never_left(
    world: World, record: str
) -> None:
    placed = world.order(record, "XN-1")
    written = world.note(record)
    amended = world.amend(written, written, note("second"))
    state = folded(world, record)
    bodies = [item_bytes(found) for found in state.items.values()]
    restored = restore_record(header_bytes(state), bodies)
    following = [world.result(placed), world.retract(amended)]
    for event in following:
        assert evolve_items(restored, event) == evolve_items(state, event)
    assert render_record(restored) == render_record(state)
    assert restored == state


def test_nothing_about_a_patient_is_in_a_repr(world: World, record: str) -> None:
    world.note(record, "secret")
    state = folded(world, record)
    shown = repr(state) + repr(record_header(state)) + repr(list(state.items.values()))
    assert "secret" not in shown
    assert world.events[0].stream not in shown
