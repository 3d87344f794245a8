"""Bad content is refused with a stable code and the exact place, and is never quoted."""

import json
from typing import Any

import pytest

from ledger.errors import ContentRejectedError
from ledger.fhir.validation import decode_resource

Change = dict[str, Any]
SYSTEM = "http://terminology.hl7.org/CodeSystem/"
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
PATIENT = {"resourceType": "Patient", "id": "p1"}
OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    "subject": {"reference": "Patient/p1"},
}
CONDITION = {"resourceType": "Condition", "subject": {"reference": "Patient/p1"}}
ALLERGY = {
    "resourceType": "AllergyIntolerance",
    "patient": {"reference": "Patient/p1"},
    "clinicalStatus": {
        "coding": [{"system": SYSTEM + "allergyintolerance-clinical", "code": "active"}]
    },
}
ORDER = {
    "resourceType": "MedicationRequest",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
    "medicationCodeableConcept": {"text": "x"},
}
REQUEST = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
    "code": {"text": "x"},
}
NOTE = {
    "resourceType": "Composition",
    "status": "final",
    "type": {"text": "x"},
    "date": "2026-11-22",
    "author": [{"reference": "Practitioner/d1"}],
    "title": "x",
}
BUNDLE = {"resourceType": "Bundle", "type": "collection"}
ENCOUNTER = {"resourceType": "Encounter", "status": "planned", "class": {"code": "IMP"}}
LOCATION = {"resourceType": "Location", "position": {"longitude": 106.7, "latitude": 10.8}}
DOCTOR = {"resourceType": "Practitioner", "id": "d1"}
ABATED = {"coding": [{"system": SYSTEM + "condition-clinical", "code": "active"}]}
WRONG = {"coding": [{"system": SYSTEM + "condition-ver-status", "code": "entered-in-error"}]}
UNVERIFIED = {
    "coding": [{"system": SYSTEM + "allergyintolerance-verification", "code": "entered-in-error"}]
}
SPOKEN = {"extension": [{"url": "urn:clinledger:spoken", "valueCode": "x"}]}
GOOD = [
    PATIENT, OBSERVATION, CONDITION, ALLERGY, ORDER, REQUEST, NOTE, BUNDLE, ENCOUNTER, LOCATION,
    {**PATIENT, "name": [{"given": ["A", None], "_given": [None, SPOKEN]}]},
    {**PATIENT, "name": [{"_given": [SPOKEN, SPOKEN]}]},
    {**PATIENT, "name": [{"text": "{}"}]},
    {**PATIENT, "name": [{"text": "\n\u0041 {}"}]},
    {**OBSERVATION, "valueString": "x", "_valueString": SPOKEN},
    {**OBSERVATION, "valueString": "x", "component": [{"code": {"text": "x"}}]},
    {**OBSERVATION, "subject": {"reference": "urn:uuid:x", "type": "Patient"}},
    {**OBSERVATION, "subject": {"reference": "https://a.example/fhir/Patient/1"}},
    {**OBSERVATION, "subject": {"reference": "Patient/1/_history/2"}},
    {
        **PATIENT,
        "contained": [{**DOCTOR, "extension": [
            {"url": "urn:clinledger:of", "valueReference": {"reference": "#"}}
        ]}],
    },
]  # fmt: skip
EXT = "urn:clinledger:x"
BUNDLED_TYPE = "/entry/0/resource/resourceType"
DOCUMENT = {"type": "document", "timestamp": "2026-11-22T00:00:00Z"}
BARE_RANGE = {"referenceRange": [{"age": {"id": "a"}}]}


def value(number: object) -> Change:
    return {"valueQuantity": {"value": number}}


# Base resource, members to set (None: to remove), code, pointer.
REFUSED: list[tuple[Change, Change, str, str]] = [
    # elements and types
    (PATIENT, {"staus": "final"}, "fhir-unknown-element", "/staus"),
    (PATIENT, {"name": [{"famly": "x"}]}, "fhir-unknown-element", "/name/0/famly"),
    (PATIENT, {"Nguyễn Văn A": 1}, "fhir-unknown-element", ""),
    (PATIENT, {"resourceType": "Group"}, "fhir-resource-type", "/resourceType"),
    (OBSERVATION, {"resourceType": None}, "fhir-required-element", "/resourceType"),
    (OBSERVATION, {"status": None}, "fhir-required-element", "/status"),
    (OBSERVATION, {"code": None}, "fhir-required-element", "/code"),
    (ORDER, {"medicationCodeableConcept": None}, "fhir-required-element", "/medication[x]"),
    (NOTE, {"author": []}, "fhir-empty", "/author"),
    (PATIENT, {"maritalStatus": {}}, "fhir-empty", "/maritalStatus"),
    (PATIENT, {"contact": [{"name": {"id": "a"}}]}, "fhir-empty", "/contact/0/name"),
    (PATIENT, {"_birthDate": {}}, "fhir-empty", "/_birthDate"),
    (NOTE, {"title": ""}, "fhir-empty", "/title"),
    (PATIENT, {"name": {"text": "x"}}, "fhir-type", "/name"),
    (PATIENT, {"text": {"status": "generated", "div": DIV, "id": ""}}, "fhir-empty", "/text/id"),
    (PATIENT, {"active": "true"}, "fhir-type", "/active"),
    (PATIENT, {"birthDate": 1990}, "fhir-type", "/birthDate"),
    (PATIENT, {"multipleBirthInteger": "2"}, "fhir-type", "/multipleBirthInteger"),
    (PATIENT, {"multipleBirthInteger": 2.0}, "fhir-type", "/multipleBirthInteger"),
    (PATIENT, {"multipleBirthInteger": 2**31}, "fhir-value", "/multipleBirthInteger"),
    (PATIENT, {"name": [{"given": ["A", None]}]}, "fhir-null", "/name/0/given/1"),
    (PATIENT, {"name": [{"_given": [None]}]}, "fhir-null", "/name/0/_given/0"),
    (
        PATIENT,
        {"name": [{"given": ["A", None], "_given": [{"id": "a"}, None]}]},
        "fhir-empty",
        "/name/0/_given/0",
    ),
    (
        PATIENT,
        {"name": [{"given": ["A", None], "_given": [SPOKEN, None]}]},
        "fhir-null",
        "/name/0/given/1",
    ),
    (
        PATIENT,
        {"name": [{"given": ["A", "B"], "_given": [SPOKEN]}]},
        "fhir-unaligned-arrays",
        "/name/0/_given",
    ),
    (
        PATIENT,
        {"name": [{"_given": [SPOKEN, None]}]},
        "fhir-null",
        "/name/0/_given/1",
    ),
    # choices
    (
        PATIENT,
        {"deceasedBoolean": True, "deceasedDateTime": "2026"},
        "fhir-choice-type",
        "/deceasedDateTime",
    ),
    (
        OBSERVATION,
        {"valueString": "x", "_valueInteger": {"id": "a", "extension": [{"url": EXT}]}},
        "fhir-ext-1",
        "/_valueInteger/extension/0",
    ),
    (OBSERVATION, {"valueDuration": {"value": 1}}, "fhir-unknown-element", "/valueDuration"),
    # numbers
    (OBSERVATION, value("37.5"), "fhir-type", "/valueQuantity/value"),
    (OBSERVATION, value(True), "fhir-type", "/valueQuantity/value"),
    (OBSERVATION, value(10**500), "fhir-value", "/valueQuantity/value"),
    (LOCATION, {"position": {"longitude": "1", "latitude": 1}}, "fhir-type", "/position/longitude"),
    # primitive forms
    (PATIENT, {"id": "a b"}, "fhir-value", "/id"),
    (PATIENT, {"id": "a\n"}, "fhir-value", "/id"),
    (PATIENT, {"id": "a" * 65}, "fhir-value", "/id"),
    (PATIENT, {"birthDate": "1990-02-31"}, "fhir-date", "/birthDate"),
    (PATIENT, {"birthDate": "1900-02-29"}, "fhir-date", "/birthDate"),
    (PATIENT, {"birthDate": "1990-13"}, "fhir-date", "/birthDate"),
    (PATIENT, {"birthDate": "0000"}, "fhir-date", "/birthDate"),
    (PATIENT, {"birthDate": "1990-1-1"}, "fhir-date", "/birthDate"),
    (PATIENT, {"birthDate": "1990-01-01T00:00:00Z"}, "fhir-date", "/birthDate"),
    (OBSERVATION, {"effectiveDateTime": "2026-11-22T10:00"}, "fhir-date", "/effectiveDateTime"),
    (OBSERVATION, {"effectiveDateTime": "2026-11-22T24:00:00Z"}, "fhir-date", "/effectiveDateTime"),
    (OBSERVATION, {"issued": "2026-11-22"}, "fhir-date", "/issued"),
    (OBSERVATION, {"issued": "2026-11-22T10:00:00+15:00"}, "fhir-date", "/issued"),
    (OBSERVATION, {"valueTime": "25:00:00"}, "fhir-value", "/valueTime"),
    (OBSERVATION, {"code": {"coding": [{"code": " x"}]}}, "fhir-value", "/code/coding/0/code"),
    (OBSERVATION, {"code": {"coding": [{"system": "a b"}]}}, "fhir-value", "/code/coding/0/system"),
    (
        PATIENT,
        {"photo": [{"contentType": "jpeg", "url": "urn:x"}]},
        "fhir-value",
        "/photo/0/contentType",
    ),
    (
        PATIENT,
        {"photo": [{"contentType": "image/png", "data": "abc"}]},
        "fhir-value",
        "/photo/0/data",
    ),
    (NOTE, {"title": "a\u0001b"}, "fhir-control-character", "/title"),
    # codes
    (OBSERVATION, {"status": "done"}, "fhir-code", "/status"),
    (PATIENT, {"gender": "nam"}, "fhir-code", "/gender"),
    (CONDITION, {"clinicalStatus": {"text": "x"}}, "fhir-code", "/clinicalStatus"),
    (
        CONDITION,
        {"clinicalStatus": {"coding": [{"system": SYSTEM + "condition-clinical", "code": "x"}]}},
        "fhir-code",
        "/clinicalStatus/coding/0/code",
    ),
    # references
    (
        OBSERVATION,
        {"subject": {"reference": "Practitioner/p1"}},
        "fhir-reference-target",
        "/subject/reference",
    ),
    (
        OBSERVATION,
        {"performer": [{"reference": "Patient/p1"}, {"reference": "Encounter/e"}]},
        "fhir-reference-target",
        "/performer/1/reference",
    ),
    (
        OBSERVATION,
        {"subject": {"type": "Practitioner", "display": "x"}},
        "fhir-reference-target",
        "/subject/type",
    ),
    (OBSERVATION, {"subject": {"reference": "p1"}}, "fhir-reference-form", "/subject/reference"),
    (
        OBSERVATION,
        {"subject": {"reference": "Patient?identifier=1"}},
        "fhir-reference-form",
        "/subject/reference",
    ),
    (OBSERVATION, {"subject": {"reference": "#x"}}, "fhir-ref-1", "/subject/reference"),
    (PATIENT, {"contained": [DOCTOR]}, "fhir-dom-3", "/contained/0"),
    (
        PATIENT,
        {
            "contained": [DOCTOR, DOCTOR],
            "generalPractitioner": [{"reference": "#d1"}],
        },
        "fhir-dom-3",
        "/contained",
    ),
    (
        PATIENT,
        {
            "contained": [{**DOCTOR, "contained": [DOCTOR]}],
            "generalPractitioner": [{"reference": "#d1"}],
        },
        "fhir-dom-2",
        "/contained/0/contained",
    ),
    (
        PATIENT,
        {
            "contained": [{**DOCTOR, "meta": {"versionId": "1"}}],
            "generalPractitioner": [{"reference": "#d1"}],
        },
        "fhir-dom-4",
        "/contained/0/meta",
    ),
    (
        PATIENT,
        {
            "contained": [{**DOCTOR, "meta": {"security": [{"code": "R"}]}}],
            "generalPractitioner": [{"reference": "#d1"}],
        },
        "fhir-dom-5",
        "/contained/0/meta/security",
    ),
    # invariants
    (PATIENT, {"contact": [{"gender": "male"}]}, "fhir-pat-1", "/contact/0"),
    (PATIENT, {"telecom": [{"value": "113"}]}, "fhir-cpt-2", "/telecom/0/value"),
    (PATIENT, {"photo": [{"data": "YWJj"}]}, "fhir-att-1", "/photo/0/data"),
    (PATIENT, {"extension": [{"url": EXT}]}, "fhir-ext-1", "/extension/0"),
    (
        PATIENT,
        {
            "extension": [
                {"url": EXT, "valueCode": "a", "extension": [{"url": EXT, "valueCode": "b"}]}
            ]
        },
        "fhir-ext-1",
        "/extension/0",
    ),
    (
        ENCOUNTER,
        {"period": {"start": "2026-11-22", "end": "2026-11-21"}},
        "fhir-per-1",
        "/period/end",
    ),
    (
        ENCOUNTER,
        {"period": {"start": "2026-11-22T08:00:00+07:00", "end": "2026-11-22T00:59:59.9Z"}},
        "fhir-per-1",
        "/period/end",
    ),
    (
        OBSERVATION,
        {"valueQuantity": {"value": 1, "code": "mg"}},
        "fhir-qty-3",
        "/valueQuantity/code",
    ),
    (
        OBSERVATION,
        {"valueString": "x", "dataAbsentReason": {"text": "x"}},
        "fhir-obs-6",
        "/dataAbsentReason",
    ),
    (
        OBSERVATION,
        {"valueString": "x", "component": [{"code": OBSERVATION["code"]}]},
        "fhir-obs-7",
        "/component/0/code",
    ),
    (OBSERVATION, BARE_RANGE, "fhir-empty", "/referenceRange/0/age"),
    (
        OBSERVATION,
        {"referenceRange": [{"type": {"text": "x"}}]},
        "fhir-obs-3",
        "/referenceRange/0",
    ),
    (
        OBSERVATION,
        {"referenceRange": [{"low": {"value": 1, "comparator": "<"}}]},
        "fhir-sqty-1",
        "/referenceRange/0/low/comparator",
    ),
    (
        OBSERVATION,
        {"valueRange": {"low": {"value": 2}, "high": {"value": 1.5}}},
        "fhir-rng-2",
        "/valueRange/high",
    ),
    (OBSERVATION, {"valueRatio": {"numerator": {"value": 1}}}, "fhir-rat-1", "/valueRatio"),
    (
        CONDITION,
        {"clinicalStatus": ABATED, "abatementString": "x"},
        "fhir-con-4",
        "/clinicalStatus",
    ),
    (
        CONDITION,
        {"clinicalStatus": ABATED, "verificationStatus": WRONG},
        "fhir-con-5",
        "/clinicalStatus",
    ),
    (ALLERGY, {"clinicalStatus": None}, "fhir-ait-1", "/clinicalStatus"),
    (ALLERGY, {"verificationStatus": UNVERIFIED}, "fhir-ait-2", "/clinicalStatus"),
    (REQUEST, {"code": None, "orderDetail": [{"text": "x"}]}, "fhir-prr-1", "/orderDetail"),
    (NOTE, {"section": [{"title": "x"}]}, "fhir-cmp-1", "/section/0"),
    (
        NOTE,
        {"section": [{"entry": [{"reference": "Condition/c"}], "emptyReason": {"text": "x"}}]},
        "fhir-cmp-2",
        "/section/0/emptyReason",
    ),
    (
        ORDER,
        {"dosageInstruction": [{"timing": {"repeat": {"duration": 1}}}]},
        "fhir-tim-1",
        "/dosageInstruction/0/timing/repeat/duration",
    ),
    (
        ORDER,
        {"dosageInstruction": [{"timing": {"repeat": {"period": -1, "periodUnit": "d"}}}]},
        "fhir-tim-5",
        "/dosageInstruction/0/timing/repeat/period",
    ),
    (
        ORDER,
        {"dosageInstruction": [{"timing": {"repeat": {"offset": 30, "when": ["C"]}}}]},
        "fhir-tim-9",
        "/dosageInstruction/0/timing/repeat/when",
    ),
    # bundles
    (BUNDLE, {"type": "bundle"}, "fhir-code", "/type"),
    (BUNDLE, {"total": 1}, "fhir-bdl-1", "/total"),
    (BUNDLE, {"entry": [{"fullUrl": "urn:x"}]}, "fhir-bdl-5", "/entry/0"),
    (
        BUNDLE,
        {"entry": [{"resource": PATIENT, "search": {"mode": "match"}}]},
        "fhir-bdl-2",
        "/entry/0/search",
    ),
    (
        BUNDLE,
        {"entry": [{"resource": PATIENT, "request": {"method": "PUT", "url": "x"}}]},
        "fhir-bdl-3",
        "/entry/0/request",
    ),
    (
        BUNDLE,
        {"entry": [{"resource": PATIENT, "response": {"status": "200"}}]},
        "fhir-bdl-4",
        "/entry/0/response",
    ),
    (
        BUNDLE,
        {"entry": [{"fullUrl": "urn:x", "resource": PATIENT}] * 2},
        "fhir-bdl-7",
        "/entry/1/fullUrl",
    ),
    (
        BUNDLE,
        {"entry": [{"fullUrl": "http://a.example/Patient/1/_history/2", "resource": PATIENT}]},
        "fhir-bdl-8",
        "/entry/0/fullUrl",
    ),
    (BUNDLE, DOCUMENT, "fhir-bdl-9", "/identifier"),
    (BUNDLE, {"entry": [{"resource": {"active": True}}]}, "fhir-required-element", BUNDLED_TYPE),
    (
        BUNDLE,
        {"entry": [{"resource": {"resourceType": "Claim"}}]},
        "fhir-resource-type",
        BUNDLED_TYPE,
    ),
    (
        BUNDLE,
        {"entry": [{"resource": PATIENT}, {"resource": {**OBSERVATION, "valueTime": "x"}}]},
        "fhir-value",
        "/entry/1/resource/valueTime",
    ),
    (
        BUNDLE,
        {"entry": [{"resource": {**OBSERVATION, "subject": {"reference": "#p"}}}]},
        "fhir-ref-1",
        "/entry/0/resource/subject/reference",
    ),
    # narrative: the many ways are in test_fhir_narrative.py
    (
        PATIENT,
        {"text": {"status": "generated", "div": DIV.format("<script>x</script>")}},
        "fhir-txt-1",
        "/text/div",
    ),
    (PATIENT, {"text": {"status": "generated", "div": DIV.format(" ")}}, "fhir-txt-2", "/text/div"),
    (PATIENT, {"text": {"status": "generated", "div": "x"}}, "fhir-txt-1", "/text/div"),
]  # fmt: skip


def changed(base: Change, change: Change) -> bytes:
    document = {**base, **change}
    for name, member in change.items():
        if member is None:
            del document[name]
    return json.dumps(document).encode()


@pytest.mark.parametrize("ascii_only", [True, False])
def test_what_xml_cannot_carry_is_refused_escaped_or_not(ascii_only: bool) -> None:
    document = {**NOTE, "title": "a\uffffb"}
    with pytest.raises(ContentRejectedError, match="fhir-control-character at /title"):
        decode_resource(json.dumps(document, ensure_ascii=ascii_only).encode(), "Composition")


@pytest.mark.parametrize("base", GOOD, ids=range(len(GOOD)))
def test_the_resources_that_are_damaged_here_are_good_before(base: Change) -> None:
    resource = decode_resource(json.dumps(base).encode(), base["resourceType"])
    assert type(resource).__name__ == base["resourceType"]


@pytest.mark.parametrize(
    ("base", "change", "code", "pointer"),
    REFUSED,
    ids=[f"{index}-{code}" for index, (_, _, code, _) in enumerate(REFUSED)],
)
def test_bad_content_is_refused_with_its_code_and_place(
    base: Change, change: Change, code: str, pointer: str
) -> None:
    with pytest.raises(ContentRejectedError) as caught:
        decode_resource(changed(base, change), base["resourceType"])
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


SECRET = "NGUYENVANA"  # noqa: S105 - a name that must not leak


@pytest.mark.parametrize(
    "change",
    [
        {"gender": SECRET},
        {"birthDate": SECRET},
        {"active": SECRET},
        {SECRET + " x": 1},
        {f"x` - at `$.{SECRET} x": 1},
        {"managingOrganization": {"reference": f"Patient/{SECRET}"}},
        {"text": {"status": "generated", "div": f"<{SECRET}/>"}},
        {"text": {"status": "generated", "div": f"<!DOCTYPE {SECRET}>{DIV.format('x')}"}},
    ],
    ids=range(8),
)
def test_no_error_quotes_the_content(change: Change) -> None:
    """Neither the error nor any error before it, which a log might print."""
    with pytest.raises(ContentRejectedError) as caught:
        decode_resource(changed(PATIENT, change), "Patient")
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or error.__context__


def test_a_repr_shows_no_content() -> None:
    resource = decode_resource(changed(PATIENT, {"name": [{"text": SECRET}]}), "Patient")
    assert repr(resource) == "Patient"


def test_another_resource_than_expected_is_refused() -> None:
    with pytest.raises(ContentRejectedError) as caught:
        decode_resource(json.dumps(PATIENT).encode(), "Observation")
    assert (caught.value.code, caught.value.pointer) == ("fhir-resource-type", "/resourceType")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "content-not-json"),
        (b'{"resourceType":"Patient"', "content-not-json"),
        (b'{"resourceType":"Patient"}{}', "content-not-json"),
        (b'{"resourceType":"Patient","id":"\xff"}', "content-not-json"),
        (b'{"resourceType":"Patient","id":NaN}', "content-not-json"),
        (b"[]", "fhir-type"),
        (b"{}", "fhir-empty"),
        (b"null", "fhir-null"),
        (b'{"resourceType":"Patient","extension":' + b'[{"extension":' * 9999, "content-too-deep"),
    ],
    ids=range(9),
)
def test_what_is_no_resource_at_all_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(ContentRejectedError) as caught:
        decode_resource(data, "Patient")
    assert (caught.value.code, caught.value.pointer) == (code, "")


def test_an_escape_hides_neither_a_local_reference_nor_an_empty_object() -> None:
    hidden = changed(OBSERVATION, {"subject": {"reference": "#x"}}).replace(b"#", b"\\u0023")
    with pytest.raises(ContentRejectedError, match="fhir-ref-1 at /subject/reference"):
        decode_resource(hidden, "Observation")
    hidden = changed(PATIENT, {"maritalStatus": {"id": "x"}}).replace(
        b'"id": "x"', b'"\\u0069d":"x"'
    )
    with pytest.raises(ContentRejectedError, match="fhir-empty at /maritalStatus"):
        decode_resource(hidden, "Patient")


def test_a_number_beyond_every_decimal_is_refused() -> None:
    number = changed(OBSERVATION, value(7)).replace(b": 7", b": 1e999999999999999999999")
    with pytest.raises(ContentRejectedError, match="fhir-value"):
        decode_resource(number, "Observation")
