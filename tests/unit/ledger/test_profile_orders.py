"""Profiles of orders: services and drugs."""

import pytest

from ledger.facts import ResourceFacts
from ledger.vietnam import ORDER_CATEGORY
from tests.builders_hospital import Hospital
from tests.builders_resources import GONE, Json, an_id, changed, concept, placer
from tests.builders_rules import Draft, refused

OTHER = an_id("someone else")
SHARED_FAULTS = [
    ("/id", OTHER, "resource-id"),
    ("/status", "draft", "status-not-allowed"),
    ("/intent", "plan", "intent-not-allowed"),
    ("/identifier", GONE, "element-missing"),
    ("/identifier/0/type", GONE, "identifier-missing"),
    ("/identifier/1", placer("second"), "identifier-duplicate"),
    ("/identifier/0/value", GONE, "identifier-form"),
    ("/encounter", GONE, "element-missing"),
    ("/encounter/reference", f"Encounter/{OTHER}", "encounter-mismatch"),
    ("/subject/reference", "Patient/1", "subject-mismatch"),
    ("/authoredOn", GONE, "element-missing"),
    ("/authoredOn", "2026-11-20T10:00:00+08:00", "time-mismatch"),
    ("/requester", GONE, "element-missing"),
    ("/requester/reference", f"Practitioner/{OTHER}", "signer-mismatch"),
    ("/requester", {"display": "BS. Bình"}, "signer-mismatch"),
    ("/requester/reference", f"Organization/{OTHER}", "signer-mismatch"),
]


@pytest.fixture(scope="module")
def hospital() -> Hospital:
    return Hospital()


def _draft(hospital: Hospital, resource: Json, name: str) -> Draft:
    return hospital.draft(
        "order-placed.v1",
        resource,
        stream=hospital.record,
        signer=hospital.doctor,
        event_id=an_id(name),
    )


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        *SHARED_FAULTS,
        ("/category", GONE, "element-missing"),
        ("/category/0/coding/0/code", "medication", "code-unknown"),
        ("/category/0/coding/0/system", "http://snomed.info/sct", "code-missing"),
        ("/category/1", concept(ORDER_CATEGORY, "imaging"), "code-ambiguous"),
        ("/code", GONE, "element-missing"),
    ],
)
def test_a_service_order_that_breaks_the_profile_is_refused(
    hospital: Hospital, pointer: str, value: object, code: str
) -> None:
    resource = hospital.order()
    assert hospital.read(_draft(hospital, resource, "order"))
    with refused(code):
        hospital.read(_draft(hospital, changed(resource, pointer, value), "order"))


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        *SHARED_FAULTS,
        ("/medicationCodeableConcept", GONE, "fhir-required-element"),
        ("/dosageInstruction", GONE, "element-missing"),
        ("/dosageInstruction/0", {"sequence": 1}, "element-missing"),
    ],
)
def test_a_drug_order_that_breaks_the_profile_is_refused(
    hospital: Hospital, pointer: str, value: object, code: str
) -> None:
    resource = hospital.prescription()
    assert hospital.read(_draft(hospital, resource, "prescription"))
    with refused(code):
        hospital.read(_draft(hospital, changed(resource, pointer, value), "prescription"))


@pytest.mark.parametrize("category", ["laboratory", "imaging", "procedure", "nursing"])
def test_the_category_says_what_is_ordered(hospital: Hospital, category: str) -> None:
    facts = hospital.read(_draft(hospital, hospital.order("order", category), "order"))
    assert isinstance(facts, ResourceFacts)
    assert (facts.category, facts.status) == (category, "active")


def test_a_drug_order_is_of_the_category_medication(hospital: Hospital) -> None:
    facts = hospital.read(_draft(hospital, hospital.prescription(), "prescription"))
    assert isinstance(facts, ResourceFacts)
    assert (facts.category, facts.resource_type) == ("medication", "MedicationRequest")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"resourceType":"Patient"}', "fhir-resource-type"),
        (b'{"resourceType":7}', "fhir-resource-type"),
        (b'{"resourceType":"ServiceRequest"', "content-not-json"),
        (b'{"resourceType":"\xff"}', "content-not-json"),
        (b"[]", "fhir-resource-type"),
    ],
)
def test_an_order_that_is_no_order_is_refused(
    hospital: Hospital, content: bytes, code: str
) -> None:
    draft = hospital.draft(
        "order-placed.v1", content, stream=hospital.record, signer=hospital.doctor
    )
    with refused(code):
        hospital.read(draft)
