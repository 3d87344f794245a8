"""Profiles of bundles: vital signs, results of laboratory and imaging."""

import pytest

from ledger.facts import ResourceFacts
from tests.builders_hospital import Hospital
from tests.builders_resources import GONE, Json, an_id, bundle, changed
from tests.builders_rules import Draft, Taken, refused

OTHER = an_id("someone else")


@pytest.fixture(scope="module")
def hospital() -> Hospital:
    return Hospital()


@pytest.fixture(scope="module")
def order(hospital: Hospital) -> Taken:
    return hospital.placed()


def _vitals(hospital: Hospital, content: Json) -> Draft:
    return hospital.draft(
        "vitals-recorded.v1",
        content,
        stream=hospital.record,
        signer=hospital.nurse,
        event_id=an_id("vitals"),
    )


def _result(hospital: Hospital, content: Json, order: Taken, signer: str = "") -> Draft:
    return hospital.draft(
        "result-reported.v1",
        content,
        stream=hospital.record,
        signer=signer or hospital.technician,
        refs=[order.ref("answers")],
        event_id=an_id("result"),
    )


FIRST = "/entry/0/resource"
SECOND = "/entry/1/resource"


@pytest.mark.parametrize(
    ("pointer", "value", "code", "at"),
    [
        ("/type", "searchset", "bundle-type", "/type"),
        ("/type", "document", "fhir-bdl-9", None),
        ("/entry", GONE, "element-missing", "/entry"),
        ("/entry/0/fullUrl", f"urn:uuid:{OTHER}", "bundle-entry", "/entry/0/fullUrl"),
        (f"{FIRST}/id", OTHER, "resource-id", f"{FIRST}/id"),
        (f"{SECOND}/id", "second", "resource-id", f"{SECOND}/id"),
        (f"{SECOND}/id", an_id("vitals"), "resource-id", f"{SECOND}/id"),
        (f"{SECOND}/id", GONE, "element-missing", f"{SECOND}/id"),
        (f"{SECOND}/status", "registered", "status-not-allowed", f"{SECOND}/status"),
        (f"{SECOND}/status", "entered-in-error", "status-not-allowed", f"{SECOND}/status"),
        (f"{SECOND}/category", GONE, "element-missing", f"{SECOND}/category"),
        (f"{SECOND}/category/0/coding/0/code", "exam", "code-missing", f"{SECOND}/category"),
        (f"{SECOND}/encounter/reference", f"Encounter/{OTHER}", "encounter-mismatch", None),
        (f"{SECOND}/subject/reference", f"Patient/{OTHER}", "subject-mismatch", None),
        (f"{SECOND}/effectiveDateTime", "2026-11-20T09:59:59+07:00", "time-mismatch", None),
        (f"{SECOND}/effectiveDateTime", GONE, "element-missing", None),
        (f"{SECOND}/performer", GONE, "element-missing", f"{SECOND}/performer"),
        (f"{SECOND}/performer/0/reference", f"Practitioner/{OTHER}", "signer-mismatch", None),
        (f"{SECOND}/valueQuantity", GONE, "value-missing", SECOND),
        (f"{SECOND}/valueQuantity/value", GONE, "value-missing", f"{SECOND}/valueQuantity"),
        (f"{SECOND}/valueQuantity/unit", GONE, "value-missing", f"{SECOND}/valueQuantity"),
        (f"{SECOND}/valueQuantity/value", "72", "fhir-type", f"{SECOND}/valueQuantity/value"),
    ],
)
def test_vital_signs_that_break_the_profile_are_refused(
    hospital: Hospital, pointer: str, value: object, code: str, at: str | None
) -> None:
    content = hospital.vitals()
    assert hospital.read(_vitals(hospital, content))
    with refused(code, at):
        hospital.read(_vitals(hospital, changed(content, pointer, value)))


@pytest.mark.parametrize("extra", ["not an observation", "no resource"])
def test_a_bundle_of_vital_signs_holds_observations_only(hospital: Hospital, extra: str) -> None:
    content = hospital.vitals()
    entry: Json = {"resource": hospital.note()}
    if extra == "no resource":
        entry = {"fullUrl": f"urn:uuid:{OTHER}", "response": {"status": "200"}}
    with refused("bundle-entry" if extra == "not an observation" else "fhir-bdl-4"):
        hospital.read(_vitals(hospital, changed(content, "/entry/2", entry)))


def test_a_monitor_signs_as_the_device_of_its_observations(hospital: Hospital) -> None:
    content = hospital.vitals()
    for entry in content["entry"]:
        entry["resource"]["device"] = {"reference": f"Device/{hospital.monitor}"}
        del entry["resource"]["performer"]

    def draft(content: Json) -> Draft:
        return hospital.draft(
            "vitals-recorded.v1", content, stream=hospital.record, signer=hospital.monitor
        )

    facts = hospital.read(draft(content))
    assert isinstance(facts, ResourceFacts)
    assert (facts.responsible, facts.kinds) == ((hospital.monitor,), ("device",))
    with refused("signer-mismatch", f"{SECOND}/performer"):
        other = {"reference": f"Device/{hospital.analyser}"}
        hospital.read(draft(changed(content, f"{SECOND}/device", other)))


def test_vital_signs_without_a_number_say_why(hospital: Hospital) -> None:
    content = changed(hospital.vitals(), f"{SECOND}/valueQuantity", GONE)
    content["entry"][1]["resource"]["dataAbsentReason"] = {"text": "người bệnh từ chối"}
    assert hospital.read(_vitals(hospital, content))


@pytest.mark.parametrize(("status", "expected"), [("final", "final"), ("preliminary",) * 2])
def test_a_bundle_is_preliminary_while_one_of_its_observations_is(
    hospital: Hospital, status: str, expected: str
) -> None:
    content = changed(hospital.vitals(), f"{SECOND}/status", status)
    facts = hospital.read(_vitals(hospital, content))
    assert isinstance(facts, ResourceFacts)
    assert facts.status == expected
    assert facts.members == (an_id("vitals second"),)


@pytest.mark.parametrize(
    "fault",
    [
        (f"{FIRST}/id", OTHER, "resource-id", f"{FIRST}/id"),
        (f"{FIRST}/status", "amended", "status-not-allowed", f"{FIRST}/status"),
        (f"{FIRST}/basedOn", GONE, "element-missing", f"{FIRST}/basedOn"),
        (f"{FIRST}/basedOn/0/reference", "ServiceRequest/1", "order-mismatch", None),
        (f"{FIRST}/basedOn/1", {"reference": f"ServiceRequest/{OTHER}"}, "order-mismatch", None),
        (f"{FIRST}/basedOn/0/reference", f"CarePlan/{OTHER}", "order-mismatch", None),
        (f"{FIRST}/encounter/reference", f"Encounter/{OTHER}", "encounter-mismatch", None),
        (f"{FIRST}/effectiveDateTime", "2026-11-20T10:30:00+07:00", "time-mismatch", None),
        (f"{FIRST}/issued", GONE, "element-missing", f"{FIRST}/issued"),
        (f"{FIRST}/performer", GONE, "signer-mismatch", f"{FIRST}/performer"),
        (f"{FIRST}/performer/0/reference", f"Practitioner/{OTHER}", "signer-mismatch", None),
        (f"{FIRST}/result", GONE, "result-mismatch", f"{FIRST}/result"),
        (f"{FIRST}/result/0/reference", f"Observation/{OTHER}", "result-mismatch", None),
        (f"{FIRST}/result/0", {"display": "công thức máu"}, "result-mismatch", None),
        (f"{FIRST}/subject/reference", f"Patient/{OTHER}", "subject-mismatch", None),
        (f"{SECOND}/status", "preliminary", "status-not-allowed", f"{SECOND}/status"),
        (f"{SECOND}/effectiveDateTime", "2026-11-19", "time-mismatch", None),
        (f"{SECOND}/code", GONE, "fhir-required-element", f"{SECOND}/code"),
        (f"{SECOND}/subject", GONE, "element-missing", f"{SECOND}/subject"),
    ],
)
def test_a_result_that_breaks_the_profile_is_refused(
    hospital: Hospital, order: Taken, fault: tuple[str, object, str, str | None]
) -> None:
    pointer, value, code, at = fault
    content = hospital.result(order)
    facts = hospital.read(_result(hospital, content, order))
    assert isinstance(facts, ResourceFacts)
    assert facts.based_on == order.statement.event_id
    with refused(code, at):
        hospital.read(_result(hospital, changed(content, pointer, value), order))


def test_a_report_names_its_observations_by_id_or_uuid(hospital: Hospital, order: Taken) -> None:
    content = hospital.result(order)
    reference = f"urn:uuid:{an_id('result finding')}"
    content = changed(content, f"{FIRST}/result/0/reference", reference)
    assert hospital.read(_result(hospital, content, order))


def test_a_report_without_observations_has_a_conclusion(hospital: Hospital, order: Taken) -> None:
    report = hospital.result(order)["entry"][0]["resource"]
    del report["result"]
    with refused("value-missing", f"{FIRST}/conclusion"):
        hospital.read(_result(hospital, bundle(report), order))
    report["conclusion"] = "Không thấy bất thường"
    assert hospital.read(_result(hospital, bundle(report), order))


def test_an_analyser_signs_as_the_device_of_an_observation(
    hospital: Hospital, order: Taken
) -> None:
    content = changed(hospital.result(order), f"{FIRST}/performer", [{"display": "Khoa XN"}])
    with refused("signer-mismatch", f"{FIRST}/performer"):
        hospital.read(_result(hospital, content, order, hospital.analyser))
    device = {"reference": f"Device/{hospital.analyser}"}
    content = changed(content, f"{SECOND}/device", device)
    facts = hospital.read(_result(hospital, content, order, hospital.analyser))
    assert isinstance(facts, ResourceFacts)
    assert facts.kinds == ("device",)
