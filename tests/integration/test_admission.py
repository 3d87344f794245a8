"""Admission on real PostgreSQL, against odd and malicious sequences of well-signed events.

What is refused leaves nothing behind; whatever is taken verifies and can be shown.
"""

import json
from collections.abc import Callable

import msgspec
import pytest

from ledger.errors import CommandRefusedError, RejectedError, SubmissionRejectedError
from ledger.submitted import SubmittedEvent
from ledger.verify import verify_ledger
from projections.check import check_views
from projections.runner import Projector
from projections.tracking import install_views
from signing.container import sign_container
from tests.builders_resources import Json, amendment, an_id, encoded, encounter, patient
from tests.builders_resources import practitioner as a_practitioner
from tests.builders_rules import FACILITY, REGISTRAR, SECOND_REGISTRAR
from tests.live import LiveHospital

COUNTS = """
SELECT (SELECT count(*) FROM {ledger}.entry), (SELECT count(*) FROM {ledger}.sealed),
  (SELECT size FROM {ledger}.head), (SELECT count(*) FROM {keys}.stream_key)
"""


def stored(hospital: LiveHospital) -> object:
    """Count what the database holds of the ledger."""
    database = hospital.live.database
    with database.connect("owner") as connection:
        return connection.execute(database.query(COUNTS)).fetchone()


def refuse(hospital: LiveHospital, event: SubmittedEvent) -> str:
    """Submit what must be refused; check that nothing was stored or said; return the code."""
    before = stored(hospital)
    with pytest.raises(RejectedError) as refused:
        hospital.live.submit(event)
    assert stored(hospital) == before
    assert "Nguy" not in str(refused.value)
    return refused.value.code


def registration(hospital: LiveHospital, stream: str, signer: str) -> SubmittedEvent:
    return hospital.signed(
        "patient-registered.v1",
        patient(stream),
        stream=stream,
        signer=signer,
        event_id=an_id(f"registered by {signer}"),
    )


def revocation(hospital: LiveHospital, staff: str, signer: str = REGISTRAR) -> SubmittedEvent:
    content = encoded({"key_id": hospital.key_of(staff).key_id, "reason": "left"})
    return hospital.signed(
        "key-revoked.v1",
        content,
        stream=staff,
        signer=signer,
        event_id=an_id(f"revoked {staff} by {signer}"),
    )


@pytest.mark.parametrize("why", ["role-not-valid", "key-not-valid"])
def test_who_may_not_open_a_stream_leaves_no_key_of_it(hospital: LiveHospital, why: str) -> None:
    signer = hospital.monitor if why == "role-not-valid" else hospital.nurse
    event = registration(hospital, an_id("newcomer"), signer)
    if why == "key-not-valid":
        hospital.live.submit(revocation(hospital, hospital.nurse))
    assert refuse(hospital, event) == why


def test_a_stream_tried_for_a_patient_never_becomes_staff(hospital: LiveHospital) -> None:
    """Its key is known as a patient's, and the directory is found by that."""
    stream = an_id("newcomer")
    tried = hospital.signed(
        "patient-registered.v1",
        patient(stream),
        stream=stream,
        signer=hospital.nurse,
        occurred_at="2999-01-01T00:00:00.000Z",
    )
    with pytest.raises(SubmissionRejectedError, match="clock-ahead"):
        hospital.live.submit(tried)
    enrolled = hospital.signed(
        "practitioner-enrolled.v1", a_practitioner(stream), stream=stream, signer=REGISTRAR
    )
    assert refuse(hospital, enrolled) == "stream-exists"
    assert hospital.live.submit(registration(hospital, stream, hospital.nurse)).created


def test_an_opening_is_answered_again_though_its_author_is_gone(hospital: LiveHospital) -> None:
    opened = hospital.events[hospital.registered.statement.event_id]
    receipt = hospital.live.submit(opened).receipt
    hospital.live.submit(revocation(hospital, hospital.nurse))
    hospital.live.stop()
    hospital.live.start()
    assert hospital.live.submit(opened).receipt == receipt


def device_as_doctor(hospital: LiveHospital) -> SubmittedEvent:
    note = {**hospital.note(), "author": [{"reference": f"Device/{hospital.analyser}"}]}
    return hospital.signed("note-written.v1", note, signer=hospital.analyser)


def device_made_doctor(hospital: LiveHospital) -> SubmittedEvent:
    role = encoded({"role": "doctor"})
    return hospital.signed("role-granted.v1", role, stream=hospital.analyser, signer=REGISTRAR)


def doctor_making_herself_registrar(hospital: LiveHospital) -> SubmittedEvent:
    return hospital.signed(
        "role-granted.v1", encoded({"role": "registrar"}), stream=hospital.doctor
    )


def doctor_revoking_her_own_key(hospital: LiveHospital) -> SubmittedEvent:
    return revocation(hospital, hospital.doctor, signer=hospital.doctor)


def registrar_after_revoking_his_own_key(hospital: LiveHospital) -> SubmittedEvent:
    for staff in (SECOND_REGISTRAR, REGISTRAR):
        hospital.add(
            "practitioner-enrolled.v1", a_practitioner(staff), stream=staff, signer=REGISTRAR
        )
    assert hospital.live.submit(revocation(hospital, REGISTRAR)).created
    return revocation(hospital, hospital.doctor)


def result_after_the_role_was_withdrawn(hospital: LiveHospital) -> SubmittedEvent:
    order = hospital.placed()
    content = {"role": "laboratory", "reason": "duties-changed"}
    hospital.add("role-withdrawn.v1", content, stream=hospital.technician, signer=REGISTRAR)
    return hospital.signed(
        "result-reported.v1",
        hospital.result(order),
        signer=hospital.technician,
        refs=[order.ref("answers")],
    )


def result_after_closing(hospital: LiveHospital) -> SubmittedEvent:
    order = hospital.placed()
    hospital.close()
    return hospital.signed(
        "result-reported.v1",
        hospital.result(order),
        signer=hospital.technician,
        refs=[order.ref("answers")],
    )


def record_of_a_patient_elsewhere(hospital: LiveHospital) -> SubmittedEvent:
    record = an_id("record of a stranger")
    return hospital.signed("record-opened.v1", encounter(record, an_id("stranger")), stream=record)


def record_of_a_doctor(hospital: LiveHospital) -> SubmittedEvent:
    record = an_id("record of a doctor")
    return hospital.signed("record-opened.v1", encounter(record, hospital.doctor), stream=record)


def record_in_the_patients_stream(hospital: LiveHospital) -> SubmittedEvent:
    opening = encounter(hospital.patient, hospital.patient)
    return hospital.signed(
        "record-opened.v1", opening, stream=hospital.patient, stream_kind="record"
    )


def amendment_of_a_retracted_note(hospital: LiveHospital) -> SubmittedEvent:
    note = hospital.enter("note-written.v1", hospital.note())
    newest = hospital.amend(note, {**hospital.note(), "status": "amended"})
    hospital.retract(newest)
    return hospital.signed(
        "entry-amended.v1",
        amendment({**hospital.note(), "status": "amended"}),
        refs=[newest.ref("amends")],
    )


def retraction_of_a_retraction(hospital: LiveHospital) -> SubmittedEvent:
    gone = hospital.retract(hospital.enter("note-written.v1", hospital.note()))
    return hospital.signed(
        "entry-retracted.v1", encoded({"reason": "x"}), refs=[gone.ref("retracts")]
    )


def amendment_with_two_texts_inside(hospital: LiveHospital) -> SubmittedEvent:
    note = hospital.enter("note-written.v1", hospital.note())
    twice = json.dumps({**hospital.note(), "status": "amended"})[:-1] + ',"status":"final"}'
    content = encoded({"reason": "x", "resource": twice})
    return hospital.signed("entry-amended.v1", content, refs=[note.ref("amends")])


def statement_of_an_author_who_saw_nothing(hospital: LiveHospital) -> SubmittedEvent:
    event = hospital.signed("note-written.v1", hospital.note())
    size = b'"size":%d},"signed_at"' % hospital.live.sequencer.head.size
    assert size in event.statement
    statement = event.statement.replace(size, b'"size":0},"signed_at"')
    container = sign_container(hospital.key_of(hospital.doctor), statement)
    return msgspec.structs.replace(event, statement=statement, container=container)


@pytest.mark.parametrize(
    ("plot", "code"),
    [
        (device_as_doctor, "role-not-valid"),
        (device_made_doctor, "role-kind"),
        (doctor_making_herself_registrar, "role-not-valid"),
        (doctor_revoking_her_own_key, "role-not-valid"),
        (registrar_after_revoking_his_own_key, "key-not-valid"),
        (result_after_the_role_was_withdrawn, "role-not-valid"),
        (result_after_closing, "record-closed"),
        (record_in_the_patients_stream, "stream-exists"),
        (amendment_of_a_retracted_note, "reference-retracted"),
        (retraction_of_a_retraction, "reference-retracted"),
        (amendment_with_two_texts_inside, "content-duplicate-key"),
        (statement_of_an_author_who_saw_nothing, "statement-malformed"),
    ],
)
def test_a_plot_is_refused_and_leaves_nothing(
    hospital: LiveHospital, plot: Callable[[LiveHospital], SubmittedEvent], code: str
) -> None:
    assert refuse(hospital, plot(hospital)) == code


@pytest.mark.parametrize("plot", [record_of_a_patient_elsewhere, record_of_a_doctor])
def test_a_record_is_of_a_patient_of_this_ledger(
    hospital: LiveHospital, plot: Callable[[LiveHospital], SubmittedEvent]
) -> None:
    """An unused key of the new stream may stay: it is made durable before what it seals."""
    size = hospital.live.sequencer.head.size
    with pytest.raises(CommandRefusedError) as refused:
        hospital.live.submit(plot(hospital))
    assert refused.value.code == "patient-unknown"
    assert hospital.live.sequencer.head.size == size


ODD_NAMES = [
    "\u202eNguyễn\u202c",
    "Ng\u200buyễn",
    "👩\u200d⚕️ Ánh",
    "Nguyễn " * 20_000,
    "ữ" * 100_000,
    "a\u2028b\u0085c\u007f",
    "İSTANBUL ß ﬁ ﷺ",
    "\ufdfa" * 300,
    "\U0010fffd",
]


def register_odd_people(hospital: LiveHospital) -> None:
    for number, name in enumerate(ODD_NAMES):
        stream = an_id(f"odd {number}")
        named: Json = {**patient(stream), "name": [{"text": f"{name} Ánh"}]}
        content = json.dumps(named, ensure_ascii=False).encode()
        hospital.add("patient-registered.v1", content, stream=stream, signer=hospital.nurse)


def write_odd_entries(hospital: LiveHospital) -> None:
    for taken_id in (hospital.record, hospital.patient, FACILITY, hospital.doctor):
        hospital.enter("note-written.v1", {**hospital.note(), "id": taken_id})
    for number in ("1e400", "-0", "1E-400", "0." + "1" * 5_000, "72.500"):
        vitals = hospital.vitals(f"vitals {number}")
        content = json.dumps(vitals).replace('"value": 72', f'"value": {number}').encode()
        event_id = vitals["entry"][0]["resource"]["id"]
        hospital.enter("vitals-recorded.v1", content, signer=hospital.nurse, event_id=event_id)
    newest = hospital.enter("note-written.v1", hospital.note("long story"))
    for _ in range(30):
        newest = hospital.amend(newest, {**hospital.note("long story"), "status": "amended"})
    hospital.retract(newest)
    record = an_id("a record whose first event has its id")
    opening = encounter(record, hospital.patient)
    hospital.enter("record-opened.v1", opening, stream=record, event_id=record)


def test_whatever_is_taken_verifies_and_is_shown(hospital: LiveHospital) -> None:
    """Names of any script and length, ids that equal others, extreme numbers, long chains."""
    register_odd_people(hospital)
    write_odd_entries(hospital)
    hospital.close()
    live = hospital.live
    live.stop()
    live.start()  # every state is folded anew from what was stored
    with live.database.connect("owner") as connection:
        install_views(connection, live.database)
    projector = Projector(live.database, live.keyring)
    projector.catch_up()
    projector.close()
    with live.database.connect("owner") as connection:
        assert check_views(connection, live.database, live.keyring) == ()
    report = verify_ledger(live.database, keyring=live.keyring)
    assert (report.findings, report.size) == ((), live.sequencer.head.size)
