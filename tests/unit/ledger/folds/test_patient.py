"""The patient fold and the page across records."""

from typing import Any

import msgspec

from ledger.folds.patient import PatientState, fold_patient, render_patient
from ledger.folds.record import fold_record
from tests.builders_events import CITIZEN_ID, DOCTOR, PLAIN, World, encounter, note, patient

OLD, NEW = "012345678901", "098765432109"


def folded(world: World, stream: str) -> PatientState:
    return fold_patient(stream, [event for event in world.events if event.stream == stream])


def page(world: World, stream: str, *records: str) -> dict[str, Any]:
    states = [fold_record(r, [e for e in world.events if e.stream == r]) for r in records]
    return msgspec.json.decode(render_patient(folded(world, stream), states))


def test_identity_is_the_newest_that_was_not_retracted() -> None:
    world = World()
    stream = world.register("Lê Thị Mai").stream
    update = world.add("patient-identity-updated.v1", stream, "patient", patient("Lê Thị Mây"))
    assert page(world, stream)["identity"]["resource"]["name"] == [{"text": "Lê Thị Mây"}]
    world.retract(update)
    shown = page(world, stream)
    assert shown["identity"]["resource"]["name"] == [{"text": "Lê Thị Mai"}]
    assert [found["status"] for found in shown["identity_history"]] == ["retracted"]


def test_a_reissued_citizen_id_keeps_the_former_one_in_the_history() -> None:
    world = World()
    first = world.register("Lê Thị Mai", identifiers=[(CITIZEN_ID, OLD)])
    content = patient("Lê Thị Mai", identifiers=[(CITIZEN_ID, NEW)])
    world.add("patient-identity-updated.v1", first.stream, "patient", content)
    periods = [
        (period.value, period.since_position, period.until_position)
        for period in folded(world, first.stream).identifiers
    ]
    assert periods == [(OLD, 0, 1), (NEW, 1, None)]


def test_an_identifier_that_comes_back_begins_a_new_period() -> None:
    world = World()
    stream = world.register("Lê Thị Mai", identifiers=[(CITIZEN_ID, OLD)]).stream
    without = world.add("patient-identity-updated.v1", stream, "patient", patient("Lê Thị Mai"))
    world.retract(without)
    periods = [
        (period.value, period.since_position, period.until_position)
        for period in folded(world, stream).identifiers
    ]
    assert periods == [(OLD, 0, 1), (OLD, 2, None)]


def test_the_page_gathers_all_records_with_their_positions() -> None:
    world = World()
    stream = world.register("Lê Thị Mai").stream
    world.add("allergy-recorded.v1", stream, "patient", {"resourceType": "AllergyIntolerance"})
    first, second = world.admit(stream).stream, world.admit(stream).stream
    world.add("diagnosis-recorded.v1", second, "record", {"resourceType": "Condition"})
    written = world.note(first, "one")
    world.amend(written, written, note("two"))
    shown = page(world, stream, second, first)
    assert [found["record"] for found in shown["records"]] == [first, second]
    assert [(i["record"], i["position"]) for i in shown["diagnoses"]] == [(second, 4)]
    assert [(i["record"], i["current_position"]) for i in shown["notes"]] == [(first, 6)]
    assert shown["notes"][0]["amendments"][0]["signer"] == DOCTOR
    assert [i["position"] for i in shown["allergies"]] == [1]


def test_open_orders_are_those_that_still_wait_for_an_answer() -> None:
    world = World()
    stream = world.register("Lê Thị Mai").stream
    open_record, closed_record = world.admit(stream).stream, world.admit(stream).stream
    waiting = world.order(open_record)
    started = world.order(open_record)
    world.result(started, "preliminary")
    world.result(world.order(open_record))
    world.retract(world.order(open_record))
    cancelled = world.order(open_record)
    world.add(
        "order-cancelled.v1",
        open_record,
        "record",
        {"reason": "twice"},
        media_type=PLAIN,
        refs=[("answers", cancelled)],
    )
    world.order(closed_record)
    world.add("record-closed.v1", closed_record, "record", encounter(stream))
    shown = page(world, stream, open_record, closed_record)
    open_orders = [found["event_id"] for found in shown["open_orders"]]
    assert open_orders == [waiting.event_id, started.event_id]


def test_the_latest_result_of_each_code_is_shown_with_its_digits() -> None:
    world = World()
    stream = world.register("Lê Thị Mai").stream
    first, second = world.admit(stream).stream, world.admit(stream).stream
    placed = world.order(first)
    world.result(placed, code="2345-7", value="5.60")
    kept = world.result(world.order(second), code="2345-7", value="6.10")
    wrong = world.result(placed, code="2345-7", value="66.0")
    sodium = world.result(placed, code="2951-2", value="140")
    world.retract(wrong)
    records = [fold_record(r, [e for e in world.events if e.stream == r]) for r in (first, second)]
    body = render_patient(folded(world, stream), records)
    latest = msgspec.json.decode(body)["latest_results"]
    assert [(r["code"], r["event_id"], r["record"]) for r in latest] == [
        ("2951-2", sodium.event_id, first),
        ("2345-7", kept.event_id, second),
    ]
    assert b'"valueQuantity":{"value":6.10,' in body


def test_a_report_without_observations_counts_under_its_own_code() -> None:
    world = World()
    stream = world.register("Lê Thị Mai").stream
    record = world.admit(stream).stream
    placed = world.order(record)
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "X-ray"}}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": report}]}
    world.add("result-reported.v1", record, "record", bundle, refs=[("answers", placed)])
    latest = page(world, stream, record)["latest_results"]
    assert [(found["system"], found["code"]) for found in latest] == [("", "X-ray")]
