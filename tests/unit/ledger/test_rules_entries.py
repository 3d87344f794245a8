"""The rules of entries: who writes them, who corrects them, and what a correction keeps."""

import pytest

from ledger.vietnam import FACILITY_FORM
from tests.builders_hospital import Hospital
from tests.builders_resources import (
    Json,
    amendment,
    an_id,
    bundle,
    changed,
    concept,
)
from tests.builders_rules import Taken, enrol, refused

AMENDED = {"status": "amended"}


@pytest.fixture
def hospital() -> Hospital:
    return Hospital()


def _nurses_note(hospital: Hospital, name: str = "care sheet") -> Taken:
    note = hospital.note(name, "37/BV2", hospital.nurse)
    return hospital.enter("note-written.v1", note, signer=hospital.nurse)


@pytest.mark.parametrize(
    ("form", "nurse_may"), [("36/BV2", False), ("37/BV2", True), ("22/BV2", False)]
)
def test_the_form_decides_who_writes_a_note(hospital: Hospital, form: str, nurse_may: bool) -> None:
    note = hospital.note("nurse's note", form, hospital.nurse)
    if nurse_may:
        hospital.enter("note-written.v1", note, signer=hospital.nurse)
    else:
        with refused("role-not-valid", "/signer"):
            hospital.enter("note-written.v1", note, signer=hospital.nurse)
    hospital.enter("note-written.v1", hospital.note("doctor's note", form))


def test_a_pharmacist_writes_forms_of_the_facility(hospital: Hospital) -> None:
    pharmacist = enrol(hospital, "pharmacist", "pharmacist")
    note = hospital.note("counselling", author=pharmacist)
    with refused("role-not-valid"):
        hospital.enter("note-written.v1", note, signer=pharmacist)
    note["type"] = concept(FACILITY_FORM, "DLS-01")
    hospital.enter("note-written.v1", note, signer=pharmacist)


@pytest.mark.parametrize("tag", ["diagnosis-recorded.v1", "order-placed.v1"])
def test_only_doctors_diagnose_and_order(hospital: Hospital, tag: str) -> None:
    resource = hospital.diagnosis() if tag == "diagnosis-recorded.v1" else hospital.order()
    element = "recorder" if tag == "diagnosis-recorded.v1" else "requester"
    nurses = {**resource, element: {"reference": f"Practitioner/{hospital.nurse}"}}
    with refused("role-not-valid", "/signer"):
        hospital.enter(tag, nurses, signer=hospital.nurse)
    hospital.enter(tag, resource)


@pytest.mark.parametrize(
    ("signer", "code"),
    [
        ("nurse", ""),
        ("other_doctor", ""),
        ("other_nurse", "not-the-author"),
        ("technician", "role-not-valid"),
    ],
)
def test_a_care_sheet_is_corrected_by_its_author_or_a_doctor(
    hospital: Hospital, signer: str, code: str
) -> None:
    note = _nurses_note(hospital)
    staff = an_id("other nurse")
    enrol(hospital, "other nurse", "nurse")
    staff = staff if signer == "other_nurse" else str(getattr(hospital, signer))
    resource = {**hospital.note("care sheet", "37/BV2", hospital.nurse), **AMENDED}
    if not code:
        amended = hospital.amend(note, resource, signer=staff)
        hospital.retract(amended, signer=staff)
        return
    with refused(code, "/signer"):
        hospital.amend(note, resource, signer=staff)
    with refused(code, "/signer"):
        hospital.retract(note, signer=staff)


def test_a_doctors_note_is_corrected_by_its_author_only(hospital: Hospital) -> None:
    note = hospital.enter("note-written.v1", hospital.note())
    resource = {**hospital.note(), **AMENDED}
    with refused("not-the-author", "/signer"):
        hospital.amend(note, resource, signer=hospital.other_doctor)
    hospital.amend(note, resource)


def test_an_author_who_lost_the_role_corrects_no_more(hospital: Hospital) -> None:
    note = _nurses_note(hospital)
    hospital.add(
        "role-withdrawn.v1",
        {"role": "nurse", "reason": "left"},
        stream=hospital.nurse,
        signer=an_id("registrar"),
    )
    with refused("role-not-valid", "/signer"):
        hospital.retract(note, signer=hospital.nurse)
    hospital.retract(note)


def test_readings_of_a_device_are_corrected_by_people(hospital: Hospital) -> None:
    content = hospital.vitals()
    for entry in content["entry"]:
        entry["resource"]["device"] = {"reference": f"Device/{hospital.monitor}"}
    vitals = hospital.enter("vitals-recorded.v1", content, signer=hospital.monitor)
    corrected = changed(content, "/entry/0/resource/status", "corrected")
    hospital.amend(vitals, corrected, signer=hospital.nurse)
    assert hospital.summary(vitals).status == "amended"


def test_a_result_is_corrected_within_its_department(hospital: Hospital) -> None:
    order = hospital.placed()
    result = hospital.reported(order)
    amended = hospital.result(order, status="amended")
    with refused("role-not-valid", "/signer"):
        hospital.amend(result, amended, signer=hospital.radiologist)
    enrol(hospital, "other technician", "laboratory")
    hospital.amend(result, amended, signer=an_id("other technician"))


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/id", an_id("another note"), "resource-id-changed"),
        ("/type/coding/0/code", "27/BV2", "category-changed"),
        ("/author/0/reference", f"Practitioner/{an_id('nurse')}", "signer-not-responsible"),
        ("/subject/reference", f"Patient/{an_id('another')}", "subject-mismatch"),
        ("/status", "final", "status-transition"),
        ("/status", "preliminary", "status-transition"),
    ],
)
def test_an_amendment_changes_the_text_not_the_entry(
    hospital: Hospital, pointer: str, value: str, code: str
) -> None:
    note = hospital.enter("note-written.v1", hospital.note())
    resource = {**hospital.note(), **AMENDED}
    with refused(code):
        hospital.amend(note, changed(resource, pointer, value))
    hospital.amend(note, resource)


def test_a_preliminary_note_becomes_final_then_amended(hospital: Hospital) -> None:
    note = hospital.enter("note-written.v1", {**hospital.note(), "status": "preliminary"})
    with refused("status-transition"):
        hospital.amend(note, {**hospital.note(), **AMENDED})
    note = hospital.amend(note, {**hospital.note(), "status": "preliminary"})
    note = hospital.amend(note, hospital.note())
    hospital.amend(note, {**hospital.note(), **AMENDED})


def test_an_amendment_is_of_the_type_of_the_original(hospital: Hospital) -> None:
    note = hospital.enter("note-written.v1", hospital.note())
    with refused("amendment-type"):
        hospital.amend(note, hospital.diagnosis("note"))


def test_an_order_keeps_its_kind_when_amended(hospital: Hospital) -> None:
    order = hospital.placed()
    with refused("category-changed"):
        hospital.amend(order, hospital.order("order", "imaging"))
    with refused("resource-id-changed"):
        hospital.amend(order, hospital.prescription("order"))
    hospital.amend(order, hospital.order(), signer=hospital.other_doctor)


def test_the_resources_of_a_bundle_stay_in_its_amendments(hospital: Hospital) -> None:
    content = hospital.vitals()
    vitals = hospital.enter("vitals-recorded.v1", content, signer=hospital.nurse)
    first, second = (entry["resource"] for entry in content["entry"])
    corrected: Json = {**first, "status": "corrected"}
    members = {"signer": hospital.nurse}
    with refused("resource-id-changed"):
        hospital.amend(vitals, bundle(corrected), **members)
    added = {**second, "id": an_id("third")}
    hospital.amend(vitals, bundle(corrected, second, added), **members)
    assert hospital.summary(vitals).members == (second["id"], an_id("third"))


def test_an_observation_in_error_is_marked_not_the_whole_bundle(hospital: Hospital) -> None:
    content = hospital.vitals()
    vitals = hospital.enter("vitals-recorded.v1", content, signer=hospital.nurse)
    in_error = changed(content, "/entry/0/resource/status", "entered-in-error")
    members = {"signer": hospital.nurse}
    with refused("status-not-allowed"):
        both = changed(in_error, "/entry/1/resource/status", "cancelled")
        hospital.amend(vitals, both, **members)
    hospital.amend(vitals, in_error, **members)
    assert hospital.summary(vitals).status == "amended"


def test_an_amended_result_answers_the_same_order(hospital: Hospital) -> None:
    order, other = hospital.placed(), hospital.placed("other order")
    result = hospital.reported(order)
    members = {"signer": hospital.technician}
    with refused("order-mismatch"):
        hospital.amend(result, hospital.result(other, status="amended"), **members)
    hospital.amend(result, hospital.result(order, status="amended"), **members)


def test_a_bundle_takes_no_ids_of_others_when_amended(hospital: Hospital) -> None:
    hospital.enter("vitals-recorded.v1", hospital.vitals("other"), signer=hospital.nurse)
    content = hospital.vitals()
    vitals = hospital.enter("vitals-recorded.v1", content, signer=hospital.nurse)
    first, second = (entry["resource"] for entry in content["entry"])
    stolen = {**second, "id": an_id("other second")}
    with refused("resource-id-taken"):
        corrected = {**first, "status": "corrected"}
        hospital.amend(vitals, bundle(corrected, second, stolen), signer=hospital.nurse)


def test_an_allergy_is_corrected_on_the_patients_stream(hospital: Hospital) -> None:
    members = {"stream": hospital.patient}
    allergy = hospital.enter("allergy-recorded.v1", hospital.allergy(), **members)
    stranger = changed(hospital.allergy(), "/patient/reference", f"Patient/{an_id('x')}")
    with refused("subject-mismatch"):
        hospital.amend(allergy, stranger, **members)
    nurse = {"signer": hospital.nurse, **members}
    with refused("not-the-author"):
        hospital.amend(allergy, hospital.allergy(), **nurse)
    amended = hospital.amend(allergy, hospital.allergy(), signer=hospital.other_doctor, **members)
    hospital.retract(amended, **members)


def test_an_amendment_without_its_target_is_refused(hospital: Hospital) -> None:
    note = hospital.enter("note-written.v1", hospital.note())
    stranger = Taken(statement=hospital.registered.statement, digest=note.digest, facts=note.facts)
    with refused("reference-unknown", "/refs/0/event_id"):
        hospital.enter(
            "entry-amended.v1", amendment(hospital.note()), refs=[stranger.ref("amends")]
        )
