"""Bad contents and rules broken: each refused with a clear error, and nothing is stored."""

import json
import unicodedata
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ledger.submitted import SubmittedEvent
from ledger.vietnam import ICD_10
from tests.builders_resources import Json, amendment, an_id, bundle, encoded, encounter, patient
from tests.http.refusals import refused
from tests.http.served import Served, codes

DECOMPOSED = unicodedata.normalize("NFD", "Tờ điều trị")


def note_of(served: Served, content: bytes) -> SubmittedEvent:
    """Return a note with exactly this content, well signed."""
    hospital = served.hospital
    return hospital.signed("note-written.v1", content, event_id=str(hospital.note("spoiled")["id"]))


TEXTS: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("not UTF-8", lambda c: c.replace(b'"final"', b'"fin\xe1l"'), "content-not-utf8"),
    ("BOM", lambda c: b"\xef\xbb\xbf" + c, "content-bom"),
    ("truncated", lambda c: c[:-5], "content-not-json"),
    ("NUL", lambda c: c.replace(b'"final"', rb'"final\u0000"'), "content-nul"),
    (
        "lone surrogate",
        lambda c: c.replace(b'"final"', rb'"final\ud800"'),
        "content-lone-surrogate",
    ),
    (
        "key twice",
        lambda c: c.replace(b'"status"', b'"status":"final","status"', 1),
        "content-duplicate-key",
    ),
    ("nested deep", lambda _: b"[" * 5_000 + b"]" * 5_000, "content-too-deep"),
]


@pytest.mark.parametrize(
    ("spoil", "code"), [(s, c) for _, s, c in TEXTS], ids=[name for name, _, _ in TEXTS]
)
def test_a_content_that_is_not_strict_json_text_is_refused(
    shared: Served, spoil: Callable[[bytes], bytes], code: str
) -> None:
    """Bad input: contents not UTF-8, with BOM, NUL, lone surrogates, equal keys, too deep."""
    good = json.dumps(shared.hospital.note("spoiled")).encode()
    answer = refused(shared, note_of(shared, spoil(good)))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:clinledger:problem:content-rejected"
    assert codes(answer)[0][1] == code


def test_a_content_that_is_not_nfc_is_refused_saying_so_and_where(shared: Served) -> None:
    """Bad input: non-NFC is 422 that says so and where."""
    note = shared.hospital.note("spoiled")
    content = json.dumps({**note, "title": DECOMPOSED}, ensure_ascii=False).encode()
    answer = refused(shared, note_of(shared, content))
    assert (answer.status_code, codes(answer)) == (422, [("/title", "content-not-nfc")])


def _with_section_text(note: Json, text: str) -> Json:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'
    return {**note, "section": [{"text": {"status": "generated", "div": div}}]}


RESOURCES: list[tuple[str, Callable[[Json], Json], str]] = [
    ("unknown element", lambda n: {**n, "mood": "good"}, "/mood"),
    ("empty object", lambda n: {**n, "custodian": {}}, "/custodian"),
    ("empty array", lambda n: {**n, "category": []}, "/category"),
    ("31 February", lambda n: {**n, "date": "2026-02-31T10:00:00+07:00"}, "/date"),
    ("script", lambda n: _with_section_text(n, "<script>1</script>"), "/section/0/text/div"),
    ("handler", lambda n: _with_section_text(n, '<p onclick="x">y</p>'), "/section/0/text/div"),
    ("unknown code", lambda n: {**n, "status": "good"}, "/status"),
    ("no such kind", lambda n: {**n, "resourceType": "Poem"}, "/resourceType"),
    ("another kind", lambda n: {**n, "resourceType": "Patient"}, ""),
]


@pytest.mark.parametrize(
    ("change", "pointer"), [(c, p) for _, c, p in RESOURCES], ids=[name for name, _, _ in RESOURCES]
)
def test_a_resource_that_is_not_fhir_r4_is_refused(
    shared: Served, change: Callable[[Json], Json], pointer: str
) -> None:
    """Bad input: unknown elements, empty objects, 31 February, scripts in narrative."""
    resource = change(shared.hospital.note("spoiled"))
    answer = refused(shared, note_of(shared, json.dumps(resource).encode()))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:clinledger:problem:content-rejected"
    where, _ = codes(answer)[0]
    assert where.startswith(pointer)


@pytest.mark.parametrize(
    "spoil",
    [
        {"valueQuantity": {"value": "72", "unit": "/min"}},  # a decimal sent as a string
        {"valueQuantity": {"value": 72}, "valueString": "72"},  # two choices
        {"valueFoo": 72, "valueQuantity": msgspec.UNSET},  # no such choice
        {"valueQuantity": 72},  # a choice of another type
    ],
)
def test_wrong_choices_and_decimals_are_refused(shared: Served, spoil: dict[str, Any]) -> None:
    """Bad input: wrong choice types, a decimal sent as string."""
    hospital = shared.hospital
    vitals = hospital.vitals("spoiled vitals")
    first = vitals["entry"][0]["resource"]
    changed = {k: v for k, v in {**first, **spoil}.items() if v is not msgspec.UNSET}
    event = hospital.signed("vitals-recorded.v1", bundle(changed), signer=hospital.nurse)
    answer = refused(shared, event, hospital.nurse)
    assert answer.status_code == 422
    assert codes(answer)[0][0].startswith("/entry/0/resource/value")


def test_a_content_that_is_not_the_one_signed_is_refused(shared: Served) -> None:
    """Bad input: content not matching digest, size or salt."""
    hospital = shared.hospital
    event = hospital.signed("note-written.v1", hospital.note("spoiled"))
    same_size = event.content.replace(b"final", b"FINAL")
    for changed, code in (
        (msgspec.structs.replace(event, content=same_size), ("/content", "content-digest")),
        (
            msgspec.structs.replace(event, content=event.content + b" "),
            ("/content", "content-size"),
        ),
        (msgspec.structs.replace(event, salt=bytes(range(32))), ("/content", "content-digest")),
        (msgspec.structs.replace(event, salt=b"\0" * 32), ("/salt", "salt-constant")),
        (msgspec.structs.replace(event, salt=b"short"), ("/salt", "salt-malformed")),
    ):
        answer = refused(shared, changed)
        assert (answer.status_code, codes(answer)) == (422, [code])


def test_a_content_above_1_mib_is_refused(shared: Served) -> None:
    """Bad input: too long for any statement to name it."""
    hospital = shared.hospital
    event = hospital.signed("note-written.v1", hospital.note("spoiled"))
    answer = refused(shared, msgspec.structs.replace(event, content=b" " * (1024 * 1024 + 1)))
    assert (answer.status_code, codes(answer)) == (422, [("/content", "content-too-large")])


def test_a_subject_who_is_not_the_records_patient_is_refused(served: Served) -> None:
    """Bad input: the wrong patient, also one whom the ledger knows."""
    hospital = served.hospital
    other = an_id("other patient")
    registered = hospital.signed(
        "patient-registered.v1", patient(other), stream=other, signer=hospital.nurse
    )
    assert served.append(registered, hospital.nurse).status_code == 201
    note = {**hospital.note(), "subject": {"reference": f"Patient/{other}"}}
    answer = refused(served, hospital.signed("note-written.v1", note))
    assert (answer.status_code, codes(answer)[0][1]) == (409, "subject-mismatch")


def test_a_result_must_answer_an_order_of_its_own_record(served: Served) -> None:
    """Bad input: a result answering no order, or another record's."""
    hospital = served.hospital
    order = hospital.placed()
    good = hospital.result(order)
    unanswering = hospital.signed("result-reported.v1", good, signer=hospital.technician)
    answer = refused(served, unanswering, hospital.technician)
    assert (answer.status_code, codes(answer)[0][1]) == (422, "reference-missing")
    first, hospital.record = hospital.record, an_id("second record")
    opened = hospital.signed(
        "record-opened.v1", encounter(hospital.record, hospital.patient), event_id=an_id("opening")
    )
    hospital.stream(hospital.record).kind = "record"
    assert served.append(opened).status_code == 201
    elsewhere = hospital.signed(
        "result-reported.v1",
        hospital.result(order, "elsewhere"),
        signer=hospital.technician,
        refs=[order.ref("answers")],
    )
    answer = refused(served, elsewhere, hospital.technician)
    assert (answer.status_code, codes(answer)[0][1]) == (409, "reference-unknown")
    hospital.record = first
    proper = hospital.signed(
        "result-reported.v1", good, signer=hospital.technician, refs=[order.ref("answers")]
    )
    assert served.append(proper, hospital.technician).status_code == 201


def test_amendments_name_the_newest_version_of_an_entry_that_exists(served: Served) -> None:
    """Bad input: amendment of a missing entry, or not of the newest."""
    hospital = served.hospital
    note = hospital.enter("note-written.v1", hospital.note())
    corrected = {**hospital.note(), "status": "amended"}
    newer = hospital.amend(note, corrected)

    def amend(reference: Any) -> SubmittedEvent:  # noqa: ANN401 - a Ref
        return hospital.signed(
            "entry-amended.v1",
            amendment(corrected),
            refs=[reference],
            event_id=an_id(f"amendment of {reference.event_id}"),
        )

    answer = refused(served, amend(note.ref("amends")))
    assert (answer.status_code, codes(answer)[0][1]) == (409, "reference-not-newest")
    missing = msgspec.structs.replace(note.ref("amends"), event_id=an_id("missing"))
    answer = refused(served, amend(missing))
    assert (answer.status_code, codes(answer)[0][1]) == (409, "reference-unknown")
    changed = msgspec.structs.replace(newer.ref("amends"), statement="ab" * 32)
    answer = refused(served, amend(changed))
    assert (answer.status_code, codes(answer)[0][1]) == (409, "reference-mismatch")
    assert served.append(amend(newer.ref("amends"))).status_code == 201


def test_a_closed_record_takes_only_corrections(served: Served) -> None:
    """Bad input: append to a closed record."""
    hospital = served.hospital
    note = hospital.enter("note-written.v1", hospital.note())
    hospital.close()
    answer = refused(served, hospital.signed("note-written.v1", hospital.note("late")))
    assert (answer.status_code, codes(answer)[0][1]) == (409, "record-closed")
    retraction = hospital.signed(
        "entry-retracted.v1",
        encoded({"reason": "wrong"}),
        refs=[note.ref("retracts")],
        event_id=an_id("retraction"),
    )
    assert served.append(retraction).status_code == 201


def test_a_diagnosis_needs_a_versioned_icd_code_and_a_doctor(served: Served) -> None:
    """The profile and the role are judged, each with its own code."""
    hospital = served.hospital
    unversioned = hospital.diagnosis()
    unversioned["code"] = {"coding": [{"system": ICD_10, "code": "J18.9"}]}
    answer = refused(served, hospital.signed("diagnosis-recorded.v1", unversioned))
    assert answer.status_code == 422
    by_nurse = hospital.diagnosis()
    by_nurse["recorder"] = {"reference": f"Practitioner/{hospital.nurse}"}
    event = hospital.signed("diagnosis-recorded.v1", by_nurse, signer=hospital.nurse)
    answer = refused(served, event, hospital.nurse)
    assert (answer.status_code, codes(answer)[0][1]) == (409, "role-not-valid")
    good = hospital.signed("diagnosis-recorded.v1", hospital.diagnosis())
    assert served.append(good).status_code == 201
