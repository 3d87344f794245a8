"""Profiles of the record's own resources: Encounter, Condition, Composition."""

import pytest

from ledger.facts import ResourceFacts
from ledger.vietnam import FACILITY_FORM, FORM, RECORD_NUMBER, RECORD_TYPE
from tests.builders_hospital import Hospital
from tests.builders_resources import (
    GONE,
    TERMINOLOGY,
    Json,
    an_id,
    changed,
    concept,
    encounter,
    finished,
)
from tests.builders_rules import Draft, refused

OTHER = an_id("someone else")


@pytest.fixture(scope="module")
def hospital() -> Hospital:
    return Hospital()


def _draft(hospital: Hospital, tag: str, resource: Json, name: str = "") -> Draft:
    return hospital.draft(
        tag,
        resource,
        stream=hospital.record,
        signer=hospital.doctor,
        event_id=an_id(name) if name else "",
    )


ENCOUNTER_FAULTS = [
    ("/id", OTHER, "resource-id", "/id"),
    ("/status", "planned", "status-not-allowed", "/status"),
    ("/class", GONE, "fhir-required-element", "/class"),
    ("/class/code", GONE, "element-missing", "/class/code"),
    ("/type", GONE, "element-missing", "/type"),
    ("/type", [{"text": "Nội khoa"}], "code-missing", "/type"),
    ("/type/0/coding/0/code", GONE, "code-missing", "/type"),
    ("/type/0/coding/0/code", "30/BV1", "code-unknown", "/type"),
    ("/type/1", concept(RECORD_TYPE, "02/BV1"), "code-ambiguous", "/type"),
    ("/identifier", GONE, "element-missing", "/identifier"),
    ("/identifier/0/system", "https://elsewhere.example", "identifier-missing", "/identifier"),
    ("/identifier/1", {"system": RECORD_NUMBER, "value": "2"}, "identifier-duplicate", None),
    ("/identifier/1", {"value": "LT 1"}, "identifier-form", "/identifier/1"),
    ("/subject", GONE, "element-missing", "/subject"),
    ("/subject/reference", f"Group/{OTHER}", "subject-mismatch", "/subject/reference"),
    ("/subject/reference", "Patient/12", "subject-mismatch", "/subject/reference"),
    ("/subject", {"display": "Nguyễn Thị Hồng Ánh"}, "subject-mismatch", "/subject/reference"),
    ("/period", GONE, "element-missing", "/period"),
]


@pytest.mark.parametrize(
    ("pointer", "value", "code", "at"),
    [
        *ENCOUNTER_FAULTS,
        ("/period", {"extension": [{"url": "urn:x", "valueInteger": 1}]}, "element-missing", None),
        ("/period/start", "2026-11-20T10:00:00.001+07:00", "time-mismatch", "/period/start"),
        ("/period/end", "2026-11-21", "element-not-allowed", "/period/end"),
    ],
)
def test_an_opening_encounter_that_breaks_the_profile_is_refused(
    hospital: Hospital, pointer: str, value: object, code: str, at: str | None
) -> None:
    resource = encounter(an_id("new record"), hospital.patient)

    def draft(resource: Json) -> Draft:
        return hospital.draft(
            "record-opened.v1", resource, stream=an_id("new record"), signer=hospital.doctor
        )

    facts = hospital.read(draft(resource))
    assert isinstance(facts, ResourceFacts)
    assert (facts.patient, facts.category) == (hospital.patient, "01/BV1")
    with refused(code, at):
        hospital.read(draft(changed(resource, pointer, value)))


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/status", "in-progress", "status-not-allowed"),
        ("/period/end", GONE, "element-missing"),
        ("/period/end", "2026-11-20T10:00:01+07:00", "time-mismatch"),
        ("/period/start", GONE, "element-missing"),
        ("/period/start", "2026-11-21T08:00:00+07:00", "fhir-per-1"),
        ("/type/0/coding/0/code", "00/BV1", "code-unknown"),
    ],
)
def test_a_closing_encounter_that_breaks_the_profile_is_refused(
    hospital: Hospital, pointer: str, value: object, code: str
) -> None:
    resource = finished(encounter(hospital.record, hospital.patient))
    assert hospital.read(_draft(hospital, "record-closed.v1", resource))
    with refused(code):
        hospital.read(_draft(hospital, "record-closed.v1", changed(resource, pointer, value)))


def test_participants_of_an_encounter_are_named_staff(hospital: Hospital) -> None:
    resource = finished(encounter(hospital.record, hospital.patient))
    resource["participant"] = [
        {"individual": {"reference": f"Practitioner/{hospital.nurse}"}},
        {"individual": {"reference": "RelatedPerson/mother"}},
        {"type": [{"text": "người nhà"}]},
    ]
    facts = hospital.read(_draft(hospital, "record-closed.v1", resource))
    assert isinstance(facts, ResourceFacts)
    assert (facts.mentioned, facts.kinds) == ((hospital.nurse,), ("practitioner",))


@pytest.mark.parametrize(
    ("pointer", "value", "code", "at"),
    [
        ("/id", OTHER, "resource-id", "/id"),
        ("/code", GONE, "element-missing", "/code"),
        ("/code/coding/0/version", GONE, "code-version", "/code"),
        ("/code/coding/0/code", "viêm phổi", "code-unknown", "/code"),
        ("/code/coding/0/system", "http://snomed.info/sct", "code-missing", "/code"),
        ("/encounter", GONE, "element-missing", "/encounter"),
        ("/encounter/reference", f"Encounter/{OTHER}", "encounter-mismatch", "/encounter"),
        ("/encounter/reference", "Encounter/1", "encounter-mismatch", "/encounter/reference"),
        ("/recordedDate", GONE, "element-missing", "/recordedDate"),
        ("/recordedDate", "2026-11-21", "time-mismatch", "/recordedDate"),
        ("/recorder", GONE, "element-missing", "/recorder"),
        ("/recorder/reference", f"Practitioner/{OTHER}", "signer-mismatch", "/recorder"),
        ("/asserter", {"reference": "Practitioner/1"}, "reference-form", "/asserter/reference"),
    ],
)
def test_a_diagnosis_that_breaks_the_profile_is_refused(
    hospital: Hospital, pointer: str, value: object, code: str, at: str
) -> None:
    resource = hospital.diagnosis()

    def draft(resource: Json) -> Draft:
        return _draft(hospital, "diagnosis-recorded.v1", resource, "diagnosis")

    assert hospital.read(draft(resource))
    with refused(code, at):
        hospital.read(draft(changed(resource, pointer, value)))


@pytest.mark.parametrize(
    ("occurred_at", "recorded", "agrees"),
    [
        ("0800-05-01T00:00:00.000Z", "0800-05-01", True),
        ("9999-12-31T16:59:59.999Z", "9999", True),
        ("9999-12-31T17:00:00.000Z", "9999", False),  # the year 10000 in Vietnam
        ("0001-01-01T00:00:00.000Z", "0001-01-01T14:00:00+14:00", True),
    ],
)
def test_no_year_is_too_early_or_too_late_to_be_judged(
    hospital: Hospital, occurred_at: str, recorded: str, agrees: bool
) -> None:
    resource = {**hospital.diagnosis(), "recordedDate": recorded}
    draft = hospital.draft(
        "diagnosis-recorded.v1",
        resource,
        stream=hospital.record,
        signer=hospital.doctor,
        occurred_at=occurred_at,
    )
    if agrees:
        assert hospital.read(draft)
    else:
        with refused("time-mismatch", "/recordedDate"):
            hospital.read(draft)


def test_a_diagnosis_is_marked_as_an_error_by_retracting_it(hospital: Hospital) -> None:
    system = f"{TERMINOLOGY}/condition-ver-status"
    resource = changed(hospital.diagnosis(), "/verificationStatus", concept(system, "refuted"))
    facts = hospital.read(_draft(hospital, "diagnosis-recorded.v1", resource))
    assert isinstance(facts, ResourceFacts)
    assert facts.status == "refuted"
    resource["verificationStatus"] = concept(system, "entered-in-error")
    del resource["clinicalStatus"]
    with refused("status-not-allowed", "/verificationStatus"):
        hospital.read(_draft(hospital, "diagnosis-recorded.v1", resource))


@pytest.mark.parametrize(
    ("pointer", "value", "code", "at"),
    [
        ("/id", OTHER, "resource-id", "/id"),
        ("/status", "entered-in-error", "status-not-allowed", "/status"),
        ("/type/coding/0/code", "99/BV2", "code-unknown", "/type"),
        ("/type", {"text": "Tờ điều trị"}, "code-missing", "/type"),
        ("/type/coding/1", {"system": FACILITY_FORM, "code": "X1"}, "code-ambiguous", "/type"),
        ("/type/coding/0", {"system": FACILITY_FORM, "code": "x"}, "code-unknown", "/type"),
        ("/section", GONE, "element-missing", "/section"),
        ("/section/0", {"title": "Diễn biến"}, "fhir-cmp-1", "/section/0"),
        ("/encounter/reference", f"Encounter/{OTHER}", "encounter-mismatch", "/encounter"),
        ("/date", "2026-11-20T10:00:00Z", "time-mismatch", "/date"),
        ("/date", "2026-11-20T10:00:60+07:00", "time-mismatch", "/date"),
        ("/author/0/reference", f"Practitioner/{OTHER}", "signer-mismatch", "/author"),
        ("/author/1", {"reference": f"Practitioner/{OTHER}"}, "signer-mismatch", "/author"),
        ("/subject", GONE, "element-missing", "/subject"),
        ("/title", GONE, "fhir-required-element", "/title"),
        (
            "/attester",
            [{"mode": "legal", "party": {"reference": "Practitioner/1"}}],
            "reference-form",
            "/attester/0/party/reference",
        ),
    ],
)
def test_a_note_that_breaks_the_profile_is_refused(
    hospital: Hospital, pointer: str, value: object, code: str, at: str | None
) -> None:
    resource = hospital.note()

    def draft(resource: Json) -> Draft:
        return _draft(hospital, "note-written.v1", resource, "note")

    facts = hospital.read(draft(resource))
    assert isinstance(facts, ResourceFacts)
    assert (facts.category, facts.responsible) == ("36/BV2", (hospital.doctor,))
    with refused(code, at):
        hospital.read(draft(changed(resource, pointer, value)))


@pytest.mark.parametrize(
    ("system", "code"), [(FORM, "01/BV1"), (FORM, "53/BV2"), (FACILITY_FORM, "HD-01")]
)
def test_a_note_has_a_form_of_the_circular_or_of_the_facility(
    hospital: Hospital, system: str, code: str
) -> None:
    resource = changed(hospital.note(), "/type", concept(system, code))
    facts = hospital.read(_draft(hospital, "note-written.v1", resource))
    assert isinstance(facts, ResourceFacts)
    assert facts.category == code


@pytest.mark.parametrize(
    "date",
    [
        "2026",
        "2026-11",
        "2026-11-20",
        "2026-11-20T03:00:00Z",
        "2026-11-20T10:00:00.000+07:00",
        "2026-11-20T10:00:00.000999999+07:00",
    ],
)
def test_a_date_may_be_less_exact_than_occurred_at_but_must_contain_it(
    hospital: Hospital, date: str
) -> None:
    resource = changed(hospital.note(), "/date", date)
    assert hospital.read(_draft(hospital, "note-written.v1", resource))


def test_a_day_is_the_day_in_vietnam(hospital: Hospital) -> None:
    resource = changed(hospital.note(), "/date", "2026-11-20")

    def draft(occurred_at: str) -> Draft:
        return hospital.draft(
            "note-written.v1",
            resource,
            stream=hospital.record,
            signer=hospital.doctor,
            occurred_at=occurred_at,
        )

    assert hospital.read(draft("2026-11-19T17:00:00.000Z"))
    with refused("time-mismatch", "/date"):
        hospital.read(draft("2026-11-20T17:00:00.000Z"))
