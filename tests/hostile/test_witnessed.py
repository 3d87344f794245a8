"""The hospital itself lies, checkpoint key in hand (T3), and even its witnesses with it (T5)."""

from collections.abc import Generator
from pathlib import Path
from typing import Any, LiteralString

import msgspec
import pytest

from api.witness.request import format_add_checkpoint
from api.witness.rules import Answer, Witness, WitnessedLog
from api.witness.server import LogWatch
from api.witness.state import WitnessState
from ledger.checkpointing.follower import InconsistentLedgerError
from ledger.clock import SystemClock
from ledger.evidence.format import Evidence, Subject
from ledger.evidence.verify_evidence import Policy, RefusedError
from ledger.merkle import consistency_proof
from signing.checkpoints import Checkpoint
from signing.cosignatures import Cosigner
from signing.notes import add_signatures
from tests.attack import Attack, found
from tests.checkpointed import CHECKPOINT_SIZES, Checkpointed, store_checkpoints
from tests.evidence_files import COSIGNED_SECONDS, Prover

INCONSISTENT = "checkpoint-inconsistent"
FORK = 250
"""From here on the hospital rewrites its ledger."""


class Scene:
    """A hospital with a witness that knows its ledger at 260 events, and what an auditor kept."""

    def __init__(self, attack: Attack, folder: Path) -> None:
        self.attack = attack
        self.prover = Prover(attack.hospital)
        self.kept = folder / "kept-260"
        self.kept.write_bytes(self.prover.note())
        self.acks = attack.acks(folder)
        self.evidence = self.prover.event(attack.events[255].event_id)
        self.state = WitnessState.create(folder / "witness.sqlite")
        verifier = self.prover.signer.verifier
        self.witness = Witness(
            logs=[WitnessedLog(origin=verifier.vkey.name, keys=(verifier,))],
            cosigners=[self.prover.witnesses[0]],
            state=self.state,
            clock=SystemClock(),
            watch=LogWatch(),
        )
        assert self.ask(0, self.prover.note()).status == 200

    def ask(self, old: int, note: bytes) -> Answer:
        """Ask the witness for a cosignature, with the best proof that there is."""
        size = len(self.attack.events)
        proof = consistency_proof(self.prover.reader.store, old, size) if 0 < old < size else []
        return self.witness.add_checkpoint(
            format_add_checkpoint(old_size=old, proof=proof, signed=note)
        )

    def rewrite(self, *, events: int) -> None:
        """Rewrite from position 250 on, with the doctor's help: every hash and signature fits."""
        self.attack.truncate(FORK)
        self.attack.cover_up()
        self.attack.rewind(FORK)
        for _ in range(events):
            self.attack.hospital.note(self.attack.hospital.other, text="Khác.")
        self.attack.hospital.builder.commit()
        assert self.attack.verify().ok


@pytest.fixture
def scene(attack: Attack, tmp_path: Path) -> Generator[Scene]:
    """The hospital, its witness and its auditor."""
    setting = Scene(attack, tmp_path)
    yield setting
    setting.prover.close()


@pytest.mark.parametrize("events", [10, 30], ids=["the same size", "grown beyond it"])
def test_attack_36_a_past_rewritten_with_the_stolen_checkpoint_key_is_not_cosigned(
    scene: Scene, events: int
) -> None:
    """The witness keeps the proof; a kept checkpoint names the fork; old evidence still proves."""
    scene.rewrite(events=events)

    answer = scene.ask(260, scene.prover.note())

    assert answer.status in {409, 422}
    assert [refused.origin for refused in scene.state.refused()] == [scene.prover.builder.origin]
    report = scene.attack.verify(checkpoints=(scene.kept,), acks=scene.acks)
    assert found(report, INCONSISTENT) == [259]
    assert found(report, "acknowledged-missing") == list(range(FORK, 260))
    assert scene.prover.verdict(scene.evidence)["ok"] is True


def test_attack_13_two_views_of_one_size_are_not_both_cosigned(scene: Scene) -> None:
    """Clinicians see one ledger, the auditor another; the witness saw the first."""
    scene.rewrite(events=10)
    fork = scene.prover.note()

    assert scene.ask(260, fork).status == 422
    assert scene.ask(0, fork).status == 409
    assert found(scene.attack.verify(checkpoints=(scene.kept,)), INCONSISTENT) == [259]


def test_attack_14_a_frozen_head_shows_its_age(scene: Scene) -> None:
    """What is served for ever was cosigned then, and not since: the verdict says when."""
    prover = scene.prover
    old = prover.note(cosigned=2)
    scene.attack.hospital.note(scene.attack.hospital.other)
    scene.attack.hospital.builder.commit()
    subject = Subject(id=scene.attack.events[255].event_id, kind="event")

    frozen: Any = prover.verdict(prover.build(subject, old), Policy(prover.policy))

    assert frozen["size"] == 260
    assert set(frozen["witnesses"].values()) == {"2026-09-21T14:20:00.000Z"}


@pytest.mark.parametrize("table", ["checkpoint", "publication"])
def test_attack_28_a_changed_checkpoint_is_found(attack: Attack, table: LiteralString) -> None:
    """Each is signed; no bit of one can be changed."""
    store_checkpoints(attack.hospital, CHECKPOINT_SIZES)
    query = "UPDATE {ledger}.TABLE SET note = set_byte(note, 40, 90) WHERE size = 100"
    attack.run(attack.only(query, table))

    assert found(attack.verify(), INCONSISTENT) == [99]


def test_attack_28_a_cosignature_left_out_or_changed_is_missed_by_the_policy(
    scene: Scene,
) -> None:
    """Leaving it out makes nothing provable: it can only be missed."""
    prover = scene.prover
    subject = Subject(id=scene.attack.events[255].event_id, kind="event")
    policy = Policy(prover.policy)
    assert prover.verdict(prover.build(subject, prover.note(cosigned=2)), policy)["ok"] is True
    left_out = prover.build(subject, prover.note(cosigned=1))
    changed = _with_changed_end(prover.build(subject, prover.note(cosigned=2)))

    for evidence, code in ((left_out, "witnesses-missing"), (changed, "checkpoint-invalid")):
        with pytest.raises(RefusedError) as refused:
            prover.verdict(evidence, policy)
        assert refused.value.code == code


def test_attack_38_with_all_witnesses_in_it_only_what_others_kept_is_left(scene: Scene) -> None:
    """A quorum that cosigns anything makes the forgery look good to all who have nothing else."""
    scene.rewrite(events=10)
    prover = scene.prover
    forged = prover.build(
        Subject(id=scene.attack.events[255].event_id, kind="event"),
        _cosign(prover.note(), prover.witnesses),
    )

    assert prover.verdict(forged, Policy(prover.policy))["ok"] is True
    report = scene.attack.verify(acks=scene.acks)
    assert found(report, "acknowledged-missing") == list(range(FORK, 260))
    assert found(scene.attack.verify(checkpoints=(scene.kept,)), INCONSISTENT) == [259]


def test_attack_12_and_42_database_and_signer_set_back_together_meet_the_witness(
    scene: Scene, tmp_path: Path
) -> None:
    """Both have forgotten; the witness has not. The signer asks it before it signs."""
    attack = scene.attack
    signed = Checkpointed(attack.database, attack.hospital, tmp_path)
    attack.truncate(FORK)
    attack.cover_up()
    attack.rewind(FORK)
    signer = signed.start()
    signer.sign_new()
    latest = scene.state.latest(scene.prover.builder.origin)
    assert latest is not None
    remembered = Checkpoint(origin=scene.prover.builder.origin, size=latest.size, root=latest.root)

    assert attack.verify().ok
    with pytest.raises(InconsistentLedgerError, match="has cosigned size 260"):
        signer.check_witnessed(remembered, witness="so-y-te")
    signed.close()


def _with_changed_end(evidence: Evidence) -> Evidence:
    lines = evidence.checkpoint.splitlines(keepends=True)
    name, signature = lines[-1].rsplit(b" ", 1)
    other = b"A" if signature[40:41] != b"A" else b"B"
    lines[-1] = name + b" " + signature[:40] + other + signature[41:]
    return msgspec.structs.replace(evidence, checkpoint=b"".join(lines))


def _cosign(note: bytes, witnesses: list[Cosigner]) -> bytes:
    text = note.decode().split("\n\n")[0] + "\n"
    return add_signatures(note, [w.cosign(text, COSIGNED_SECONDS) for w in witnesses])
