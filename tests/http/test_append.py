"""Appending events over HTTP: receipts, retries, who may carry whose events, back-pressure."""

import asyncio
import base64
from collections.abc import Callable

import httpx2
import pytest

from api.event_json import submission_json
from api.schemas import EventReceipt
from ledger.facts import read_facts
from ledger.sequencer import MAX_WAITING
from ledger.submission import Submission
from ledger.submitted import SubmittedEvent
from signing.statement import parse_statement, statement_digest
from tests.http.served import Served, codes, whole


def test_an_event_is_appended_and_its_receipt_is_the_ledgers(served: Served) -> None:
    """Promise 3: an acknowledgement names the place that the ledger then has."""
    hospital = served.hospital
    event = hospital.signed("note-written.v1", hospital.note())
    answer = served.append(event)
    assert answer.status_code == 201
    receipt = whole(answer, EventReceipt)
    assert receipt.position == receipt.head.size - 1 == served.size - 1
    assert receipt.head.root == served.live.sequencer.head.root.hex()
    assert receipt.version == 2
    with served.services.readers.reader() as reader:
        stored = reader.event(receipt.event_id)
    assert stored is not None
    assert stored.leaf_hash.hex() == receipt.leaf_hash
    assert stored.container == event.container


def test_a_retry_gets_the_very_same_receipt_with_status_200(served: Served) -> None:
    """Promise 3: a retry returns the same receipt, also after other events."""
    hospital = served.hospital
    event = hospital.signed("note-written.v1", hospital.note())
    first = served.append(event)
    served.append(hospital.signed("note-written.v1", hospital.note("another")))
    again = served.append(event)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert served.size == first.json()["position"] + 2


def test_content_in_base64_is_the_same_event(served: Served) -> None:
    """The encoding is how a content travels, not what it is."""
    hospital = served.hospital
    event = hospital.signed("note-written.v1", hospital.note())
    body = submission_json(event)
    first = served.post("/v1/events", body)
    again = served.post(
        "/v1/events",
        {**body, "content_encoding": "base64", "content": _base64(event.content)},
    )
    assert (first.status_code, again.status_code) == (201, 200)


def test_another_statement_under_an_event_id_is_a_conflict(served: Served) -> None:
    """ARCHITECTURE §5: another statement under the same event_id is 409."""
    hospital = served.hospital
    assert served.append(hospital.signed("note-written.v1", hospital.note())).status_code == 201
    size = served.size
    answer = served.append(hospital.signed("note-written.v1", hospital.note(form="37/BV2")))
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:clinledger:problem:event-id-taken"
    assert served.size == size


def test_a_device_may_carry_a_doctors_event_and_a_person_may_not(served: Served) -> None:
    """A HIS submits the doctor's signed note; a colleague does not."""
    hospital = served.hospital
    event = hospital.signed("note-written.v1", hospital.note())
    size = served.size
    refused = served.append(event, hospital.nurse)
    assert (refused.status_code, codes(refused)) == (403, [("", "signer-other")])
    assert served.size == size
    assert served.append(event, hospital.monitor).status_code == 201


def test_many_callers_with_one_event_get_one_receipt(served: Served) -> None:
    """Promise 3, with callers that do not wait for each other."""
    hospital = served.hospital
    body = submission_json(hospital.signed("note-written.v1", hospital.note()))
    answers = served.together([("/v1/events", body)] * 50)
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.content for answer in answers}) == 1


def test_when_the_sequencer_has_stopped_clients_are_told_to_come_back(served: Served) -> None:
    """An event that cannot be appended now is neither lost nor half-stored: 503, Retry-After."""
    hospital = served.hospital
    event = hospital.signed("note-written.v1", hospital.note())
    size = served.size
    served.live.stop()
    answer = served.append(event)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:clinledger:problem:unavailable"
    assert int(answer.headers["retry-after"]) > 0
    served.live.start()
    assert served.live.submit(event).receipt.position == size


def test_a_full_queue_answers_503_instead_of_growing(served: Served) -> None:
    """Back-pressure: as many as may wait do wait; who comes then is sent away at once."""
    hospital = served.hospital
    known = hospital.signed("note-written.v1", hospital.note())
    served.append(known)
    body = submission_json(hospital.signed("note-written.v1", hospital.note("other")))
    answer = served.live.run(_post_into_full_queue(served, known, body))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert served.post("/v1/events", body).status_code == 200


async def _post_into_full_queue(
    served: Served, known: SubmittedEvent, body: dict[str, object]
) -> httpx2.Response:
    sequencer, submission = served.live.sequencer, _submission(known)
    with served.live.database.connect("owner") as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE ledger.head IN ACCESS EXCLUSIVE MODE")
        stuck = asyncio.create_task(served.send("/v1/events", body))
        await _until(lambda: sequencer.waiting > 0)
        await _until(lambda: sequencer.waiting == 0)  # now at the database, waiting there
        waiting = [asyncio.create_task(sequencer.submit(submission)) for _ in range(MAX_WAITING)]
        await asyncio.sleep(0)
        answer = await served.send("/v1/events", body)
        for task in waiting:
            task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (await stuck).status_code == 201
    return answer


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(1_000_000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came to that")


def _submission(event: SubmittedEvent) -> Submission:
    statement = parse_statement(event.statement)
    return Submission(
        statement=statement,
        facts=read_facts(statement, event.content),
        statement_digest=statement_digest(event.statement),
        container_digest=statement_digest(event.container),
        salt=event.salt,
        body=b"",
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
