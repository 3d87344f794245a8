"""Evidence of a ledger whose checkpoint key was replaced: whom an auditor can believe."""

from collections.abc import Generator
from typing import Any

import msgspec
import pytest

from ledger.database import Database
from ledger.evidence.format import Evidence, encode_evidence
from ledger.evidence.verify_evidence import NoteKey, Policy, RefusedError, check_evidence, told
from signing.keys import SoftKey
from signing.notes import Ed25519Signer
from tests.evidence_files import Prover, changed
from tests.hospital import build_hospital
from tests.postgres import Server

ROTATED = "checkpoint-key-rotated.v1"


class Rotated:
    """A hospital, its prover, and the keys that it had, oldest first."""

    def __init__(self, prover: Prover) -> None:
        self.prover, self.hospital = prover, prover.hospital
        self.vkeys = [prover.vkey]

    def rotate(self, *, lost: bool = False) -> None:
        """Replace the key and go on: the doctor writes, checkpoints are signed by the new key."""
        self.hospital.rotate(lost=lost)
        self.hospital.note(self.hospital.ward)
        self.hospital.builder.commit()
        self.sign_with(self.hospital.checkpoint)
        self.vkeys.append(self.prover.vkey)

    def sign_with(self, key: SoftKey) -> None:
        """Sign the next checkpoints with a key."""
        self.prover.signer = Ed25519Signer(self.prover.builder.origin, key)

    @property
    def positions(self) -> list[int]:
        """Where the key was replaced."""
        return [b.position for b in self.prover.builder.events if b.type == ROTATED]

    def check(self, evidence: Evidence, vkey: str) -> dict[str, Any]:
        """Check a file, trusting one key."""
        return check_evidence(encode_evidence(evidence), NoteKey(vkey), None, Policy())

    def refusal(self, evidence: Evidence, vkey: str) -> RefusedError:
        """Return why a file is refused to whom trusts a key."""
        with pytest.raises(RefusedError) as refused:
            self.check(evidence, vkey)
        return refused.value


@pytest.fixture
def ledger(postgres_server: Server, template_url: str) -> Generator[Rotated]:
    """A small hospital's ledger."""
    url = postgres_server.create_database(template_url)
    prover = Prover(build_hospital(Database(url, "ledger"), events=30))
    yield Rotated(prover)
    prover.close()
    postgres_server.drop_database(url)


def index_of(evidence: Evidence, position: int) -> int:
    """Return the place of an event in a file."""
    return [event.position for event in evidence.events].index(position)


def without(evidence: Evidence, position: int) -> Evidence:
    """Return a file from which an event was taken out."""
    left = tuple(event for event in evidence.events if event.position != position)
    return msgspec.structs.replace(evidence, events=left)


def test_the_trusted_key_leads_to_the_newest_by_its_handovers(ledger: Rotated) -> None:
    """Twice replaced; each of the three keys proves the file, and the report says so."""
    ledger.rotate()
    ledger.rotate()
    evidence = ledger.prover.record()
    for trusted, vkey in enumerate(ledger.vkeys):
        verdict = ledger.check(evidence, vkey)
        told_of = [f"[{position}] " for position in ledger.positions[trusted:]]
        handovers: list[str] = verdict["handovers"]
        assert [line[: line.index(" ") + 1] for line in handovers] == told_of
        assert [line.split(" ")[2] for line in handovers] == ledger.vkeys[trusted + 1 :]
        assert ("\nCheckpoint key handed over: [" in told(verdict, 0)) is bool(told_of)
        assert ("\nKhoá điểm chốt được bàn giao: [" in told(verdict, 1)) is bool(told_of)


def test_a_checkpoint_before_the_rotation_stays_with_the_old_key(ledger: Rotated) -> None:
    """The file of that time holds no rotation; whom trusts the new key only, it says nothing."""
    old = ledger.hospital.checkpoint
    size = len(ledger.prover.builder.events)
    ledger.rotate()
    ledger.sign_with(old)
    subject = ledger.prover.record().subject
    evidence = ledger.prover.build(subject, ledger.prover.note(size))
    assert ledger.check(evidence, ledger.vkeys[0])["handovers"] == []
    assert ledger.refusal(evidence, ledger.vkeys[1]).code == "wrong-ledger"


def test_the_old_key_signs_nothing_above_its_rotation(ledger: Rotated) -> None:
    """A thief of the old key: the file shows the rotation, or has an event taken out of it."""
    old = ledger.hospital.checkpoint
    ledger.rotate()
    ledger.sign_with(old)
    evidence = ledger.prover.record()
    for vkey in ledger.vkeys:
        refused = ledger.refusal(evidence, vkey)
        assert refused.code == "checkpoint-unsigned"
        assert ledger.vkeys[1] in refused.detail


def test_a_lost_key_hands_nothing_over(ledger: Rotated) -> None:
    """Two registrars replaced it: the old key proves nothing more, the new one, known, all."""
    ledger.rotate(lost=True)
    evidence = ledger.prover.record()
    refused = ledger.refusal(evidence, ledger.vkeys[0])
    assert (refused.code, refused.position) == ("handover-invalid", ledger.positions[0])
    assert f"{ledger.vkeys[0]} did not sign the handover to {ledger.vkeys[1]}" in refused.detail
    verdict = ledger.check(evidence, ledger.vkeys[1])
    assert (verdict["ok"], verdict["handovers"]) == (True, [])
    ledger.rotate()
    evidence = ledger.prover.record()
    assert ledger.refusal(evidence, ledger.vkeys[0]).code == "handover-invalid"
    assert ledger.check(evidence, ledger.vkeys[1])["ok"] is True


def test_a_gap_in_the_chain_of_keys_is_refused(ledger: Rotated) -> None:
    """The second key signed the handover to the third; without its own rotation nobody knows it."""
    ledger.rotate()
    ledger.rotate()
    evidence = ledger.prover.record()
    gap = without(evidence, ledger.positions[0])
    assert ledger.refusal(gap, ledger.vkeys[0]).code == "handover-invalid"
    assert ledger.refusal(gap, ledger.vkeys[1]).code == "wrong-ledger"
    both = without(gap, ledger.positions[1])
    assert ledger.refusal(both, ledger.vkeys[0]).code == "checkpoint-unsigned"
    assert ledger.refusal(both, ledger.vkeys[2]).code == "wrong-ledger"


def test_a_rotation_is_an_event_like_others(ledger: Rotated) -> None:
    """Its content is the one signed and entered; a handover to another key is none to this one."""
    ledger.rotate()
    ledger.rotate()
    evidence = ledger.prover.record()
    first, second = (index_of(evidence, position) for position in ledger.positions)
    content, salt = evidence.events[second].content, evidence.events[second].salt
    swapped = changed(evidence, first, content=content, salt=salt)
    assert ledger.refusal(swapped, ledger.vkeys[0]).code == "handover-invalid"
    assert ledger.refusal(swapped, ledger.vkeys[2]).code == "content-mismatch"
    hidden = changed(evidence, first, content=msgspec.UNSET, salt=msgspec.UNSET)
    assert ledger.refusal(hidden, ledger.vkeys[0]).code == "content-missing"
    document = msgspec.json.decode(evidence.events[first].content or b"", type=dict[str, str])
    document["checkpoint_key"] = ledger.vkeys[2]
    forged = changed(evidence, first, content=msgspec.json.encode(document))
    refused = ledger.refusal(forged, ledger.vkeys[0])
    assert (refused.code, refused.detail) == (
        "handover-invalid",
        "not a handover to the key that is named",
    )


def test_no_doctor_replaces_the_checkpoint_key(ledger: Rotated) -> None:
    """Not even with the old key's handover."""
    registrar, ledger.hospital.registrar = ledger.hospital.registrar, ledger.hospital.doctor
    ledger.hospital.rotate()
    ledger.hospital.registrar = registrar
    ledger.hospital.builder.commit()
    ledger.sign_with(ledger.hospital.checkpoint)
    refused = ledger.refusal(ledger.prover.record(), ledger.vkeys[0])
    assert (refused.code, refused.position) == ("role-not-valid", ledger.positions[0])
