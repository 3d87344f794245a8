"""The rules of streams and references: what opens, what is closed, what may be named."""

from collections.abc import Callable

import pytest

from tests.builders_hospital import Hospital
from tests.builders_resources import (
    Json,
    amendment,
    an_id,
    changed,
    encounter,
    finished,
    patient,
)
from tests.builders_rules import Taken, enrol, refused


@pytest.fixture
def hospital() -> Hospital:
    return Hospital()


def _second_record(hospital: Hospital) -> str:
    record = an_id("second record")
    resource = encounter(record, hospital.patient)
    hospital.add("record-opened.v1", resource, stream=record, signer=hospital.doctor)
    return record


def test_a_stream_is_opened_once(hospital: Hospital) -> None:
    with refused("stream-exists", "/stream"):
        hospital.add(
            "patient-registered.v1",
            patient(hospital.patient),
            stream=hospital.patient,
            signer=hospital.nurse,
        )
    with refused("stream-exists", "/stream"):
        hospital.enter("record-opened.v1", encounter(hospital.record, hospital.patient))


def test_a_stream_is_opened_before_anything_else(hospital: Hospital) -> None:
    stream = an_id("new patient")
    members = {"stream": stream, "signer": hospital.nurse}
    with refused("stream-unknown", "/stream"):
        hospital.add("patient-identity-updated.v1", patient(stream), **members)
    hospital.add("patient-registered.v1", patient(stream), **members)
    hospital.add("patient-identity-updated.v1", patient(stream), **members)


def test_a_stream_keeps_its_kind(hospital: Hospital) -> None:
    note = {**hospital.note(), "encounter": {"reference": f"Encounter/{hospital.patient}"}}
    with refused("stream-kind", "/stream_kind"):
        hospital.enter("note-written.v1", note, stream=hospital.patient)


def test_a_record_is_opened_for_a_patient_of_this_ledger(hospital: Hospital) -> None:
    record = an_id("another record")
    members = {"stream": record, "signer": hospital.doctor}
    for stranger in (an_id("stranger"), hospital.record, hospital.nurse):
        with refused("patient-unknown"):
            hospital.add("record-opened.v1", encounter(record, stranger), **members)
    hospital.add("record-opened.v1", encounter(record, hospital.patient), **members)
    assert hospital.stream(record).patient == hospital.patient


@pytest.mark.parametrize("tag", ["note-written.v1", "record-closed.v1"])
def test_the_subject_is_the_records_patient(hospital: Hospital, tag: str) -> None:
    stranger = an_id("another patient")
    hospital.add("patient-registered.v1", patient(stranger), stream=stranger, signer=hospital.nurse)
    closing = finished(encounter(hospital.record, hospital.patient))
    resource = hospital.note() if tag == "note-written.v1" else closing
    with refused("subject-mismatch"):
        hospital.enter(tag, changed(resource, "/subject/reference", f"Patient/{stranger}"))
    hospital.enter(tag, resource)


def test_a_closed_record_takes_amendments_and_retractions_only(hospital: Hospital) -> None:
    note = hospital.enter("note-written.v1", hospital.note())
    order = hospital.placed()
    closed = hospital.close()
    for tag, resource in (
        ("note-written.v1", hospital.note("late note")),
        ("diagnosis-recorded.v1", hospital.diagnosis()),
        ("order-placed.v1", hospital.order("late order")),
        ("record-closed.v1", finished(encounter(hospital.record, hospital.patient))),
    ):
        with refused("record-closed", "/stream"):
            hospital.enter(tag, resource)
    with refused("record-closed", "/stream"):
        hospital.reported(order)
    amended = hospital.amend(note, {**hospital.note(), "status": "amended"})
    hospital.retract(amended)
    hospital.amend(closed, finished(encounter(hospital.record, hospital.patient)))


@pytest.mark.parametrize("record", ["opened", "closed"])
def test_an_encounter_is_amended_but_never_retracted(hospital: Hospital, record: str) -> None:
    closed = hospital.close()
    entry = hospital.opened if record == "opened" else closed
    resource = encounter(hospital.record, hospital.patient)
    resource = resource if record == "opened" else finished(resource)
    with refused("reference-type", "/refs/0/event_id"):
        hospital.retract(entry)
    corrected = changed(resource, "/type/0/coding/0/code", "02/BV1")
    hospital.amend(entry, corrected, signer=hospital.other_doctor)
    assert hospital.summary(entry).category == "02/BV1"


def test_a_record_keeps_its_patient_when_amended(hospital: Hospital) -> None:
    stranger = an_id("another patient")
    hospital.add("patient-registered.v1", patient(stranger), stream=stranger, signer=hospital.nurse)
    with refused("subject-mismatch"):
        hospital.amend(hospital.opened, encounter(hospital.record, stranger))


def test_a_reference_binds_the_text_it_names(hospital: Hospital) -> None:
    order = hospital.placed()
    wrong = Taken(statement=order.statement, digest="cd" * 32, facts=order.facts)
    members = {"signer": hospital.technician}
    with refused("reference-mismatch", "/refs/0/statement"):
        hospital.enter(
            "result-reported.v1", hospital.result(order), refs=[wrong.ref("answers")], **members
        )
    hospital.enter(
        "result-reported.v1", hospital.result(order), refs=[order.ref("answers")], **members
    )


def test_a_reference_stays_within_the_record(hospital: Hospital) -> None:
    order = hospital.placed()
    record = _second_record(hospital)
    elsewhere = {"encounter": {"reference": f"Encounter/{record}"}}
    result = hospital.result(order)
    for entry in result["entry"]:
        entry["resource"] |= elsewhere
    with refused("reference-unknown", "/refs/0/event_id"):
        hospital.enter(
            "result-reported.v1",
            result,
            stream=record,
            signer=hospital.technician,
            refs=[order.ref("answers")],
        )


def test_a_result_answers_an_order(hospital: Hospital) -> None:
    note = hospital.enter("note-written.v1", hospital.note())
    with refused("reference-type", "/refs/0/event_id"):
        hospital.reported(note)


def test_an_order_replaces_an_order_and_is_based_on_anything(hospital: Hospital) -> None:
    diagnosis = hospital.enter("diagnosis-recorded.v1", hospital.diagnosis())
    order = hospital.placed()
    resource = hospital.order("second order")
    with refused("reference-type", "/refs/1/event_id"):
        hospital.enter(
            "order-placed.v1",
            resource,
            refs=[order.ref("replaces"), diagnosis.ref("replaces")],
        )
    hospital.enter(
        "order-placed.v1", resource, refs=[order.ref("replaces"), diagnosis.ref("based-on")]
    )


def test_a_retracted_entry_is_referred_to_no_more(hospital: Hospital) -> None:
    diagnosis = hospital.enter("diagnosis-recorded.v1", hospital.diagnosis())
    retraction = hospital.retract(diagnosis)
    for entry in (diagnosis, retraction):
        with refused("reference-retracted", "/refs/0/event_id"):
            hospital.enter("order-placed.v1", hospital.order(), refs=[entry.ref("based-on")])
        with refused("reference-retracted", "/refs/0/event_id"):
            hospital.amend(entry, hospital.diagnosis())
        with refused("reference-retracted", "/refs/0/event_id"):
            hospital.retract(entry)


def test_corrections_name_the_newest_version(hospital: Hospital) -> None:
    note = hospital.enter("note-written.v1", hospital.note())
    resource = {**hospital.note(), "status": "amended"}
    first = hospital.amend(note, resource)
    with refused("reference-not-newest", "/refs/0/event_id"):
        hospital.amend(note, resource)
    with refused("reference-not-newest", "/refs/0/event_id"):
        hospital.retract(note)
    second = hospital.amend(first, resource)
    with refused("reference-not-newest", "/refs/0/event_id"):
        hospital.amend(first, resource)
    hospital.retract(second)


def _correct_registration(hospital: Hospital) -> None:
    hospital.add(
        "entry-amended.v1",
        amendment(hospital.allergy()),
        stream=hospital.patient,
        signer=hospital.doctor,
        refs=[hospital.registered.ref("amends")],
    )


def _cancel_a_cancellation(hospital: Hospital) -> None:
    order = hospital.placed()
    cancelled = hospital.enter(
        "order-cancelled.v1", {"reason": "Đổi thuốc"}, refs=[order.ref("answers")]
    )
    hospital.retract(cancelled)


@pytest.mark.parametrize("correct", [_correct_registration, _cancel_a_cancellation])
def test_some_types_are_never_corrected(
    hospital: Hospital, correct: Callable[[Hospital], None]
) -> None:
    with refused("reference-type", "/refs/0/event_id"):
        correct(hospital)


@pytest.mark.parametrize("element", ["asserter", "recorder"])
def test_staff_named_in_the_content_is_enrolled(hospital: Hospital, element: str) -> None:
    person = an_id("new doctor")
    resource = changed(hospital.diagnosis(), f"/{element}", {"reference": f"Practitioner/{person}"})
    if element == "recorder":
        hospital.doctor = person
        hospital.keys[person] = hospital.key_of(hospital.other_doctor)
        with refused("key-not-valid", "/signer"):
            hospital.enter("diagnosis-recorded.v1", resource)
        return
    with refused("staff-unknown"):
        hospital.enter("diagnosis-recorded.v1", resource)
    enrol(hospital, "new doctor", "doctor")
    hospital.enter("diagnosis-recorded.v1", resource)


def test_a_device_is_not_named_as_a_person(hospital: Hospital) -> None:
    resource = hospital.diagnosis()
    as_person: Json = {"reference": f"Practitioner/{hospital.analyser}"}
    with refused("staff-kind"):
        hospital.enter("diagnosis-recorded.v1", changed(resource, "/asserter", as_person))
    as_person = {"reference": f"Practitioner/{hospital.nurse}"}
    hospital.enter("diagnosis-recorded.v1", changed(resource, "/asserter", as_person))


def test_staff_named_in_an_amendment_is_enrolled(hospital: Hospital) -> None:
    entry = hospital.enter("diagnosis-recorded.v1", hospital.diagnosis())
    stranger = {"reference": f"Practitioner/{an_id('stranger')}"}
    with refused("staff-unknown"):
        hospital.amend(entry, changed(hospital.diagnosis(), "/asserter", stranger))
    hospital.amend(entry, hospital.diagnosis())


def test_resource_ids_are_not_shared_by_entries(hospital: Hospital) -> None:
    vitals = hospital.enter("vitals-recorded.v1", hospital.vitals(), signer=hospital.nurse)
    again = changed(hospital.vitals("more vitals"), "/entry/1/resource/id", an_id("vitals second"))
    with refused("resource-id-taken"):
        hospital.enter("vitals-recorded.v1", again, signer=hospital.nurse)
    as_note = changed(
        hospital.vitals("more vitals"), "/entry/1/resource/id", vitals.statement.event_id
    )
    with refused("resource-id-taken"):
        hospital.enter("vitals-recorded.v1", as_note, signer=hospital.nurse)
    hospital.enter("vitals-recorded.v1", hospital.vitals("more"), signer=hospital.nurse)
