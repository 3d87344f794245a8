"""Evolving: what the state knows afterwards, and that replay gives the very same state."""

from ledger.catalogue import is_sealed
from ledger.evolve import evolve
from ledger.facts import read_facts
from ledger.profiles.amendments import Amendment, Reason
from ledger.rules.context import RuleContext
from ledger.rules.references import target_of
from ledger.state import DirectoryState, EventSummary, StreamState
from tests.builders_hospital import Hospital
from tests.builders_resources import an_id
from tests.builders_rules import World, refused


def _busy_day(hospital: Hospital) -> None:
    note = hospital.enter("note-written.v1", hospital.note())
    order = hospital.placed()
    result = hospital.reported(order, status="preliminary")
    hospital.amend(result, hospital.result(order), signer=hospital.technician)
    hospital.retract(hospital.amend(note, {**hospital.note(), "status": "amended"}))
    second = hospital.placed("second")
    hospital.enter("order-cancelled.v1", {"reason": "Đổi"}, refs=[second.ref("answers")])
    hospital.enter("vitals-recorded.v1", hospital.vitals(), signer=hospital.nurse)
    hospital.enter("allergy-recorded.v1", hospital.allergy(), stream=hospital.patient)
    hospital.close()


def test_replaying_the_events_gives_the_same_state() -> None:
    hospital = Hospital()
    _busy_day(hospital)
    replayed = World()
    for draft in hospital.taken:
        replayed.take(draft)
    assert replayed.directory == hospital.directory
    assert replayed.streams == hospital.streams


def test_an_event_is_known_by_its_digest_position_and_version() -> None:
    hospital = Hospital()
    note = hospital.enter("note-written.v1", hospital.note())
    assert hospital.summary(note) == EventSummary(
        type="note-written.v1",
        statement_digest=bytes.fromhex(note.digest),
        signer=hospital.doctor,
        position=hospital.position - 1,
        version=2,
        root=an_id("note"),
        newest=an_id("note"),
        status="final",
        resource_type="Composition",
        resource_id=an_id("note"),
        category="36/BV2",
    )


def test_the_root_of_a_chain_knows_its_newest_version() -> None:
    hospital = Hospital()
    note = hospital.enter("note-written.v1", hospital.note())
    amended = hospital.amend(note, {**hospital.note(), "status": "amended"})
    stream = hospital.stream(hospital.record)
    root = hospital.summary(note)
    assert stream.root_of(amended.statement.event_id) is root
    assert (root.newest, root.status) == (amended.statement.event_id, "amended")
    assert not root.is_retracted
    retraction = hospital.retract(amended)
    assert root.is_retracted
    assert root.newest == amended.statement.event_id
    assert stream.root_of(retraction.statement.event_id) is root
    assert stream.root_of(an_id("nothing")) is None


def test_a_record_knows_its_patient_and_whether_it_is_closed() -> None:
    hospital = Hospital()
    stream = hospital.stream(hospital.record)
    assert (stream.patient, stream.closed) == (hospital.patient, False)
    hospital.close()
    assert stream.closed


def test_states_show_no_content() -> None:
    hospital = Hospital()
    note = hospital.enter("note-written.v1", hospital.note())
    stream = hospital.stream(hospital.record)
    (key,) = hospital.directory.keys_of(hospital.doctor)
    context = RuleContext(directory=hospital.directory, streams={}, position=7)
    assert repr(stream) == f"<StreamState {hospital.record} version 2>"
    assert repr(hospital.summary(note)) == "<EventSummary note-written.v1>"
    assert repr(key) == f"<KeyState {key.key_id[:16]}>"
    assert repr(hospital.directory.staff[hospital.doctor]) == f"<StaffState {hospital.doctor}>"
    assert repr(Reason(reason="Nhầm người bệnh")) == "<Reason>"
    assert repr(Amendment(reason="Nhầm", resource="{}")) == "<Amendment>"
    assert repr(context) == "<RuleContext position 7>"


def test_a_relation_that_no_reference_has_is_missed() -> None:
    hospital = Hospital()
    note = hospital.enter("note-written.v1", hospital.note())
    stream = hospital.stream(hospital.record)
    order = hospital.enter("order-placed.v1", hospital.order(), refs=[note.ref("based-on")])
    for entry in (note, order):
        with refused("reference-missing", "/refs"):
            target_of(stream, entry.statement, "amends")
    assert target_of(stream, order.statement, "based-on") is hospital.summary(note)


def test_a_directory_read_without_enrolments_still_knows_keys_and_roles() -> None:
    hospital = Hospital()
    directory = DirectoryState.empty()
    streams: dict[str, StreamState] = {}
    for position, draft in enumerate(hospital.taken):
        if is_sealed(draft.statement.type):  # a reader without the facility key sees none of them
            continue
        statement = draft.statement
        stream = streams.setdefault(statement.stream, StreamState.empty(statement.stream))
        context = RuleContext(
            directory=directory, streams={stream.stream: stream}, position=position
        )
        facts = read_facts(statement, draft.content)
        evolve(context, statement, facts, statement_digest=bytes(32))
    assert directory.keys == hospital.directory.keys
    assert directory.roles_of(hospital.nurse) == {"nurse"}
