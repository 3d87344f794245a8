"""`verify`: its report, its exit codes, and what it says when it could not look."""

import json
from pathlib import Path

import pytest

from tests.cli.facility import Facility, patient
from tests.cli.shell import CITIZEN_ID, ORIGIN, PATIENT_NAME, Shell

REPORT = {
    *("ok", "origin", "genesis", "size", "root", "entries_checked", "signatures_checked"),
    *("anchors", "findings", "seconds", "views"),
}
FINDING = {"code", "position", "stream", "event_id", "detail"}


def test_the_report_has_the_specified_fields(facility: Facility) -> None:
    """A§8; `notes` may be there in addition: without an anchor it says so."""
    report = facility("verify", "--json").json
    assert set(report) - {"notes", "marks"} == REPORT
    assert (report["ok"], report["origin"], report["findings"]) == (True, ORIGIN, [])
    assert report["entries_checked"] == report["signatures_checked"] == report["size"]
    assert any("consistent with itself only" in remark for remark in report["notes"])
    assert "consistent with itself only" in facility("verify").out


def test_a_changed_row_is_found_and_told(own_facility: Facility, tmp_path: Path) -> None:
    """Exit 1; the finding names the position; the report can be kept in a file."""
    _damage(own_facility, position=10)
    answer = own_facility("verify", "--json", "--report", tmp_path / "report.json")
    assert answer.code == 1
    report = json.loads(answer.out)
    assert report["ok"] is False
    assert all(set(finding) == FINDING for finding in report["findings"])
    assert 10 in {finding["position"] for finding in report["findings"]}
    assert json.loads((tmp_path / "report.json").read_bytes()) == report
    told = own_facility("verify")
    assert (told.code, "leaf-mismatch at 10" in told.out) == (1, True)
    assert "NOT WHOLE" in told.out


def _damage(facility: Facility, *, position: int) -> None:
    """Flip a byte of an entry, as a superuser can."""
    from ledger.database import Database  # noqa: PLC0415

    database = Database(facility.variables["CLINLEDGER_DATABASE_URL"])
    with database.connect("owner") as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE ledger.entry SET entry = set_byte(entry, 20, get_byte(entry, 20) # 1)"
            " WHERE position = %s",
            (position,),
        )


def test_a_report_for_people_is_a_page_and_names_no_patient(
    own_facility: Facility, tmp_path: Path
) -> None:
    """`.html` makes the page, also of what is not whole; anything else stays JSON."""
    page = tmp_path / "report.html"
    assert own_facility("verify", "--report", page).code == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert ORIGIN in text
    assert "nothing was found" in text
    _damage(own_facility, position=10)
    assert own_facility("verify", "--report", page).code == 1
    text = page.read_text(encoding="utf-8")
    assert "NOT WHOLE" in text
    assert "leaf-mismatch" in text
    assert PATIENT_NAME not in text
    assert CITIZEN_ID not in text
    assert own_facility("verify", "--report", tmp_path / "none" / "report.html").code == 2


def test_what_was_acknowledged_and_is_gone_is_found(facility: Facility, tmp_path: Path) -> None:
    """A receipt for an event that the ledger does not have."""
    acks = tmp_path / "acks.jsonl"
    lost = {
        "event_id": "01234567-89ab-7def-8123-456789abcdef",
        "position": 3,
        "leaf_hash": "0" * 64,
    }
    acks.write_text(json.dumps(lost) + "\n")
    answer = facility("verify", "--acks", acks, "--json")
    assert answer.code == 1
    assert {finding["code"] for finding in json.loads(answer.out)["findings"]} == {
        "acknowledged-missing"
    }


@pytest.mark.parametrize("content", [None, b"not json\n", b"\xff\n", b'{"position":1}\n'])
def test_acks_that_cannot_be_read_are_a_usage_error(
    facility: Facility, tmp_path: Path, content: bytes | None
) -> None:
    """Exit 2: nothing was verified, and nobody may take that for a verdict."""
    acks = tmp_path / "acks.jsonl"
    if content is not None:
        acks.write_bytes(content)
    answer = facility("verify", "--acks", acks)
    assert (answer.code, answer.out) == (2, "")
    assert "acks" in answer.err


def test_one_record_alone_can_be_verified(own_facility: Facility) -> None:
    """The whole tree, and that record's events."""
    own_facility.append(patient(), "patient-registered.v1", own_facility.nurse)
    report = own_facility("verify", "--record", own_facility.record, "--json").json
    assert report["ok"] is True
    assert report["signatures_checked"] < report["entries_checked"]


def test_hashes_alone_need_no_facility_key(facility: Facility, tmp_path: Path) -> None:
    """An outside auditor does what can be done, and the report says what was left out."""
    by_choice = facility("verify", "--hashes-only", "--json").json
    auditor = Shell(tmp_path / "nothing", facility.variables["CLINLEDGER_DATABASE_URL"])
    answer = auditor("verify", "--json")
    assert answer.code == 0, answer.err
    by_need = answer.json
    assert by_choice["ok"] is by_need["ok"] is True
    assert by_need["notes"]
    assert "facility key" in answer.err


def test_several_processes_come_to_the_same_result(facility: Facility) -> None:
    """Only faster, on a large ledger."""
    one, two = (facility("verify", "--json", "--processes", n).json for n in ("1", "2"))
    assert (one["root"], one["signatures_checked"]) == (two["root"], two["signatures_checked"])
    assert facility("verify", "--processes", "0").code == 2
