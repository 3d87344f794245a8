"""What is judged of the statement itself, and of the texts inside amendments."""

import json
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from ledger.facts import AmendmentFacts, read_facts
from signing.statement import ContentClaim, Ref
from tests.builders_hospital import Hospital
from tests.builders_resources import Json, amendment, encoded
from tests.builders_rules import Draft, Taken, refused


@pytest.fixture(scope="module")
def hospital() -> Hospital:
    return Hospital()


@pytest.fixture(scope="module")
def note(hospital: Hospital) -> Taken:
    return hospital.enter("note-written.v1", hospital.note())


def _note(hospital: Hospital, refs: Sequence[Ref] = ()) -> Draft:
    return hospital.draft(
        "note-written.v1",
        hospital.note("another note"),
        stream=hospital.record,
        signer=hospital.doctor,
        refs=refs,
    )


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"stream_kind": "patient"}, "stream-kind", "/stream_kind"),
        ({"type": "note-written.v9"}, "type-unknown", "/type"),
        ({"type": "access-logged.v1"}, "type-reserved", "/type"),
        (
            {"content": ContentClaim(digest="ab" * 32, media_type="application/json", size=1)},
            "content-media-type",
            "/content/media_type",
        ),
    ],
)
def test_a_statement_that_does_not_fit_its_type_is_refused(
    hospital: Hospital, changes: Json, code: str, pointer: str
) -> None:
    draft = _note(hospital)
    assert hospital.read(draft)
    with refused(code, pointer):
        read_facts(replace(draft.statement, **changes), draft.content)


def test_a_type_takes_only_its_own_relations(hospital: Hospital, note: Taken) -> None:
    assert hospital.read(_note(hospital, refs=[note.ref("based-on")]))
    with refused("reference-relation", "/refs/1/relation"):
        hospital.read(_note(hospital, refs=[note.ref("based-on"), note.ref("replaces")]))
    with refused("reference-duplicate", "/refs"):
        hospital.read(_note(hospital, refs=[note.ref("based-on"), note.ref("based-on")]))


@pytest.mark.parametrize("count", [0, 2])
def test_a_demanded_relation_occurs_exactly_once(
    hospital: Hospital, note: Taken, count: int
) -> None:
    def draft(count: int) -> Draft:
        return hospital.draft(
            "entry-retracted.v1",
            encoded({"reason": "Nhầm"}),
            stream=hospital.record,
            signer=hospital.doctor,
            refs=[note.ref("retracts")] * count,
        )

    assert hospital.read(draft(1))
    with refused("reference-missing", "/refs"):
        hospital.read(draft(count))


def _amendment(hospital: Hospital, note: Taken, content: bytes) -> Draft:
    return hospital.draft(
        "entry-amended.v1",
        content,
        stream=hospital.record,
        signer=hospital.doctor,
        refs=[note.ref("amends")],
    )


def test_an_amendment_holds_the_exact_text_of_the_new_version(
    hospital: Hospital, note: Taken
) -> None:
    draft = _amendment(hospital, note, amendment({**hospital.note(), "status": "amended"}))
    facts = hospital.read(draft)
    assert isinstance(facts, AmendmentFacts)
    assert facts.amends_type == "note-written.v1"
    assert facts.resource.resource_id == note.statement.event_id


@pytest.mark.parametrize(
    ("resource", "code", "pointer"),
    [
        ('{"resourceType":"Patient"}', "amendment-type", "/resource/resourceType"),
        ('{"resourceType":"Bundle"}', "amendment-type", "/resource/resourceType"),
        ('{"a":1,"a":2}', "content-duplicate-key", "/resource/a"),
        ('{"resourceType":', "content-not-json", "/resource"),
        ('{"a":"\\u0000"}', "content-nul", "/resource/a"),
        ("", "content-not-json", "/resource"),
    ],
)
def test_pointers_go_on_inside_the_text_of_an_amendment(
    hospital: Hospital, note: Taken, resource: str, code: str, pointer: str
) -> None:
    document = encoded({"reason": "Bổ sung", "resource": resource})
    with refused(code, pointer):
        hospital.read(_amendment(hospital, note, document))


def test_an_amendment_is_judged_by_the_profile_of_the_original(
    hospital: Hospital, note: Taken
) -> None:
    resource = {**hospital.note(), "status": "amended", "date": "2026-11-19"}
    with refused("time-mismatch", "/resource/date"):
        hospital.read(_amendment(hospital, note, amendment(resource)))


def test_the_id_of_an_amended_resource_is_a_uuid(hospital: Hospital, note: Taken) -> None:
    resource = {**hospital.note(), "status": "amended", "id": "note"}
    with refused("resource-id", "/resource/id"):
        hospital.read(_amendment(hospital, note, amendment(resource)))


def test_a_lone_surrogate_in_an_amendment_is_refused(hospital: Hospital, note: Taken) -> None:
    document = json.dumps({"reason": "Bổ sung", "resource": "\ud800"}).encode()
    with refused("content-not-json"):
        hospital.read(_amendment(hospital, note, document))


def test_facts_never_show_what_they_hold(hospital: Hospital, note: Taken) -> None:
    assert repr(note.facts) == "<ResourceFacts>"
    assert repr(hospital.directory).startswith("<DirectoryState")
    shown = f"{hospital.directory!r} {hospital.streams!r} {hospital.directory.keys!r}"
    assert hospital.patient in shown
    assert "001080012345" not in shown
