"""`sign` and `submit`: what they fill in, print, keep and refuse."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.facility import Facility, note, order, result
from tests.cli.shell import CITIZEN_ID, PATIENT_NAME

SUBMISSION = {"statement", "signature", "content", "content_encoding", "salt"}
RECEIPT = {
    *("event_id", "stream", "position", "version", "received_at", "entry", "previous"),
    *("link_salt", "leaf_hash", "head"),
}


def _signed_note(facility: Facility, *options: str, **elements: Any) -> dict[str, Any]:  # noqa: ANN401
    target = ("--stream", facility.record, *options)
    return facility.sign(note(**elements), "note-written.v1", facility.doctor, *target).json


def test_sign_prints_the_body_of_a_post_and_stores_nothing(facility: Facility) -> None:
    """One line that `submit` and `POST /v1/events` take (A§8)."""
    before = facility("history", facility.record).out
    body = _signed_note(facility)
    assert set(body) == SUBMISSION
    assert json.loads(body["statement"])["stream"] == facility.record
    assert facility("history", facility.record).out == before


def test_sign_fills_in_what_is_known_and_changes_nothing_else(facility: Facility) -> None:
    """Ids, subject, encounter, author and date; what the author wrote stays."""
    body = _signed_note(facility, title="Tờ điều trị  số 1")
    content, statement = json.loads(body["content"]), json.loads(body["statement"])
    assert content["id"] == statement["event_id"]
    assert content["subject"] == {"reference": f"Patient/{facility.patient}"}
    assert content["encounter"] == {"reference": f"Encounter/{facility.record}"}
    assert content["author"] == [{"reference": f"Practitioner/{facility.doctor}"}]
    assert content["date"] == statement["occurred_at"]
    assert content["title"] == "Tờ điều trị  số 1"


def test_digits_of_decimals_stay_as_they_were_written(facility: Facility) -> None:
    """1.50 is not 1.5: it says how exactly was measured."""
    answered = facility.append(
        order(), "order-placed.v1", facility.doctor, "--stream", facility.record
    ).text
    text = json.dumps(result()).replace("14.2", "14.200").encode()
    signed = facility.sign(
        text, "result-reported.v1", facility.analyser, "--ref", f"answers={answered}"
    )
    assert '"value": 14.200' in signed.json["content"]


def test_the_date_in_a_content_decides_when_it_happened(facility: Facility) -> None:
    """A note written later about the morning says so itself, in local time."""
    body = _signed_note(facility, date="2026-05-04T08:30:00+07:00")
    assert json.loads(body["statement"])["occurred_at"] == "2026-05-04T01:30:00.000Z"


def test_a_result_takes_record_order_and_observations_from_its_order(facility: Facility) -> None:
    """`--ref answers=` says it all; the analyser is named as the device that measured."""
    answered = facility.append(
        order(), "order-placed.v1", facility.doctor, "--stream", facility.record
    ).text
    signed = facility.sign(
        result(), "result-reported.v1", facility.analyser, "--ref", f"answers={answered}"
    )
    report, observation = (
        entry["resource"] for entry in json.loads(signed.json["content"])["entry"]
    )
    assert report["basedOn"] == [{"reference": f"ServiceRequest/{answered}"}]
    assert report["result"] == [{"reference": f"Observation/{observation['id']}"}]
    assert observation["device"] == {"reference": f"Device/{facility.analyser}"}
    assert facility("submit", "-", stdin=signed.out.encode()).code == 0


def test_results_orders_and_notes_can_be_amended_without_repeating_ids(facility: Facility) -> None:
    """The new version keeps ids, order and time of the first one."""
    at = ("--stream", facility.record)
    answered = facility.append(order(), "order-placed.v1", facility.doctor, *at).text
    preliminary = facility.append(
        result("preliminary"),
        "result-reported.v1",
        facility.analyser,
        "--ref",
        f"answers={answered}",
    ).text
    amendment = {"reason": "Kết quả cuối cùng", "resource": result()}
    ref = ("--ref", f"amends={preliminary}")
    final = facility.append(amendment, "entry-amended.v1", facility.analyser, *ref)
    assert final.code == 0, final.err
    written = facility.write_note()
    again = {"reason": "Bổ sung", "resource": note("Đỡ sốt.", status="amended")}
    ref = ("--ref", f"amends={written}")
    assert facility.append(again, "entry-amended.v1", facility.doctor, *ref).code == 0


def test_an_amendment_without_its_own_date_is_about_the_same_moment(facility: Facility) -> None:
    """Correcting a text does not move the fact."""
    written = facility.append(
        note(date="2026-05-04T08:30:00+07:00"),
        *("note-written.v1", facility.doctor, "--stream", facility.record),
    ).text
    again = {"reason": "Bổ sung", "resource": note("Đỡ sốt.", status="amended")}
    signed = facility.sign(again, "entry-amended.v1", facility.doctor, "--ref", f"amends={written}")
    assert json.loads(signed.json["statement"])["occurred_at"] == "2026-05-04T01:30:00.000Z"


def test_submit_prints_the_id_that_comes_next(facility: Facility) -> None:
    """Of the new stream for an event that opens one, else of the event; the rest on stderr."""
    body = _signed_note(facility)
    answer = facility("submit", "-", stdin=json.dumps(body).encode())
    assert answer.text == json.loads(body["statement"])["event_id"]
    assert "note-written.v1" in answer.err
    assert facility.record in answer.err


def test_submit_prints_receipts_as_specified_and_the_same_one_again(facility: Facility) -> None:
    """The receipt of A§5.5; a retry adds nothing."""
    signed = facility.file("note.signed", _signed_note(facility))
    receipt = facility("submit", signed, "--json").json
    assert set(receipt) == RECEIPT
    assert set(receipt["head"]) == {"size", "root"}
    assert receipt["head"]["size"] == receipt["position"] + 1
    assert facility("submit", signed, "--json").json == receipt


def test_submit_takes_several_files_and_several_events_in_one(facility: Facility) -> None:
    """In the order given."""
    lines = b"".join(json.dumps(_signed_note(facility)).encode() + b"\n" for _ in range(2))
    batch = facility.file("batch.signed", lines)
    single = facility.file("single.signed", _signed_note(facility))
    answer = facility("submit", batch, single, "--json")
    positions = [json.loads(line)["position"] for line in answer.out.splitlines()]
    assert positions == list(range(positions[0], positions[0] + 3))


def test_kept_acknowledgements_are_what_verify_compares_with(
    facility: Facility, tmp_path: Path
) -> None:
    """`submit --acks` writes the lines that `simulate --acks` does; whole receipts work as well."""
    acks = tmp_path / "acks.jsonl"
    signed = facility.file("note.signed", _signed_note(facility))
    for _ in range(2):
        assert facility("submit", signed, "--acks", acks).code == 0
    lines = [json.loads(line) for line in acks.read_text().splitlines()]
    assert [set(line) for line in lines] == [{"event_id", "position", "leaf_hash"}] * 2
    with acks.open("a") as file:
        file.write(facility("submit", signed, "--json").out)
    report = facility("verify", "--acks", acks, "--json").json
    assert (report["ok"], report["anchors"][0]["count"]) == (True, 3)


def test_a_refusal_names_the_fault_and_its_place_but_no_patient(facility: Facility) -> None:
    """Exit 1; what stands before the refused event in the same input is stored."""
    good = json.dumps(_signed_note(facility)).encode()
    content = note(f"{PATIENT_NAME} {CITIZEN_ID}", status="no-such-status")
    bad = facility.sign(
        content, "note-written.v1", facility.doctor, "--stream", facility.record
    ).out.encode()
    answer = facility("submit", "-", stdin=good + b"\n" + bad)
    assert answer.code == 1
    assert answer.out.count("\n") == 1
    assert "refused: fhir-code at" in answer.err
    assert "/status" in answer.err
    assert PATIENT_NAME not in answer.err
    assert CITIZEN_ID not in answer.err


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"resourceType":"Composition","title":"\xff"}', "content-not-utf8"),
        (b"\xef\xbb\xbf{}", "content-bom"),
        (b"{", "content-not-json"),
        (b'{"title":"a","title":"b"}', "content-duplicate-key"),
        ('{"title":"Tơ\u0300"}'.encode(), "content-not-nfc"),
        (b"[1]", "content-not-an-object"),
        (b" " * (1024 * 1024 + 1), "input-too-large"),
    ],
)
def test_contents_that_no_event_can_have_are_not_signed(
    facility: Facility, content: bytes, code: str
) -> None:
    """Said before anything is signed, by the code that the ledger would give."""
    options = ("--stream", facility.record)
    answer = facility.sign(content, "note-written.v1", facility.doctor, *options)
    assert (answer.code, answer.out) == (1, "")
    assert f"refused: {code} at" in answer.err


@pytest.mark.parametrize(
    ("options", "exit_code", "words"),
    [
        (("--type", "no-such.v1", "--stream", "{record}"), 1, "type-unknown"),
        (("--type", "record-held.v1", "--stream", "{record}"), 1, "type-reserved"),
        (("--type", "note-written.v1"), 2, "--stream"),
        (("--type", "note-written.v1", "--stream", "BA-1"), 2, "UUID"),
        (("--type", "note-written.v1", "--stream", "{unknown}"), 1, "stream-unknown"),
        (("--type", "entry-amended.v1", "--ref", "amends={unknown}"), 1, "event-unknown"),
        (("--type", "entry-amended.v1", "--ref", "amends"), 2, "RELATION=EVENT"),
        (("--type", "entry-amended.v1", "--ref", "eats={record_event}"), 2, "no such relation"),
        (("--type", "note-written.v1", "--occurred-at", "yesterday"), 2, "YYYY-MM-DD"),
        (("--type", "note-written.v1", "--occurred-at", "2026-02-31T00:00:00.000Z"), 2, "YYYY"),
        (("--type", "note-written.v1", "--key", "nobody"), 2, "no key named nobody"),
    ],
)
def test_wrong_options_of_sign_are_told_apart_from_refusals(
    facility: Facility, options: tuple[str, ...], exit_code: int, words: str
) -> None:
    """2 for what cannot be meant, 1 for what the ledger does not have."""
    events = facility("history", facility.record, "--json").json["events"]
    names = {
        "record": facility.record,
        "unknown": "01234567-89ab-7def-8123-456789abcdef",
        "record_event": events[0]["event_id"],
    }
    given = [option.format(**names) for option in options]
    answer = facility(
        "sign", facility.file("content.json", note()), "--as", facility.doctor, *given
    )
    assert answer.code == exit_code, answer.err
    assert words in answer.err


def test_who_has_no_key_here_cannot_sign(facility: Facility, tmp_path: Path) -> None:
    """The file that is missed is named."""
    elsewhere = facility.elsewhere(tmp_path / "other")
    (tmp_path / "other" / "keys" / f"{facility.doctor}.pem").unlink()
    content = facility.file("content.json", note())
    options = ("--type", "note-written.v1", "--stream", facility.record)
    answer = elsewhere("sign", content, "--as", facility.doctor, *options)
    assert answer.code == 2
    assert f"no key named {facility.doctor}" in answer.err


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"{}", b"[]", b"\xff\xfe", b'{"statement":"x"}', b"{" * 100_000]
)
def test_inputs_that_are_no_signed_events_are_refused(facility: Facility, data: bytes) -> None:
    """Exit 1; not a traceback, and nothing quoted."""
    answer = facility("submit", "-", stdin=data)
    assert (answer.code, answer.out) == (1, "")
    assert "body-malformed" in answer.err
    assert "Traceback" not in answer.err


def test_a_file_that_is_missing_or_a_folder_is_named(facility: Facility, tmp_path: Path) -> None:
    """Exit 2 for both commands that read files."""
    for name in (tmp_path / "missing.json", tmp_path):
        for command in (
            ("submit", name),
            ("sign", name, "--type", "note-written.v1", "--as", facility.doctor),
        ):
            answer = facility(*command)
            assert answer.code == 2
            assert f"cannot read {name}" in answer.err


def test_a_huge_input_is_refused_without_reading_it_all(facility: Facility, tmp_path: Path) -> None:
    """A sparse file of a terabyte is answered at once."""
    huge = tmp_path / "huge.signed"
    with huge.open("wb") as file:
        file.truncate(2**40)
    started = time.monotonic()
    options = ("--type", "note-written.v1", "--stream", facility.record)
    signed = facility("sign", huge, "--as", facility.doctor, *options)
    assert (signed.code, "input-too-large" in signed.err) == (1, True)
    assert time.monotonic() - started < 10


def test_a_statement_changed_after_signing_is_refused(facility: Facility) -> None:
    """The signature covers every byte."""
    body = _signed_note(facility)
    body["statement"] = body["statement"].replace("note-written.v1", "allergy-recorded.v1")
    answer = facility("submit", "-", stdin=json.dumps(body).encode())
    assert answer.code == 1
    assert "refused" in answer.err
