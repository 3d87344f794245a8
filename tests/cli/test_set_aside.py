"""`checkpoint set-aside`: what nobody signed goes, what was signed stays, and all can tell."""

from pathlib import Path
from typing import LiteralString

import msgspec
import psycopg
import pytest

from api.event_json import submitted_event
from api.schemas import EventSubmission
from ledger.database import Database
from ledger.setting_aside import only_writer, set_tail_aside
from ledger.submitted import SubmittedEvent
from tests.cli.facility import Facility, note
from tests.cli.shell import Answer
from tests.noted import cosigner
from tests.ports import free_port
from tests.slipped import slip_in

REASON = "Dòng không có chữ ký, do ai đó ghi thẳng vào cơ sở dữ liệu"

TABLES: tuple[LiteralString, ...] = ("set_aside", "set_aside_head")
KEEP: LiteralString = "CREATE TABLE {ledger}.NAME_kept AS TABLE {ledger}.NAME"
RESTORE: LiteralString = """
TRUNCATE {ledger}.NAME; INSERT INTO {ledger}.NAME SELECT * FROM {ledger}.NAME_kept
"""
CHANGES: tuple[LiteralString, ...] = (
    "UPDATE {ledger}.set_aside SET position = position + 1",
    "UPDATE {ledger}.set_aside SET stream = event_id",
    "UPDATE {ledger}.set_aside SET version = version + 1",
    "UPDATE {ledger}.set_aside SET event_id = stream",
    "UPDATE {ledger}.set_aside SET entry = set_byte(entry, 50, 255 - get_byte(entry, 50))",
    "UPDATE {ledger}.set_aside SET leaf_hash = NULL",
    "UPDATE {ledger}.set_aside SET link_salt = link_salt || '\\x00'",
    "UPDATE {ledger}.set_aside SET body = set_byte(body, 99, 255 - get_byte(body, 99))",
    "UPDATE {ledger}.set_aside SET ordinal = 1",
    "UPDATE {ledger}.set_aside SET size = size - 1",
    "DELETE FROM {ledger}.set_aside",
    "DELETE FROM {ledger}.set_aside; DELETE FROM {ledger}.set_aside_head",
    "UPDATE {ledger}.set_aside_head SET head_root = sha256(head_root)",
    "UPDATE {ledger}.set_aside_head SET head_size = head_size + 1",
    "UPDATE {ledger}.set_aside_head SET head_peaks = ''",
    "INSERT INTO {ledger}.set_aside (size, ordinal) VALUES (5, 0)",
)


class Slipped:
    """A facility whose checkpoint is signed, with a row slipped in after it."""

    def __init__(self, facility: Facility) -> None:
        self.facility = facility
        self.database = Database(facility.variables["CLINLEDGER_DATABASE_URL"])
        assert facility("checkpoint", "--once").code == 0
        self.size = slip_in(self.database, facility.home, self.signed("Không ai viết."))

    def signed(self, text: str) -> SubmittedEvent:
        """Return a note that the doctor signed."""
        signed = self.facility.sign(
            note(text),
            "note-written.v1",
            self.facility.doctor,
            *("--stream", self.facility.record),
        )
        return submitted_event(msgspec.json.decode(signed.out.encode(), type=EventSubmission))

    def set_aside(self, *options: str, size: int | None = None) -> Answer:
        """Set the tail aside, by both registrars."""
        keep = ("--from", str(self.size if size is None else size))
        second = ("--second", self.facility.registrars[1])
        return self.facility(
            "checkpoint", "set-aside", *keep, "--reason", REASON, *second, *options
        )

    def move(self) -> None:
        """Move the rows, as the command does, and be killed before the event."""
        with (
            self.database.connect("owner") as connection,
            only_writer(connection, self.database),
            connection.transaction(),
        ):
            set_tail_aside(connection, self.database, size=self.size, checkpoints=())

    def run(self, query: LiteralString) -> None:
        """Run a statement as a superuser, with all triggers off."""
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(self.database.query(query))


@pytest.fixture
def slipped(own_facility: Facility) -> Slipped:
    """A facility of the test's own."""
    return Slipped(own_facility)


def test_a_row_that_nobody_signed_is_set_aside_and_the_ledger_goes_on(
    slipped: Slipped, tmp_path: Path
) -> None:
    """With what an honest author wrote after it: that author's receipt tells of it."""
    facility, acks = slipped.facility, tmp_path / "acks.jsonl"
    signed = facility.sign(
        note("Sau đó."), "note-written.v1", facility.doctor, "--stream", facility.record
    )
    honest = facility.file("honest.json", signed.out.encode())
    assert facility("submit", honest, "--acks", acks).code == 0
    assert facility("projector", "--once").code == 0
    refused = facility("checkpoint", "--once")
    assert (refused.code, f"signature-invalid at {slipped.size}" in refused.out) == (1, True)

    answer = slipped.set_aside()

    assert answer.code == 0, answer.err
    assert answer.out == f"set aside; recorded at position {slipped.size}\n"
    report = facility("verify", "--json").json
    assert (report["ok"], report["size"]) == (True, slipped.size + 1)
    (told,) = (text for text in report["notes"] if "set aside" in text)
    assert told == f"from {slipped.size} on, 2 entries were set aside by two: {REASON}"
    assert facility("checkpoint", "--once").code == 0
    missing = facility("verify", "--acks", acks)
    assert (missing.code, f"acknowledged-missing at {slipped.size + 1}" in missing.out) == (1, True)
    assert "Sau đó." not in facility("show", facility.record).out
    again = facility("submit", honest)  # whose author saw what was set aside
    assert (again.code, "seen-inconsistent" in again.err) == (1, True)
    facility.write_note()
    assert facility("verify").code == 0


def test_what_was_signed_is_never_set_aside(slipped: Slipped) -> None:
    """Nor anything by one person, by somebody who may not, or while others write."""
    facility = slipped.facility
    before = json_of(facility("verify", "--json"))
    below = slipped.set_aside(size=slipped.size - 1)
    assert (below.code, f"covers {slipped.size} entries" in below.err) == (2, True)
    beyond = slipped.set_aside(size=slipped.size + 5)
    assert (beyond.code, "has" in beyond.err) == (2, True)
    alone = slipped.set_aside("--by", facility.registrars[1])
    assert (alone.code, "two different people" in alone.err) == (2, True)
    doctor = slipped.set_aside("--by", facility.doctor)
    assert (doctor.code, "is no registrar or administrator" in doctor.err) == (2, True)
    keep = ("--from", str(slipped.size), "--reason", REASON)
    nurse = facility("checkpoint", "set-aside", *keep, "--second", facility.nurse)
    assert (nurse.code, "is no registrar" in nurse.err) == (2, True)
    with (
        slipped.database.connect("owner") as connection,
        only_writer(connection, slipped.database),
    ):
        running = slipped.set_aside()
    assert (running.code, "a sequencer runs" in running.err) == (2, True)

    assert json_of(facility("verify", "--json"))["findings"] == before["findings"]
    assert slipped.set_aside().code == 0
    nothing = slipped.set_aside(size=slipped.size + 1)
    assert (nothing.code, "the ledger has" in nothing.err) == (2, True)


def test_a_witness_that_does_not_answer_is_waited_for(slipped: Slipped) -> None:
    """It may have cosigned what the signer's state does not know of."""
    policy = slipped.facility.home / "witnesses.policy"
    key = cosigner("witness.example/w1").verifier.vkey
    policy.write_text(f"witness w1 {key} http://127.0.0.1:{free_port()}\nquorum w1\n")

    answer = slipped.set_aside()

    assert answer.code == 2
    assert "witness w1 does not say what it has cosigned" in answer.err
    policy.unlink()
    assert slipped.set_aside().code == 0


def test_until_the_decision_is_recorded_nothing_is_appended_or_signed(slipped: Slipped) -> None:
    """The command was killed in between; the same command again finishes it."""
    facility = slipped.facility
    slipped.move()
    target = ("--stream", facility.record)

    early = facility.append(note("Sớm quá."), "note-written.v1", facility.doctor, *target)
    assert (early.code, "must be recorded before anything else" in early.err) == (2, True)
    found = facility("verify", "--json")
    codes = [(one["code"], one["position"]) for one in json_of(found)["findings"]]
    assert ("set-aside-mismatch", slipped.size) in codes
    unsigned = facility("checkpoint", "--once")
    assert (unsigned.code, f"set-aside-mismatch at {slipped.size}" in unsigned.out) == (1, True)

    assert slipped.set_aside().code == 0
    assert facility("rebuild").code == 0
    assert facility("verify").code == 0
    assert facility("checkpoint", "--once").code == 0


def test_a_row_slipped_in_between_is_set_aside_with_the_others(slipped: Slipped) -> None:
    """Whoever does so cannot keep the decision from being recorded."""
    slipped.move()
    late = slip_in(slipped.database, slipped.facility.home, slipped.signed("Lại nữa."))
    assert late == slipped.size

    assert slipped.set_aside().code == 0

    report = slipped.facility("verify", "--json").json
    assert report["ok"]
    assert any("2 entries were set aside" in text for text in report["notes"])


def test_what_was_set_aside_cannot_be_changed_unseen(slipped: Slipped) -> None:
    """With or without the facility key."""
    assert slipped.set_aside().code == 0
    assert slipped.facility("verify").code == 0
    for table in TABLES:
        slipped.run(KEEP.replace("NAME", table))
    for change in CHANGES:
        slipped.run(change)
        for options in ((), ("--hashes-only",)):
            report = json_of(slipped.facility("verify", "--json", *options))
            assert "set-aside-mismatch" in {one["code"] for one in report["findings"]}, change
        for table in TABLES:
            slipped.run(RESTORE.replace("NAME", table))
    assert slipped.facility("verify").code == 0


def json_of(answer: Answer) -> dict[str, list[dict[str, object]]]:
    """Return the report of a verification that found something."""
    assert answer.code == 1, answer.err
    return msgspec.json.decode(answer.out)
