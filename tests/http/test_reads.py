"""Reading over HTTP: the ledger, events and proofs, records now and then, patients, keys."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from api import ledger_schemas, pages, schemas
from ledger.merkle import verify_inclusion
from signing.container import verify_container
from signing.keys import SoftKey, load_verifying_key
from signing.statement import parse_statement
from tests.builders_rules import (
    CHECKPOINT_KEY,
    CHECKPOINT_SOFT_KEY,
    FACILITY,
    ORIGIN,
    REGISTRAR,
)
from tests.http.served import Served, codes, whole
from tests.live import FrozenClock
from tests.rotations import rotation


def test_the_ledger_tells_who_it_is(shared: Served) -> None:
    """GET /v1/ledger: the trust anchor, the event types and a head, to anyone."""
    answer = shared.request("GET", "/v1/ledger")
    assert answer.status_code == 200
    info = whole(answer, ledger_schemas.LedgerInfo)
    assert (info.origin, info.facility, info.keys.checkpoint) == (ORIGIN, FACILITY, CHECKPOINT_KEY)
    with shared.services.readers.reader() as reader:
        assert info.genesis.leaf_hash == reader.events(-1, 1)[0].leaf_hash.hex()
        assert info.head.root == reader.root_at(info.head.size).hex()
    assert "note-written.v1" in {kind.type for kind in info.types}


def test_the_ledger_tells_its_checkpoint_keys(served: Served) -> None:
    """The one in force, and those before it: they check older checkpoints."""
    new = SoftKey.generate("EdDSA")
    document = rotation(new, origin=ORIGIN, old=CHECKPOINT_SOFT_KEY)
    position = served.size
    event = served.hospital.signed(
        "checkpoint-key-rotated.v1", document, stream=FACILITY, signer=REGISTRAR
    )
    assert served.append(event, REGISTRAR).status_code == 201

    keys = whole(served.request("GET", "/v1/ledger"), ledger_schemas.LedgerInfo).keys

    assert keys.checkpoint == document["checkpoint_key"] != CHECKPOINT_KEY
    assert [(key.position, key.key) for key in keys.checkpoints] == [
        (0, CHECKPOINT_KEY),
        (position, keys.checkpoint),
    ]


def test_the_head_is_refreshed_at_most_once_a_second(frozen: Served, clock: FrozenClock) -> None:
    """So that statements name few different sizes in `seen`."""

    def told() -> int:
        return int(frozen.request("GET", "/v1/ledger").json()["head"]["size"])

    before = told()
    hospital = frozen.hospital
    hospital.enter("note-written.v1", hospital.note(f"note {frozen.size}"))
    assert told() == before
    clock.time_ms += 999
    assert told() == before
    clock.time_ms += 1
    assert told() == frozen.size > before


def test_me_is_the_bearer_of_the_token(shared: Served) -> None:
    """GET /v1/me: staff id, kind, roles as they are now, and key."""
    hospital = shared.hospital
    me = whole(shared.get("/v1/me", hospital.analyser), schemas.Me)
    assert (me.staff, me.kind, me.roles) == (hospital.analyser, "device", ("laboratory",))
    assert me.key_id == hospital.key_of(hospital.analyser).key_id


def test_the_feed_is_the_whole_ledger_in_pages(shared: Served) -> None:
    """GET /v1/events: from -1 to the head, each event as it was submitted."""
    after, seen = -1, []
    while True:
        feed = whole(shared.get(f"/v1/events?after={after}&limit=7"), schemas.Feed)
        assert [event.position for event in feed.events] == list(
            range(after + 1, after + 1 + len(feed.events))
        )
        seen += feed.events
        if not feed.events:
            assert feed.next == after
            break
        after = feed.next
    assert len(seen) == shared.size == feed.head.size
    with shared.services.readers.reader() as reader:
        stored = reader.events(-1, len(seen))
    for event, known in zip(seen, stored, strict=True):
        assert event.statement.encode() == known.statement_bytes
        assert event.signature.encode() == known.container
        assert (event.content or "").encode() == known.content
        assert base64.b64decode(event.salt) == known.salt
        assert event.leaf_hash == known.leaf_hash.hex()


def test_an_event_alone_is_the_event_of_the_feed(shared: Served) -> None:
    """An event in JSON is the same everywhere, and its signature can be checked from it."""
    hospital = shared.hospital
    event_id = hospital.opened.statement.event_id
    answer = shared.get(f"/v1/events/{event_id}")
    event = whole(answer, schemas.StoredEvent)
    feed = shared.get(f"/v1/events?after={event.position - 1}&limit=1")
    assert feed.json()["events"] == [answer.json()]
    statement = parse_statement(event.statement.encode())
    keys = whole(shared.get(f"/v1/staff/{statement.signer}/keys"), schemas.StaffKeys).keys
    key = load_verifying_key(base64.b64decode(keys[0].spki), keys[0].alg)
    verify_container(event.signature.encode(), event.statement.encode(), key)


def test_an_unknown_event_is_not_found(shared: Served) -> None:
    """404, as for everything that is not in this ledger."""
    path = "/v1/events/01980000-0000-7000-8000-0000000000ff"
    for where in (path, f"{path}/inclusion"):
        answer = shared.get(where)
        assert (answer.status_code, codes(answer)) == (404, [("/path/event_id", "event-unknown")])
        assert answer.json()["type"] == "urn:clinledger:problem:not-found"


def test_the_feed_waits_for_the_next_event(served: Served) -> None:
    """`wait` answers as soon as there is something, and gives up in time."""
    hospital = served.hospital
    head = served.size - 1
    started = time.monotonic()
    assert served.get(f"/v1/events?after={head}&wait=0.2").json()["events"] == []
    assert 0.2 <= time.monotonic() - started < 5
    event = hospital.signed("note-written.v1", hospital.note())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(served.get, f"/v1/events?after={head}&wait=30")
        time.sleep(0.1)
        assert not waiting.done()
        served.append(event)
        answer = waiting.result(timeout=10)
    assert [entry["position"] for entry in answer.json()["events"]] == [head + 1]


@pytest.mark.parametrize("grown", [0, 1, 5])
def test_an_inclusion_proof_verifies_at_any_size(shared: Served, grown: int) -> None:
    """Promise 5: leaf, position, size, proof and root belong together."""
    event_id = shared.hospital.opened.statement.event_id
    current = shared.get(f"/v1/events/{event_id}/inclusion").json()
    size = current["position"] + 1 + grown
    for path in (f"?size={size}" if size <= shared.size else "", ""):
        answer = shared.get(f"/v1/events/{event_id}/inclusion{path}")
        proof = whole(answer, schemas.Inclusion)
        verify_inclusion(
            proof.position,
            proof.size,
            leaf=bytes.fromhex(proof.leaf_hash),
            proof=[bytes.fromhex(node) for node in proof.proof],
            root=bytes.fromhex(proof.root),
        )
    for size in (current["position"], shared.size + 1):
        refused = shared.get(f"/v1/events/{event_id}/inclusion?size={size}")
        assert refused.status_code == 400


def test_a_record_is_read_now_and_as_of_any_moment(served: Served) -> None:
    """Promise 4: as of the head, the replayed record is the live one byte for byte."""
    hospital = served.hospital
    path = f"/v1/records/{hospital.record}"
    note = served.append(hospital.signed("note-written.v1", hospital.note())).json()
    hospital.position += 1
    order = served.append(hospital.signed("order-placed.v1", hospital.order())).json()
    served.project()
    live = served.get(f"{path}?min_position={order['position']}")
    page = whole(live, pages.RecordPage)
    assert page.position == order["position"]
    assert [item.event_id for item in page.items][1:] == [note["event_id"], order["event_id"]]
    assert served.get(f"{path}?as_of={order['position']}").content == live.content
    assert served.get(f"{path}?as_of={order['received_at']}").content == live.content
    then = served.get(f"{path}?as_of={note['position']}").json()
    assert [item["event_id"] for item in then["items"]][1:] == [note["event_id"]]
    early = served.get(f"{path}?as_of=3")
    assert (early.status_code, codes(early)[0][1]) == (404, "record-unknown")
    assert served.get(f"{path}?as_of=2020-01-01T00:00:00Z").status_code == 404
    for wrong in ("yesterday", "2026-11-20", "2026-11-20T10:00:00%2B07:00", "-1", "9" * 30):
        refused = served.get(f"{path}?as_of={wrong}")
        assert refused.status_code == 422
        assert codes(refused)[0][1] in {"as-of-malformed", "as-of-ahead"}


def test_a_history_tells_every_event_of_a_record(served: Served) -> None:
    """Every amendment, retraction and signer, in order."""
    hospital = served.hospital
    note = hospital.enter("note-written.v1", hospital.note())
    hospital.amend(note, {**hospital.note(), "status": "amended"})
    history = whole(served.get(f"/v1/records/{hospital.record}/history"), pages.RecordHistory)
    assert [entry.type for entry in history.events] == [
        "record-opened.v1",
        "note-written.v1",
        "entry-amended.v1",
    ]
    before = history.events[1].position
    then = served.get(f"/v1/records/{hospital.record}/history?as_of={before}")
    assert len(then.json()["events"]) == 2


def test_views_that_lag_say_so_instead_of_answering_the_past(shared: Served) -> None:
    """`min_position` in vain: 503 with Retry-After, never an old record."""
    answer = shared.get(f"/v1/records/{shared.hospital.record}?min_position={shared.size + 9}")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:clinledger:problem:projection-behind"
    assert answer.headers["retry-after"] == "1"


def test_patients_records_and_orders_are_found(served: Served) -> None:
    """Search by name without accents, by birth date, by identifiers; then read the patient."""
    hospital = served.hospital
    order = hospital.placed()
    served.project()
    for query in (
        {"name": "anh nguyen"},
        {"name": "HỒNG ánh", "birth_date": "1980-05"},
        {"identifier": "001080012345"},
        {"text": "hong 1980"},
    ):
        found = whole(served.post("/v1/patients/search", query), pages.PatientsFound)
        assert [hit.patient for hit in found.patients] == [hospital.patient], query
    assert served.post("/v1/patients/search", {"name": "tran"}).json()["patients"] == []
    page = whole(served.get(f"/v1/patients/{hospital.patient}"), pages.PatientPage)
    assert [item.event_id for item in page.open_orders] == [order.statement.event_id]
    number = json.loads(hospital.events[order.statement.event_id].content)["identifier"][0]["value"]
    orders = whole(served.get(f"/v1/orders?identifier={number}"), pages.OrdersFound)
    assert [hit.event_id for hit in orders.orders] == [order.statement.event_id]
    value = json.loads(hospital.events[hospital.opened.statement.event_id].content)["identifier"][
        0
    ]["value"]
    records = whole(served.get(f"/v1/records?identifier={value}"), pages.RecordsFound)
    assert [hit.record for hit in records.records] == [hospital.record]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"name": ""}, 422),
        ({"names": "x"}, 422),
        ({"name": "x" * 300}, 422),
        ({"name": "x", "limit": 101}, 422),
        ({"name": "x", "after": "nonsense"}, 422),
        ({"birth_date": "31/02/1980/1"}, 422),
        ({"name": " ".join("abcdefghijklmnop")}, 422),
    ],
)
def test_a_search_that_cannot_be_is_refused(
    shared: Served, body: dict[str, object], status: int
) -> None:
    """Bounded words, pages and cursors."""
    answer = shared.post("/v1/patients/search", body)
    assert answer.status_code == status
    assert codes(answer)


def test_the_keys_of_staff_come_with_their_positions(shared: Served) -> None:
    """GET /v1/staff/{id}/keys: valid from its enrolling position up to its revoking one."""
    hospital = shared.hospital
    keys = whole(shared.get(f"/v1/staff/{hospital.doctor}/keys"), schemas.StaffKeys).keys
    assert [key.key_id for key in keys] == [hospital.key_of(hospital.doctor).key_id]
    with shared.services.readers.reader() as reader:
        enrolling = reader.events(keys[0].enrolled_at_position - 1, 1)[0]
    assert enrolling.statement.type == "key-enrolled.v1"
    assert enrolling.stream == hospital.doctor
    assert keys[0].revoked_at_position is None
    unknown = shared.get(f"/v1/staff/{hospital.patient}/keys")
    assert (unknown.status_code, codes(unknown)[0][1]) == (404, "staff-unknown")


def test_answers_about_patients_are_not_to_be_cached(shared: Served) -> None:
    """Promise 6: no copy in between."""
    for path in ("/v1/events?after=-1", "/v1/me", "/v1/ledger"):
        assert shared.get(path).headers["cache-control"] == "no-store"
