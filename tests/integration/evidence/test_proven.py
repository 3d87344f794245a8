"""What an honest evidence file proves to someone without access to the ledger."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from ledger.errors import NotFoundError, UnavailableError
from ledger.evidence import verify_evidence
from ledger.evidence.format import Subject, encode_evidence
from ledger.evidence.verify_evidence import Policy, told
from tests.evidence_files import WITNESSES, Prover

NO_SUCH = "01980000-0000-7000-8000-00000000ffff"


def events_of(prover: Prover, tag: str) -> list[str]:
    """Return the ids of the events of a type."""
    return [built.event_id for built in prover.builder.events if built.type == tag]


def test_a_record_is_proven_whole_from_its_opening(prover: Prover) -> None:
    """Promise 5: every event of the record, in order, with author, role and key."""
    verdict: Any = prover.verdict(prover.record())
    record = [b for b in prover.builder.events if b.stream == prover.hospital.ward.record]
    assert [e["event_id"] for e in verdict["events"]] == [b.event_id for b in record]
    assert [e["version"] for e in verdict["events"]] == list(range(1, len(record) + 1))
    assert [e["content"] for e in verdict["events"]] == [b.event.content.decode() for b in record]
    opened = verdict["events"][0]
    assert opened["type"] == "record-opened.v1"
    assert opened["signer"] == prover.hospital.doctor.staff
    assert opened["signer_name"] == "Nguyễn Thị Thử"
    assert opened["roles"] == ["doctor"]
    assert opened["key_id"] == prover.hospital.doctor.key.key_id
    assert opened["key_revoked_at_position"] is None
    assert verdict["witnessed"] == "signed by the operator only"
    assert verdict["genesis"] == prover.genesis
    assert verdict["heads"] is None


@pytest.mark.parametrize("position", [0, 1, 2, 3, 4, 12, 15, 17, 299])
def test_any_event_is_proven_by_itself(prover: Prover, position: int) -> None:
    """Founding, directory, a device's result, the newest note: all alike."""
    built = prover.builder.events[position]
    verdict: Any = prover.verdict(prover.event(built.event_id))
    assert built.event_id in [event["event_id"] for event in verdict["events"]]
    assert {e["stream"] for e in verdict["events"]} == {built.stream}


def test_contents_may_be_left_out(prover: Prover) -> None:
    """Then their digests are proven, and no salt lets anyone guess them."""
    evidence = prover.record(with_content=False)
    verdict: Any = prover.verdict(evidence)
    assert {event["content"] for event in verdict["events"]} == {None}
    assert verdict["events"][0]["signer_name"] == "Nguyễn Thị Thử"
    data = encode_evidence(evidence)
    salts = [b.event.salt for b in prover.builder.events if b.stream == prover.hospital.ward.record]
    assert not [salt for salt in salts if verify_evidence.base64.b64encode(salt) in data]
    assert "intact; content left out" in told(verdict, 0)
    assert "không kèm nội dung" in told(verdict, 1)


def test_a_policy_counts_the_witnesses_and_bounds_the_time(prover: Prover) -> None:
    """Cosignatures of Ed25519 and ML-DSA, as another institution makes them."""
    subject = Subject(id=prover.hospital.ward.record, kind="record")
    evidence = prover.build(subject, prover.note(cosigned=2))
    verdict: Any = prover.verdict(evidence, Policy(prover.policy))
    assert verdict["witnessed"] == "witnessed by 2 of 2"
    assert verdict["witnesses"] == dict.fromkeys(sorted(WITNESSES), "2026-09-21T14:20:00.000Z")
    # Who brings no policy is not told of witnesses that he does not know.
    assert prover.verdict(evidence)["witnessed"] == "signed by the operator only"


def test_the_checkpoint_decides_what_is_in_the_file(prover: Prover) -> None:
    """Nothing at or after its size, and what it does not cover yet is refused by name."""
    opened = events_of(prover, "record-opened.v1")[0]
    position = next(b.position for b in prover.builder.events if b.event_id == opened)
    subject = Subject(id=prover.hospital.ward.record, kind="record")
    evidence = prover.build(subject, prover.note(position + 1))
    verdict: Any = prover.verdict(evidence)
    assert [event["event_id"] for event in verdict["events"]] == [opened]
    with pytest.raises(UnavailableError, match="no checkpoint covers it yet"):
        prover.build(subject, prover.note(position))


@pytest.mark.parametrize("kind", ["event", "record"])
def test_what_is_not_in_the_ledger_is_not_proven(
    prover: Prover, kind: Literal["event", "record"]
) -> None:
    """And a patient's stream is no record."""
    with pytest.raises(NotFoundError):
        prover.build(Subject(id=NO_SUCH, kind=kind))
    with pytest.raises(NotFoundError):
        prover.build(Subject(id=prover.hospital.ward.patient, kind=kind))


def test_the_report_names_what_the_rules_ask_for_in_both_languages(prover: Prover) -> None:
    """Issuer, signer, unit, times, integrity and validity at signing (facts/vietnam.md §6)."""
    verdict: Any = prover.verdict(prover.record())
    english, vietnamese = told(verdict, 0), told(verdict, 1)
    for label in ("Signer", "Role", "Key issued by", "Managing unit", "Integrity"):
        assert f"\n{label}: " in english
    for label in ("Key, valid at this position", "Signed at (signer's clock)"):
        assert f"\n{label}: " in english
    for label in ("Người ký", "Vai trò", "Đơn vị cấp khoá", "Đơn vị quản lý", "Tính toàn vẹn"):
        assert f"\n{label}: " in vietnamese
    for label in ("Khoá, còn hiệu lực tại vị trí này", "Thời điểm ký (đồng hồ người ký)"):
        assert f"\n{label}: " in vietnamese
    newest = max(event["received_at"] for event in verdict["events"] + verdict["relied_on"])
    asserted = f"Newest as asserted by the ledger on: {newest}"
    assert asserted in english
    assert "Đã đối chiếu sự kiện khởi lập (--genesis): có" in vietnamese
    assert "Nguyễn Thị Thử" in english
    assert "Nguyễn Thị Thử" in vietnamese


def test_the_one_file_needs_nothing_of_ours(prover: Prover, tmp_path: Path) -> None:
    """Promise 5: copied to an empty folder, it proves and refuses with its exit status."""
    shutil.copy(verify_evidence.__file__, tmp_path / "verify_evidence.py")
    prover.write(prover.record(), tmp_path / "a.clinledger-evidence")
    (tmp_path / "policy").write_text(prover.policy)
    command = [sys.executable, "-I", "verify_evidence.py", "a.clinledger-evidence"]
    trusting = [*command, "--trust", prover.vkey]

    def run(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(  # noqa: S603
            arguments, cwd=tmp_path, capture_output=True, check=False, env={"PATH": ""}
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    status, out, _ = run(*trusting, "--genesis", prover.genesis)
    assert status == 0
    assert out.startswith("PROVEN: all that this file holds\n")
    assert "\nĐÃ CHỨNG MINH: toàn bộ nội dung của tệp\n" in out
    status, out, _ = run(*trusting, "--json")
    assert (status, json.loads(out)["ok"]) == (0, True)
    assert json.loads(out)["genesis_compared"] is False
    status, out, _ = run(*trusting, "--policy", "policy", "--lang", "vi")
    assert status == 1
    assert out.startswith("TỪ CHỐI: ")
    assert "witnesses-missing" in out
    assert run(*command)[0] == 2
    assert run(*command, "--trust", "no key")[0] == 2
    assert run(*trusting, "--genesis", "00")[0] == 2
    assert run(*trusting, "--policy", "nowhere")[0] == 2
