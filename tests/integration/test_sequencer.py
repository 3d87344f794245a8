"""The sequencer on real PostgreSQL: order, idempotency, fencing, lost answers, back-pressure."""

import asyncio
from collections.abc import Generator, Sequence
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from ledger.content import content_digest
from ledger.database import Database
from ledger.entry import ZERO_HASH, decode_entry, link_hash
from ledger.errors import (
    CommandRefusedError,
    CorruptionError,
    EnvironmentRefusedError,
    EventConflictError,
    LedgerError,
    SubmissionRejectedError,
    UnavailableError,
)
from ledger.merkle import CompactRange, leaf_hash
from ledger.rows import Outcome
from ledger.sequencer import MAX_WAITING, Sequencer
from ledger.store import EntryStore
from ledger.submitted import SubmittedEvent
from signing.container import assemble_container, parse_container, signing_input
from signing.statement import Seen, format_time_ms
from tests.builders_resources import encoded, encounter, finished
from tests.builders_rules import REGISTRAR
from tests.live import FrozenClock, LiveHospital, LiveLedger

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def check_whole(live: LiveLedger) -> None:
    """Re-derive positions, versions, links, leaves, tree and tiles from the stored rows."""
    tree, tips, tiles = (
        CompactRange(),
        dict[str, tuple[int, bytes]](),
        list[tuple[int, int, bytes]](),
    )
    with live.database.connect("reader") as connection:
        store = EntryStore(connection, live.database)
        head = store.head()
        for expected, row in enumerate(store.rows_after(-1, end=1 << 62)):
            assert row.position == expected
            version, previous = tips.get(str(row.stream), (0, ZERO_HASH))
            assert row.version == version + 1
            assert row.leaf_hash == leaf_hash(row.entry)
            assert decode_entry(row.entry).link == link_hash(row.link_salt, row.version, previous)
            assert row.body is not None
            tips[str(row.stream)] = (row.version, row.leaf_hash)
            tiles.extend(tree.append(row.leaf_hash))
        assert (head.size, head.root, head.peaks) == (tree.size, tree.root(), tuple(tree.peaks))
        for level, index, tile_hash in tiles:
            assert store.tile_hashes(level, index, index + 1) == [tile_hash]


@pytest.fixture
def each_hospital(each_database: Database, tmp_path: Path) -> Generator[LiveHospital]:
    """As `hospital`, and the test runs twice: also on the oldest server of the machine."""
    live = LiveLedger(each_database, tmp_path)
    yield LiveHospital(live)
    live.close()


def receipts(answers: Sequence[Outcome | LedgerError]) -> list[Outcome]:
    return [answer for answer in answers if isinstance(answer, Outcome)]


def test_a_thousand_duplicates_at_once_are_one_entry(each_hospital: LiveHospital) -> None:
    hospital = each_hospital
    event = hospital.signed("note-written.v1", hospital.note())
    size = hospital.live.sequencer.head.size
    answers = receipts(hospital.live.submit_together([event] * 1000))
    assert len(answers) == 1000
    assert sum(answer.created for answer in answers) == 1
    assert {msgspec.json.encode(answer.receipt.as_json()) for answer in answers} == {
        msgspec.json.encode(answers[0].receipt.as_json())
    }
    assert hospital.live.sequencer.head.size == size + 1
    check_whole(hospital.live)


def test_a_retry_gets_the_first_receipt_also_after_a_restart(hospital: LiveHospital) -> None:
    event = hospital.signed("note-written.v1", hospital.note())
    first = hospital.live.submit(event)
    for number in range(300):  # past a tile
        hospital.enter("note-written.v1", hospital.note(f"later {number}"))
    hospital.live.stop()
    hospital.live.start()
    again = hospital.live.submit(event)
    assert first.created
    assert not again.created
    assert again.receipt == first.receipt
    check_whole(hospital.live)


def test_the_high_s_twin_of_a_signature_is_the_same_event(hospital: LiveHospital) -> None:
    event = hospital.signed("note-written.v1", hospital.note())
    container = parse_container(event.container)
    r = int.from_bytes(container.signature[:32], "big")
    s = P256_ORDER - int.from_bytes(container.signature[32:], "big")
    assert decode_dss_signature(encode_dss_signature(r, s)) == (r, s)
    twin_signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    twin = msgspec.structs.replace(event, container=assemble_container("ES256", twin_signature))
    first = hospital.live.submit(event)
    answer = hospital.live.submit(twin)
    assert (answer.created, answer.receipt) == (False, first.receipt)
    stored = hospital.live.reader().event(first.receipt.event_id)
    assert stored is not None
    assert stored.container == event.container


def test_signing_the_same_statement_anew_returns_the_first_receipt(hospital: LiveHospital) -> None:
    event = hospital.signed("note-written.v1", hospital.note())
    first = hospital.live.submit(event)
    pem = hospital.key_of(hospital.doctor).to_pem(None)
    private = serialization.load_pem_private_key(pem, None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    message = signing_input("ES256", event.statement)
    r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))
    anew = assemble_container("ES256", r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    answer = hospital.live.submit(msgspec.structs.replace(event, container=anew))
    assert anew != event.container
    assert answer.receipt == first.receipt


def test_a_retry_is_answered_before_the_clock_the_key_and_the_rules(
    hospital: LiveHospital,
) -> None:
    event = hospital.signed("note-written.v1", hospital.note())
    first = hospital.live.submit(event)
    hospital.close()
    key_id = hospital.key_of(hospital.doctor).key_id
    hospital.add(
        "key-revoked.v1",
        encoded({"key_id": key_id, "reason": "lost", "since": "2026-11-01T00:00:00.000Z"}),
        stream=hospital.doctor,
        signer=REGISTRAR,
    )
    assert hospital.live.submit(event).receipt == first.receipt
    with pytest.raises(CommandRefusedError):
        hospital.live.submit(hospital.signed("note-written.v1", hospital.note("another")))


@pytest.mark.parametrize("elsewhere", [False, True])
def test_another_statement_under_a_taken_event_id_is_a_conflict(
    hospital: LiveHospital, elsewhere: bool
) -> None:
    first = hospital.enter("note-written.v1", hospital.note())
    size = hospital.live.sequencer.head.size
    if elsewhere:
        content = hospital.allergy() | {"id": first.statement.event_id}
        other = hospital.signed("allergy-recorded.v1", content, stream=hospital.patient)
    else:
        other = hospital.signed("note-written.v1", hospital.note())
    good = hospital.signed("note-written.v1", hospital.note("good"))
    answers = hospital.live.submit_together([other, good])
    assert isinstance(answers[0], EventConflictError)
    assert isinstance(answers[1], Outcome)
    assert hospital.live.sequencer.head.size == size + 1
    check_whole(hospital.live)


@pytest.mark.parametrize("retry_first", [True, False])
def test_a_retry_beside_a_clash_of_its_event_id_gets_its_receipt(
    hospital: LiveHospital, retry_first: bool
) -> None:
    first = hospital.signed("note-written.v1", hospital.note())
    receipt = hospital.live.submit(first).receipt
    content = hospital.allergy() | {"id": receipt.event_id}
    clash = hospital.signed("allergy-recorded.v1", content, stream=hospital.patient)
    together = [first, clash] if retry_first else [clash, first]
    answers = hospital.live.submit_together(together)
    answer, conflict = answers if retry_first else reversed(answers)
    assert isinstance(conflict, EventConflictError)
    assert answer == Outcome(receipt=receipt, created=False)
    assert hospital.live.submit(hospital.signed("note-written.v1", hospital.note("next"))).created


def test_two_statements_under_one_event_id_in_one_batch(hospital: LiveHospital) -> None:
    one = hospital.signed("note-written.v1", hospital.note())
    content = hospital.allergy() | {"id": hospital.note()["id"]}
    two = hospital.signed("allergy-recorded.v1", content, stream=hospital.patient)
    answers = hospital.live.submit_together([one, two])
    assert isinstance(answers[0], Outcome)
    assert isinstance(answers[1], EventConflictError)


@pytest.mark.parametrize("place", [0, 15, 39])
def test_what_was_decided_on_a_batch_that_failed_is_decided_anew(
    hospital: LiveHospital, place: int
) -> None:
    """Many at once are decided in parts, one on top of the other; a clash undoes its part only."""
    first = hospital.enter("note-written.v1", hospital.note())
    content = hospital.allergy() | {"id": first.statement.event_id}
    clash = hospital.signed("allergy-recorded.v1", content, stream=hospital.patient)
    notes = [hospital.signed("note-written.v1", hospital.note(f"n {n}")) for n in range(40)]
    size = hospital.live.sequencer.head.size
    answers = hospital.live.submit_together([*notes[:place], clash, *notes[place:]])
    assert isinstance(answers.pop(place), EventConflictError)
    positions = [outcome.receipt.position for outcome in receipts(answers)]
    assert positions == list(range(size, size + 40))
    check_whole(hospital.live)


def test_what_is_refused_leaves_no_trace(hospital: LiveHospital) -> None:
    head = hospital.live.sequencer.head
    refused = [
        hospital.signed("note-written.v1", hospital.note(), signer=hospital.monitor),
        hospital.signed("record-opened.v1", encounter(hospital.record, hospital.patient)),
    ]
    answers = hospital.live.submit_together(refused)
    assert all(isinstance(answer, LedgerError) for answer in answers)
    with hospital.live.database.connect("reader") as connection:
        store = EntryStore(connection, hospital.live.database)
        assert store.head() == head
        assert store.rows_after(head.size - 1, end=1 << 62) == []


def test_a_salt_is_not_used_twice_in_a_stream(hospital: LiveHospital) -> None:
    draft = hospital.draft(
        "note-written.v1", hospital.note("one"), stream=hospital.record, signer=hospital.doctor
    )
    hospital.live.submit(hospital.sign(draft))
    again = hospital.draft(
        "note-written.v1",
        hospital.note("one") | {"id": hospital.note("two")["id"]},
        stream=hospital.record,
        signer=hospital.doctor,
    )
    salt = hospital.salts[draft.statement.event_id]
    claim = msgspec.structs.replace(
        again.statement.content, digest=content_digest(salt, again.content).hex()
    )
    hospital.salts[again.statement.event_id] = salt
    statement = msgspec.structs.replace(again.statement, content=claim)
    event = hospital.sign(msgspec.structs.replace(again, statement=statement))
    with pytest.raises(SubmissionRejectedError) as refused:
        hospital.live.submit(event)
    assert refused.value.code == "salt-reused"


def seen_by(hospital: LiveHospital, seen: Seen) -> SubmittedEvent:
    return hospital.signed("note-written.v1", hospital.note(), seen=seen)


@pytest.mark.parametrize("wrong", ["root", "future", "other size"])
def test_an_author_who_saw_another_history_is_refused(hospital: LiveHospital, wrong: str) -> None:
    true = hospital.live.seen()
    seen = {
        "root": Seen(root="ab" * 32, size=true.size),
        "future": Seen(root=true.root, size=true.size + 5),
        "other size": Seen(root=true.root, size=true.size - 1),
    }[wrong]
    with pytest.raises(SubmissionRejectedError) as refused:
        hospital.live.submit(seen_by(hospital, seen))
    assert refused.value.code == "seen-inconsistent"
    assert hospital.live.submit(seen_by(hospital, true)).created


def test_any_old_head_may_be_what_an_author_saw(hospital: LiveHospital) -> None:
    reader = hospital.live.reader()
    hospital.live.stop()
    hospital.live.start()  # nothing remembered
    for size in (1, 2, 7, hospital.live.sequencer.head.size):
        seen = Seen(root=reader.root_at(size).hex(), size=size)
        event = hospital.signed("note-written.v1", hospital.note(f"saw {size}"), seen=seen)
        assert hospital.live.submit(event).created


def test_received_at_never_decreases_when_the_clock_goes_back(
    database: Database, tmp_path: Path
) -> None:
    clock = FrozenClock()
    live = LiveLedger(database, tmp_path, clock=clock)
    hospital = LiveHospital(live)
    before = live.submit(hospital.signed("note-written.v1", hospital.note("before")))
    clock.time_ms -= 3_600_000
    live.stop()
    live.start()
    late = hospital.signed("note-written.v1", hospital.note("after"))
    after = live.submit(late)
    live.close()
    assert after.receipt.received_at_ms >= before.receipt.received_at_ms


@pytest.mark.parametrize(
    ("ahead_ms", "field"), [(301_000, "/signed_at"), (301_000, "/occurred_at")]
)
def test_times_more_than_five_minutes_ahead_are_refused(
    hospital: LiveHospital, ahead_ms: int, field: str
) -> None:
    ahead = format_time_ms(hospital.live.clock.now_ms() + ahead_ms)
    content = hospital.note()
    members = {"signed_at": ahead}
    if field == "/occurred_at":
        members = {"occurred_at": ahead}
        content = content | {"date": ahead}
    with pytest.raises(SubmissionRejectedError) as refused:
        hospital.live.submit(hospital.signed("note-written.v1", content, **members))
    assert (refused.value.code, refused.value.pointer) == ("clock-ahead", field)


def test_a_second_sequencer_is_refused_and_the_first_is_named(live: LiveLedger) -> None:
    async def second() -> None:
        await Sequencer.start(live.database, live.keyring, clock=live.clock, where="elsewhere")

    with pytest.raises(EnvironmentRefusedError, match="clinledger-sequencer a test"):
        live.run(second())


def test_a_head_moved_by_anyone_else_stops_the_sequencer(each_hospital: LiveHospital) -> None:
    hospital = each_hospital
    with hospital.live.database.connect("owner") as connection:
        connection.execute("UPDATE ledger.head SET size = size - 1, peaks = ''")
    with pytest.raises(UnavailableError):
        hospital.live.submit(hospital.signed("note-written.v1", hospital.note()))
    error = hospital.live.run(hospital.live.sequencer.wait_stopped())
    assert isinstance(error, CorruptionError)
    assert error.code == "head-mismatch"


def test_losing_the_connection_loses_nothing(each_hospital: LiveHospital) -> None:
    """Connections are cut again and again under load; every event is in exactly once."""
    hospital = each_hospital
    events = [
        hospital.signed("note-written.v1", hospital.note(f"note {number}")) for number in range(400)
    ]
    size = hospital.live.sequencer.head.size
    outcomes: dict[int, Outcome] = {}
    with hospital.live.database.connect("owner") as connection:
        pending = {n: hospital.live.start_submitting(event) for n, event in enumerate(events)}
        for _ in range(50):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name LIKE 'clinledger-sequencer%'"
                " AND datname = current_database()"
            )
            for number, future in list(pending.items()):
                try:
                    outcomes[number] = future.result(timeout=30)
                    del pending[number]
                except UnavailableError:
                    pending[number] = hospital.live.start_submitting(events[number])
            if not pending:
                break
    assert len(outcomes) == len(events)
    assert hospital.live.sequencer.head.size == size + len(events)
    check_whole(hospital.live)


def test_a_batch_is_one_transaction_and_one_notification(hospital: LiveHospital) -> None:
    """A§5.4: one fsync and one NOTIFY a batch, however many events arrived for it."""
    events = [hospital.signed("note-written.v1", hospital.note(f"n {n}")) for n in range(300)]
    live, size = hospital.live, hospital.live.sequencer.head.size
    with live.database.connect("owner") as connection:
        connection.execute("LISTEN ledger")
        assert len(receipts(live.submit_together(events))) == 300
        heads = [int(told.payload) for told in connection.notifies(timeout=1)]
        transactions = connection.execute(
            "SELECT count(DISTINCT e.xmin::text), count(DISTINCT s.xmin::text)"
            " FROM ledger.entry AS e JOIN ledger.sealed AS s USING (position)"
            " WHERE position >= %s",
            (size,),
        ).fetchone()
    assert transactions == (len(heads), len(heads))
    assert len(heads) < 30
    assert heads == sorted(set(heads))
    assert heads[-1] == size + 300


def test_too_many_waiting_submissions_are_sent_away(hospital: LiveHospital) -> None:
    event = hospital.signed("note-written.v1", hospital.note())
    size = hospital.live.sequencer.head.size
    answers = hospital.live.submit_together([event] * (MAX_WAITING + 30))
    busy = [answer for answer in answers if isinstance(answer, UnavailableError)]
    assert len(busy) == 30
    assert busy[0].retry_after_seconds >= 1
    assert len(receipts(answers)) == MAX_WAITING
    assert hospital.live.sequencer.head.size == size + 1


def damage(hospital: LiveHospital, event_id: str) -> None:
    """Spoil the stored body of an event."""
    with hospital.live.database.connect("owner") as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE ledger.sealed SET body = overlay(body PLACING '\\xffff'::bytea FROM 40)"
            " WHERE position = (SELECT position FROM ledger.entry WHERE event_id = %s)",
            (event_id,),
        )


def test_a_damaged_record_is_closed_while_the_others_go_on(hospital: LiveHospital) -> None:
    other = hospital.signed("allergy-recorded.v1", hospital.allergy(), stream=hospital.patient)
    note = hospital.signed("note-written.v1", hospital.note())
    hospital.live.stop()
    damage(hospital, hospital.opened.statement.event_id)
    hospital.live.start()
    with pytest.raises(UnavailableError, match="damaged"):
        hospital.live.submit(note)
    assert hospital.live.submit(other).created


def test_a_retry_of_a_damaged_event_does_not_stop_the_sequencer(hospital: LiveHospital) -> None:
    event = hospital.signed("note-written.v1", hospital.note())
    good = hospital.signed("note-written.v1", hospital.note("good"))
    receipt = hospital.live.submit(good).receipt
    hospital.live.submit(event)
    damage(hospital, hospital.note()["id"])
    answers = hospital.live.submit_together([event, good, event])
    assert isinstance(answers[0], UnavailableError)
    assert isinstance(answers[2], UnavailableError)
    assert answers[1] == Outcome(receipt=receipt, created=False)


def race(hospital: LiveHospital, one: SubmittedEvent, two: SubmittedEvent) -> list[bool]:
    """Submit two events at once, both orders of arrival allowed; tell which were taken."""
    answers = hospital.live.submit_together([one, two])
    check_whole(hospital.live)
    return [isinstance(answer, Outcome) for answer in answers]


@pytest.mark.parametrize("note_first", [True, False])
def test_a_note_racing_the_close_is_in_before_it_or_refused(
    hospital: LiveHospital, note_first: bool
) -> None:
    note = hospital.signed("note-written.v1", hospital.note())
    close = hospital.signed(
        "record-closed.v1", finished(encounter(hospital.record, hospital.patient))
    )
    taken = race(hospital, *((note, close) if note_first else (close, note)))
    assert taken == [True, note_first]
    events = hospital.live.reader().stream(hospital.record)
    assert events[-1].statement.type == "record-closed.v1"


def test_a_refusal_rests_on_what_is_committed(hospital: LiveHospital) -> None:
    """The close never comes to be, so the note that it would have kept out is taken."""
    note = hospital.signed("note-written.v1", hospital.note())
    close = hospital.signed(
        "record-closed.v1", finished(encounter(hospital.record, hospital.patient))
    )
    with (
        hospital.live.database.connect("owner") as connection,
        connection.transaction(),
    ):
        connection.execute("SELECT FROM ledger.head FOR UPDATE")  # no commit gets past this
        closing = hospital.live.start_submitting(close)
        writing = hospital.live.start_submitting(note)
        with pytest.raises(UnavailableError):
            closing.result(timeout=30)
    try:
        assert writing.result(timeout=30).created
    except UnavailableError:  # decided in the same batch as the close
        assert hospital.live.submit(note).created
    check_whole(hospital.live)


@pytest.mark.parametrize("result_first", [True, False])
def test_an_order_is_answered_or_cancelled_never_both(
    hospital: LiveHospital, result_first: bool
) -> None:
    order = hospital.placed()
    refs = [order.ref("answers")]
    result = hospital.signed(
        "result-reported.v1", hospital.result(order), signer=hospital.technician, refs=refs
    )
    cancel = hospital.signed("order-cancelled.v1", encoded({"reason": "Trùng chỉ định"}), refs=refs)
    assert race(hospital, *((result, cancel) if result_first else (cancel, result))) == [
        True,
        False,
    ]


@pytest.mark.parametrize("note_first", [True, False])
def test_a_key_signs_up_to_its_revocation_and_not_after(
    hospital: LiveHospital, note_first: bool
) -> None:
    note = hospital.signed("note-written.v1", hospital.note())
    key_id = hospital.key_of(hospital.doctor).key_id
    revocation = hospital.signed(
        "key-revoked.v1",
        encoded({"key_id": key_id, "reason": "lost", "since": "2026-11-01T00:00:00.000Z"}),
        stream=hospital.doctor,
        signer=REGISTRAR,
    )
    taken = race(hospital, *((note, revocation) if note_first else (revocation, note)))
    assert taken == [True, note_first]


def test_many_writers_at_once_keep_every_chain(each_hospital: LiveHospital) -> None:
    hospital = each_hospital
    events = [hospital.signed("note-written.v1", hospital.note(f"n {n}")) for n in range(300)]

    async def all_of_them() -> list[Outcome]:
        async def one(event: SubmittedEvent, after: float) -> Outcome:
            await asyncio.sleep(after)
            return await hospital.live.admission.submit(event)

        return await asyncio.gather(*(one(e, (n % 17) / 500) for n, e in enumerate(events)))

    outcomes: list[Outcome] = hospital.live.run(all_of_them())
    assert len({outcome.receipt.position for outcome in outcomes}) == 300
    check_whole(hospital.live)
