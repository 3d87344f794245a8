"""Profiles of patients, staff, devices and allergies."""

import pytest

from ledger.facts import EnrolmentFacts, ResourceFacts
from ledger.vietnam import CITIZEN_ID, PATIENT_CODE, TEMPORARY_CODE
from tests.builders_hospital import Hospital
from tests.builders_resources import (
    GONE,
    Json,
    an_id,
    changed,
    device,
    patient,
    practitioner,
)
from tests.builders_rules import REGISTRAR, Draft, refused

OTHER = an_id("someone else")


@pytest.fixture(scope="module")
def hospital() -> Hospital:
    return Hospital()


def _update(hospital: Hospital, resource: Json) -> Draft:
    return hospital.draft(
        "patient-identity-updated.v1", resource, stream=hospital.patient, signer=hospital.nurse
    )


@pytest.mark.parametrize(
    ("pointer", "value", "code", "at"),
    [
        ("/id", OTHER, "resource-id", "/id"),
        ("/id", GONE, "element-missing", "/id"),
        ("/identifier", GONE, "element-missing", "/identifier"),
        ("/identifier/0/value", "00108001234", "identifier-form", "/identifier/0/value"),
        ("/identifier/0/value", GONE, "identifier-form", "/identifier/0"),
        ("/identifier/0/system", GONE, "identifier-form", "/identifier/0"),
        ("/identifier/0/system", "https://elsewhere.example", "identifier-missing", "/identifier"),
        ("/name", GONE, "element-missing", "/name"),
        ("/name/0", {"family": "Nguyễn"}, "name-missing", "/name"),
        ("/name/0/text", " ", "name-missing", "/name"),
        ("/name/0/text", "---", "name-missing", "/name"),
        ("/gender", GONE, "element-missing", "/gender"),
        ("/gender", "nữ", "fhir-code", "/gender"),
        ("/birthDate", "1980-02-31", "fhir-date", "/birthDate"),
        ("/hoTen", "Ánh", "fhir-unknown-element", "/hoTen"),
        ("/resourceType", "Practitioner", "fhir-resource-type", "/resourceType"),
    ],
)
def test_a_patient_who_breaks_the_profile_is_refused(
    hospital: Hospital, pointer: str, value: object, code: str, at: str
) -> None:
    resource = patient(hospital.patient)
    assert hospital.read(_update(hospital, resource)) == ResourceFacts(
        resource_type="Patient", resource_id=hospital.patient, patient=hospital.patient
    )
    with refused(code, at):
        hospital.read(_update(hospital, changed(resource, pointer, value)))


@pytest.mark.parametrize("birth_date", ["1980", "1980-05", "1980-05-17", GONE])
def test_a_birth_date_may_be_partial_or_unknown(hospital: Hospital, birth_date: object) -> None:
    resource = changed(patient(hospital.patient), "/birthDate", birth_date)
    assert hospital.read(_update(hospital, resource))


def test_a_reissued_citizen_id_keeps_the_old_one_marked_as_old(hospital: Hospital) -> None:
    reissued = {"system": CITIZEN_ID, "value": "001080054321"}
    resource = changed(patient(hospital.patient), "/identifier/1", reissued)
    with refused("identifier-duplicate", "/identifier/1"):
        hospital.read(_update(hospital, resource))
    assert hospital.read(_update(hospital, changed(resource, "/identifier/0/use", "old")))


@pytest.mark.parametrize(
    ("system", "value"), [(TEMPORARY_CODE, "TE-26.00012"), (PATIENT_CODE, "2600012")]
)
def test_a_patient_without_papers_has_a_temporary_or_own_code(
    hospital: Hospital, system: str, value: str
) -> None:
    identifier = {"system": system, "value": value}
    resource = changed(patient(hospital.patient), "/identifier/0", identifier)
    assert hospital.read(_update(hospital, resource))


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/id", OTHER, "resource-id"),
        ("/identifier", GONE, "element-missing"),
        ("/identifier/0/system", CITIZEN_ID, "identifier-form"),
        ("/identifier/0/system", "https://elsewhere.example", "identifier-missing"),
        ("/name", GONE, "element-missing"),
        ("/name/0/text", GONE, "fhir-empty"),
    ],
)
def test_a_practitioner_needs_a_name_and_a_licence_or_staff_code(
    hospital: Hospital, pointer: str, value: object, code: str
) -> None:
    stream = an_id("new practitioner")

    def draft(resource: Json) -> Draft:
        return hospital.draft("practitioner-enrolled.v1", resource, stream=stream, signer=REGISTRAR)

    assert hospital.read(draft(practitioner(stream))) == EnrolmentFacts(
        kind="practitioner", resource_type="Practitioner", resource_id=stream
    )
    with refused(code):
        hospital.read(draft(changed(practitioner(stream), pointer, value)))


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/id", OTHER, "resource-id"),
        ("/serialNumber", GONE, "element-missing"),
        ("/deviceName", GONE, "element-missing"),
        ("/identifier", [{"value": "7"}], "identifier-form"),
        ("/patient", {"reference": f"Patient/{OTHER}"}, "element-not-allowed"),
        ("/contact", [{"system": "phone", "value": "0912345678"}], "element-not-allowed"),
        ("/note", [{"text": "gọi anh Bình khi hỏng"}], "element-not-allowed"),
        ("/type", {"coding": []}, "fhir-empty"),
    ],
)
def test_a_device_needs_a_name_and_a_number_and_names_no_one(
    hospital: Hospital, pointer: str, value: object, code: str
) -> None:
    stream = an_id("new device")

    def draft(resource: Json) -> Draft:
        return hospital.draft("device-enrolled.v1", resource, stream=stream, signer=REGISTRAR)

    assert hospital.read(draft(device(stream))) == EnrolmentFacts(
        kind="device", resource_type="Device", resource_id=stream
    )
    with refused(code):
        hospital.read(draft(changed(device(stream), pointer, value)))


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/id", OTHER, "resource-id"),
        ("/patient/reference", f"Patient/{OTHER}", "subject-mismatch"),
        ("/patient/reference", "Patient/123", "subject-mismatch"),
        ("/recorder", GONE, "element-missing"),
        ("/recorder/reference", f"Practitioner/{OTHER}", "signer-mismatch"),
        ("/recorder/reference", "Practitioner/123", "reference-form"),
        ("/recordedDate", "2026-11-20T10:00:01+07:00", "time-mismatch"),
        ("/code", GONE, "element-missing"),
        ("/clinicalStatus", GONE, "fhir-ait-1"),
    ],
)
def test_an_allergy_that_breaks_the_profile_is_refused(
    hospital: Hospital, pointer: str, value: object, code: str
) -> None:
    def draft(resource: Json) -> Draft:
        return hospital.draft(
            "allergy-recorded.v1",
            resource,
            stream=hospital.patient,
            signer=hospital.doctor,
            event_id=an_id("allergy"),
        )

    facts = hospital.read(draft(hospital.allergy()))
    assert isinstance(facts, ResourceFacts)
    assert facts.status == "confirmed"
    with refused(code):
        hospital.read(draft(changed(hospital.allergy(), pointer, value)))
