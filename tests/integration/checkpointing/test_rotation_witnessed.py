"""Witnesses and the ledger's own policy while the checkpoint key is replaced."""

from pathlib import Path

import pytest

from api.checkpoint.rounds import Rounds
from api.checkpoint.status import read_status
from api.witness.rules import WitnessedLog
from ledger.checkpointing.follower import InconsistentLedgerError
from signing.checkpoints import verify_checkpoint
from signing.keys import SoftKey
from signing.notes import Ed25519Signer, NoteVerifier, parse_note
from tests.attack import Attack
from tests.checkpoint_process import NAMES, Process
from tests.checkpointed import Checkpointed


async def _once(rounds: Rounds) -> None:
    await rounds.once()


def _process(signed: Checkpointed, folder: Path, *told: str) -> tuple[Process, SoftKey]:
    """Return a process whose named witnesses were told the next key, and that key."""
    new = SoftKey.generate("EdDSA")
    process = Process(signed, folder)
    origin = signed.hospital.builder.origin
    keys: tuple[NoteVerifier, ...] = (
        signed.signer.verifier,
        Ed25519Signer(origin, new).verifier,
    )
    for name in told:
        (folder / f"{name}.sqlite").unlink()
        process.net.serve(name, signed, folder, log=WitnessedLog(origin=origin, keys=keys))
    return process, new


def _rotate(signed: Checkpointed, new: SoftKey) -> None:
    signed.hospital.rotate(new=new)
    signed.keys.append(new)
    signed.notes(2)


def test_witnesses_that_were_told_cosign_under_both_keys(
    signed: Checkpointed, tmp_path: Path
) -> None:
    """One history; the ledger's own policy names the old key only, and that does no harm."""
    process, new = _process(signed, tmp_path, *NAMES)
    process.run(_once)
    _rotate(signed, new)

    process.run(_once)

    published = process.published()
    verifier = Ed25519Signer(signed.hospital.builder.origin, new).verifier
    assert verify_checkpoint(published.note, (verifier,)).checkpoint.size == signed.size == 43
    assert len(parse_note(published.note).signatures) == 1 + len(NAMES)
    assert signed.verify().findings == ()


def test_a_witness_that_was_not_told_stops_nothing(signed: Checkpointed, tmp_path: Path) -> None:
    """It answers 403; what the others cosigned is published."""
    process, new = _process(signed, tmp_path, NAMES[0])
    process.run(_once)
    _rotate(signed, new)

    process.run(_once)

    origin = signed.hospital.builder.origin
    assert [process.net.size(name, origin) for name in NAMES] == [43, 40]
    assert len(parse_note(process.published().note).signatures) == 2
    status = read_status(process.status)
    assert status is not None
    assert status.state == "ok"


def test_a_fork_without_the_rotation_is_refused_by_witnesses_that_know_both_keys(
    signed: Checkpointed, attack: Attack, tmp_path: Path
) -> None:
    """Attack 36: with the stolen old key, database and signer's state set back to before it."""
    process, new = _process(signed, tmp_path, *NAMES)
    old = signed.hospital.checkpoint
    process.run(_once)
    state = signed.file.path.read_bytes()
    _rotate(signed, new)
    process.run(_once)

    attack.truncate(40)
    attack.cover_up()
    attack.run(attack.only("DELETE FROM {ledger}.TABLE WHERE size > 40", "checkpoint"))
    attack.run(attack.only("DELETE FROM {ledger}.TABLE WHERE size > 40", "publication"))
    signed.file.path.write_bytes(state)
    signed.keys = [old]

    with pytest.raises(InconsistentLedgerError, match="has cosigned size 43"):
        process.run(_once)
