import functools
import hashlib
import json
from collections import Counter
from itertools import pairwise

import fhirkit
import msgspec
import pytest
from msgspec import UNSET

from api.simulate.chart import PlannedEvent
from api.simulate.notes import Note
from api.simulate.plan import PatientPlan, plan_patient
from api.simulate.scenarios import SCENARIOS
from api.simulate.staff import STAFF, STAFF_BY_KEY
from api.simulate.staff_resources import staff_resource
from ledger.catalogue import CATALOGUE
from ledger.errors import ContentRejectedError
from ledger.facts import read_facts
from ledger.jsontext import check_json_text
from signing.statement import STATEMENT_FORMAT, ContentClaim, Ref, Statement, format_time_ms

ORIGIN = "bvdk.quangninh.example/ledger"
PATIENTS = 120
GOLDEN_DIGEST = "892d976c3c26bc02c00cf2260d827bdac4787ddaddb329b9cdf93804edce990f"


@functools.cache
def plans() -> tuple[PatientPlan, ...]:
    return tuple(plan_patient(ORIGIN, seed=7, number=number + 1) for number in range(PATIENTS))


def planned_events() -> list[PlannedEvent]:
    return [event for plan in plans() for event in plan.events]


def statement_of(event: PlannedEvent) -> Statement:
    """Return a statement with all that a content must agree with; digests and key are dummies."""
    return Statement(
        alg="ES256",
        content=ContentClaim(digest="0" * 64, media_type=event.media_type, size=len(event.content)),
        event_id=event.event_id,
        format=STATEMENT_FORMAT,
        key_id="0" * 64,
        ledger=ORIGIN,
        occurred_at=format_time_ms(event.occurred_at_ms),
        refs=tuple(
            Ref(event_id=event_id, relation=relation, statement="0" * 64)
            for relation, event_id in event.refs
        )
        or UNSET,
        seen=UNSET,
        signed_at=format_time_ms(event.filed_at_ms),
        signer=STAFF_BY_KEY[event.signer].staff_id(ORIGIN),
        stream=event.stream,
        stream_kind=event.stream_kind,
        type=event.type,
    )


def resource_of(event: PlannedEvent) -> dict[str, object] | None:
    document = json.loads(event.content)
    if event.type == "entry-amended.v1":
        document = json.loads(document["resource"])
    return document if "resourceType" in document else None


def test_the_same_seed_writes_the_same_bytes_for_ever() -> None:
    digest = hashlib.sha256()
    for number in range(1, 6):
        plan = plan_patient(ORIGIN, seed=7, number=number)
        digest.update(msgspec.json.encode(plan))

    assert digest.hexdigest() == GOLDEN_DIGEST


def test_another_seed_number_or_origin_is_another_patient() -> None:
    variants = (
        plan_patient(ORIGIN, seed=7, number=1),
        plan_patient(ORIGIN, seed=8, number=1),
        plan_patient(ORIGIN, seed=7, number=2),
        plan_patient("bvdk.khac.example/ledger", seed=7, number=1),
    )

    assert len({plan.patient for plan in variants}) == 4
    assert len({event.event_id for plan in variants for event in plan.events}) == sum(
        len(plan.events) for plan in variants
    )


def test_every_admission_has_20_to_60_events() -> None:
    sizes = [len(stay.events) for plan in plans() for stay in plan.admissions]

    assert min(sizes) >= 20
    assert max(sizes) <= 60


def test_all_illnesses_and_all_kinds_of_clinical_events_occur() -> None:
    illnesses = {stay.scenario for plan in plans() for stay in plan.admissions}
    types = {event.type for event in planned_events()}

    assert illnesses == {scenario.key for scenario in SCENARIOS}
    assert types == {
        tag for tag, kind in CATALOGUE.items() if kind.stream_kinds & {"patient", "record"}
    }


def test_every_content_fits_its_type_and_its_statement() -> None:
    for event in planned_events():
        check_json_text(event.content)
        try:
            read_facts(statement_of(event), event.content)
        except ContentRejectedError as error:
            pytest.fail(f"{event.type}: {error}")


def test_an_independent_validator_finds_nothing_wrong_with_any_resource() -> None:
    resources = [resource for event in planned_events() if (resource := resource_of(event))]
    resources += [staff_resource(member, member.staff_id(ORIGIN)) for member in STAFF]

    issues = Counter(str(issue) for resource in resources for issue in fhirkit.validate(resource))

    assert len(resources) > 4000
    assert not issues


def test_references_name_earlier_events_of_the_same_stream() -> None:
    for plan in plans():
        streams: dict[str, str] = {}
        for event in plan.events:
            assert all(streams[event_id] == event.stream for _, event_id in event.refs)
            streams[event.event_id] = event.stream


def test_events_of_a_stay_are_filed_in_order_and_never_before_they_are_true() -> None:
    for plan in plans():
        for stay in plan.admissions:
            times = [event.filed_at_ms for event in stay.events]
            assert all(earlier <= later for earlier, later in pairwise(times))
            assert all(event.occurred_at_ms <= event.filed_at_ms for event in stay.events)


def test_a_stay_begins_with_its_opening_and_most_stays_end() -> None:
    stays = [stay for plan in plans() for stay in plan.admissions]

    assert all(stay.events[0].type == "record-opened.v1" for stay in stays)
    closed = sum(any(e.type == "record-closed.v1" for e in stay.events) for stay in stays)
    assert 0.8 < closed / len(stays) < 1


def test_everything_happens_in_the_first_ten_months_of_2026() -> None:
    for event in planned_events():
        assert "2026-01-01" < format_time_ms(event.occurred_at_ms) < "2026-11-01"


def test_results_are_signed_by_devices_and_completed_by_people() -> None:
    results = [event for event in planned_events() if event.type == "result-reported.v1"]
    by_devices = sum(STAFF_BY_KEY[event.signer].is_device for event in results)
    statuses = Counter(
        json.loads(event.content)["entry"][0]["resource"]["status"] for event in results
    )

    assert by_devices / len(results) > 0.6
    assert statuses["final"] > statuses["preliminary"] > 0
    assert {STAFF_BY_KEY[event.signer].duty for event in results} == {
        "analyser",
        "imager",
        "radiologist",
    }


def test_a_plan_names_nobody_in_logs() -> None:
    plan = plans()[0]

    assert repr(Note(form="36/BV2", sections=(("Diễn biến", "Sốt"),))) == "<Note>"
    assert repr(plan) == "<PatientPlan 1>"
    assert repr(plan.events[0]) == "<PlannedEvent patient-registered.v1>"
