"""Batches over HTTP: in order, one result per event, bounded."""

from typing import Any

from api.event_json import submission_json
from api.schemas import BatchResults
from ledger.submitted import SubmittedEvent
from tests.builders_resources import an_id, encounter, patient
from tests.builders_rules import REGISTRAR, proved_key
from tests.http.served import Served, codes, whole


def _body(*events: SubmittedEvent) -> dict[str, Any]:
    return {"events": [submission_json(event) for event in events]}


def test_a_batch_is_appended_in_order_though_later_events_need_earlier_ones(
    served: Served,
) -> None:
    """A new patient, a record for them, and forty notes in it, in one request."""
    hospital = served.hospital
    newcomer, record = an_id("newcomer"), an_id("new record")
    events = [
        hospital.signed(
            "patient-registered.v1", patient(newcomer), stream=newcomer, event_id=an_id("first")
        ),
        hospital.signed(
            "record-opened.v1", encounter(record, newcomer), stream=record, event_id=an_id("second")
        ),
    ]
    hospital.patient, hospital.record = newcomer, record
    hospital.stream(record).kind = "record"
    events += [
        hospital.signed("note-written.v1", hospital.note(f"note {number}")) for number in range(40)
    ]
    size = served.size
    answer = served.post("/v1/events/batch", _body(*events))
    assert answer.status_code == 200
    results = whole(answer, BatchResults).results
    assert [result.status for result in results] == [201] * 42
    positions = [result.receipt.position for result in results if result.receipt]
    assert positions == list(range(size, size + 42))


def test_a_long_batch_lets_others_in_between(served: Served) -> None:
    """Whoever posts one event meanwhile does not wait for all of the batch."""
    hospital = served.hospital
    notes = [
        hospital.signed("note-written.v1", hospital.note(f"note {number}")) for number in range(41)
    ]
    posts = [("/v1/events/batch", _body(*notes[1:])), ("/v1/events", submission_json(notes[0]))]
    many, one = served.together(posts)
    last = whole(many, BatchResults).results[-1].receipt
    assert (one.status_code, many.status_code) == (201, 200)
    assert last is not None
    assert one.json()["position"] < last.position


def test_a_refused_event_stops_none_of_its_batch(served: Served) -> None:
    """One result per item: a receipt or a problem, each with its status."""
    hospital = served.hospital
    good = hospital.signed("note-written.v1", hospital.note())
    bad = hospital.signed("note-written.v1", hospital.note("bad", author=hospital.other_doctor))
    more = hospital.signed("note-written.v1", hospital.note("more"))
    answer = served.post("/v1/events/batch", _body(good, bad, good, more))
    results = whole(answer, BatchResults).results
    assert [result.status for result in results] == [201, 422, 200, 201]
    assert results[1].problem is not None
    assert results[1].problem.type == "urn:clinledger:problem:content-rejected"
    assert results[2].receipt == results[0].receipt


def test_a_key_enrolled_in_a_batch_signs_later_events_of_it(served: Served) -> None:
    """What others depend on before they are admitted is durable first."""
    hospital = served.hospital
    staff = hospital.other_doctor
    nonce = served.nonce(staff)
    old_key, new_key = hospital.key_of(staff), served.new_key()
    content = proved_key(new_key, staff, nonce)
    enrolment = hospital.signed("key-enrolled.v1", content, stream=staff, signer=REGISTRAR)
    hospital.keys[staff] = new_key
    resource = hospital.note("theirs", author=staff)
    note = hospital.signed("note-written.v1", resource, signer=staff)
    hospital.keys[staff] = old_key
    answer = served.post("/v1/events/batch", _body(enrolment, note), hospital.monitor)
    assert [result["status"] for result in answer.json()["results"]] == [201, 201]


def test_a_batch_has_at_most_500_events(served: Served) -> None:
    """Bounded, and nothing of a batch that is too long is stored."""
    hospital = served.hospital
    event = hospital.signed("note-written.v1", hospital.note())
    size = served.size
    answer = served.post("/v1/events/batch", _body(*[event] * 501))
    assert (answer.status_code, codes(answer)) == (422, [("/events", "value-invalid")])
    assert served.size == size
    answer = served.post("/v1/events/batch", _body(*[event] * 500))
    assert [r["status"] for r in answer.json()["results"]] == [201] + [200] * 499


def test_an_empty_batch_is_refused(shared: Served) -> None:
    """A batch without events is a client's mistake."""
    answer = shared.post("/v1/events/batch", {"events": []})
    assert (answer.status_code, codes(answer)) == (422, [("/events", "value-invalid")])


def test_a_fault_of_one_event_says_which(shared: Served) -> None:
    """Pointers go into the batch."""
    hospital = shared.hospital
    good = submission_json(hospital.signed("note-written.v1", hospital.note("which")))
    size = shared.size
    answer = shared.post("/v1/events/batch", {"events": [good, {**good, "salt": "?"}]})
    assert (answer.status_code, codes(answer)) == (422, [("/events/1/salt", "base64-invalid")])
    assert shared.size == size
