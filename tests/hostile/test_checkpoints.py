"""A past that contradicts a checkpoint: one that somebody kept, or one that is still stored."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ledger.errors import EnvironmentRefusedError
from signing.checkpoints import Checkpoint, sign_checkpoint
from signing.keys import SoftKey
from signing.notes import Ed25519Signer
from tests.attack import Attack, found
from tests.checkpointed import CHECKPOINT_SIZES, store_checkpoints

CODE = "checkpoint-inconsistent"


def _keep(
    attack: Attack, folder: Path, sizes: Sequence[int], *, key: SoftKey | None = None
) -> tuple[Path, ...]:
    """Write checkpoints as an auditor would have kept them."""
    builder = attack.hospital.builder
    signer = Ed25519Signer(builder.origin, key or attack.hospital.checkpoint)
    paths: list[Path] = []
    for size in sizes:
        checkpoint = Checkpoint(origin=builder.origin, size=size, root=builder.roots[size])
        paths.append(folder / f"checkpoint-{size}")
        paths[-1].write_bytes(sign_checkpoint(checkpoint, signer))
    return tuple(paths)


def test_checkpoints_of_the_true_past_are_anchors(attack: Attack, tmp_path: Path) -> None:
    """Any number of them; the report names the largest size."""
    kept = _keep(attack, tmp_path, (1, 255, 256, 257, 260))

    report = attack.verify(checkpoints=kept)

    assert report.findings == ()
    assert report.notes == ()
    (anchor,) = report.anchors
    assert (anchor.kind, anchor.count, anchor.size) == ("checkpoints", 5, 260)


def test_a_kept_checkpoint_needs_no_facility_key(attack: Attack, tmp_path: Path) -> None:
    """An outside auditor has neither."""
    kept = _keep(attack, tmp_path, (260,))
    attack.truncate(250)
    attack.cover_up()

    assert found(attack.verify(checkpoints=kept, hashes_only=True), CODE) == [250]


def test_attack_10_a_tail_cut_off_with_its_head_is_found_by_a_kept_checkpoint(
    attack: Attack, tmp_path: Path
) -> None:
    """The position is where the ledger ends now."""
    kept = _keep(attack, tmp_path, (250, 255, 260))
    attack.truncate(252)
    attack.cover_up()

    assert attack.verify().ok
    assert found(attack.verify(checkpoints=kept), CODE) == [252]


def test_attack_11_a_tail_grown_again_is_found_by_a_kept_checkpoint(
    attack: Attack, tmp_path: Path
) -> None:
    """Those from before the fork still fit, which brackets it."""
    kept = _keep(attack, tmp_path, (240, 250, 255, 260))
    attack.truncate(250)
    attack.cover_up()
    attack.rewind(250)
    for _ in range(30):
        attack.hospital.note(attack.hospital.other, text="Khác.")
    attack.hospital.builder.commit()

    assert attack.verify().ok
    assert found(attack.verify(checkpoints=kept), CODE) == [254, 259]


def test_a_kept_checkpoint_by_another_key_is_found(attack: Attack, tmp_path: Path) -> None:
    """Attack 43: a new ledger of the same origin has another checkpoint key."""
    kept = _keep(attack, tmp_path, (260,), key=SoftKey.generate("EdDSA"))

    assert found(attack.verify(checkpoints=kept), CODE) == [259]


@pytest.mark.parametrize("data", [b"", b"no note", b"a\n1\nx\n\n\xe2\x80\x94 a AAAAAAAA\n"])
def test_what_is_no_checkpoint_is_refused_and_not_a_finding(
    attack: Attack, tmp_path: Path, data: bytes
) -> None:
    """Wrong usage, exit 2."""
    path = tmp_path / "checkpoint"
    path.write_bytes(data)

    with pytest.raises(EnvironmentRefusedError, match="no signed checkpoint"):
        attack.verify(checkpoints=(path,))
    with pytest.raises(EnvironmentRefusedError, match="cannot be read"):
        attack.verify(checkpoints=(tmp_path / "missing",))


def test_stored_checkpoints_find_a_cut_tail_as_long_as_they_are_there(attack: Attack) -> None:
    """Whoever cuts the tail must cut these too; then only what was kept elsewhere helps."""
    store_checkpoints(attack.hospital, CHECKPOINT_SIZES)
    assert attack.verify().ok
    attack.truncate(200)
    attack.cover_up()

    assert found(attack.verify(), CODE) == [200]

    for table in ("checkpoint", "publication"):
        attack.run(attack.only("DELETE FROM {ledger}.TABLE WHERE size > 200", table))
    assert attack.verify().ok


def test_attack_36_a_fork_signed_with_the_stolen_key_contradicts_earlier_checkpoints(
    attack: Attack, tmp_path: Path
) -> None:
    """The thief rewrites everything consistently, and stores checkpoints of his own making."""
    kept = _keep(attack, tmp_path, (200, 256, 260))
    attack.truncate(250)
    attack.cover_up()
    attack.rewind(250)
    for _ in range(30):
        attack.hospital.note(attack.hospital.other, text="Khác.")
    attack.hospital.builder.commit()
    store_checkpoints(attack.hospital, (250, 260, 280))

    assert attack.verify().ok
    assert found(attack.verify(checkpoints=kept), CODE) == [255, 259]


def _rotated(attack: Attack, *, lost: bool) -> SoftKey:
    """Rotate the key at position 260 and go on to 265 events; return the old key."""
    old = attack.hospital.rotate(lost=lost)
    for _ in range(4):
        attack.hospital.note(attack.hospital.other)
    attack.hospital.builder.commit()
    return old


@pytest.mark.parametrize("lost", [False, True], ids=["planned", "lost"])
def test_attack_36_after_its_rotation_the_stolen_key_signs_nothing_that_is_accepted(
    attack: Attack, tmp_path: Path, *, lost: bool
) -> None:
    """Not even the true tree, above the rotation's position; what it signed before stays good."""
    old = _rotated(attack, lost=lost)
    before = _keep(attack, tmp_path, (1, 200, 259, 260), key=old)
    after = _keep(attack, tmp_path, (261, 262, 265))

    assert attack.verify(checkpoints=(*before, *after)).ok
    assert attack.verify(checkpoints=(*before, *after), keyring=False).ok

    stolen = _keep(attack, tmp_path, (260, 261, 265), key=old)
    for keyring in (True, False):
        report = attack.verify(checkpoints=stolen, keyring=keyring)
        assert found(report, CODE) == [260, 264]
    assert "checkpoint-key-not-in-force" in report.findings[0].detail


def test_attack_36_a_fork_above_the_rotation_is_not_accepted_under_the_stolen_key(
    attack: Attack,
) -> None:
    """The thief rewrites what came after, consistently, and stores checkpoints of his own."""
    old = _rotated(attack, lost=False)
    attack.truncate(261)
    attack.cover_up()
    attack.rewind(261)
    for _ in range(9):
        attack.hospital.note(attack.hospital.other, text="Khác.")
    attack.hospital.builder.commit()
    attack.hospital.checkpoint = old
    store_checkpoints(attack.hospital, (200, 260, 262, 270))

    assert found(attack.verify(), CODE) == [261, 269]


def test_attack_36_the_new_key_does_not_sign_what_was_before_it(
    attack: Attack, tmp_path: Path
) -> None:
    """So a thief of the new key has no past to rewrite."""
    _rotated(attack, lost=False)
    kept = _keep(attack, tmp_path, (100, 260, 261))

    assert found(attack.verify(checkpoints=kept), CODE) == [99, 259]


def test_attack_36_the_stolen_key_hands_over_to_nobody(attack: Attack, tmp_path: Path) -> None:
    """A rotation that the rules refuse, put in past the sequencer, gives no key."""
    old = _rotated(attack, lost=False)
    attack.hospital.checkpoint = old
    attack.hospital.rotate()
    attack.hospital.builder.commit()
    kept = _keep(attack, tmp_path, (266,))

    for keyring in (True, False):
        report = attack.verify(checkpoints=kept, keyring=keyring)
        assert found(report, "rule-broken") == [265]
        assert found(report, CODE) == [265]


def test_attack_36_whoever_is_no_registrar_makes_none_to_rotate_with(
    attack: Attack, tmp_path: Path
) -> None:
    """Also an auditor without the facility key sees that a doctor granted the role."""
    hospital, builder = attack.hospital, attack.hospital.builder
    for member in (hospital.doctor, hospital.nurse):
        builder.add(
            "role-granted.v1", hospital.doctor, stream=member.staff, content={"role": "registrar"}
        )
    hospital.registrar, hospital.second = hospital.doctor, hospital.nurse
    hospital.rotate(lost=True)
    builder.commit()
    kept = _keep(attack, tmp_path, (263,))

    for keyring in (True, False):
        report = attack.verify(checkpoints=kept, keyring=keyring)
        assert found(report, "role-not-valid")[:2] == [260, 261]
        assert found(report, CODE) == [262]


def test_attack_28_an_exchanged_note_is_found(attack: Attack) -> None:
    """A true checkpoint in another's place is stored by another size."""
    store_checkpoints(attack.hospital, CHECKPOINT_SIZES)
    attack.run(
        "UPDATE {ledger}.publication SET note = (SELECT note FROM {ledger}.checkpoint"
        " WHERE number = 1) WHERE number = 4"
    )

    assert found(attack.verify(), "column-mismatch") == [0]


def test_a_stored_checkpoint_that_is_missing_is_found(attack: Attack) -> None:
    """Their numbers have no gaps."""
    store_checkpoints(attack.hospital, CHECKPOINT_SIZES)
    attack.run("DELETE FROM {ledger}.checkpoint WHERE number = 2")

    assert found(attack.verify(), CODE) == [199]


def test_a_stored_checkpoint_that_the_ledger_did_not_sign_is_found(attack: Attack) -> None:
    """Nobody forges one without the key."""
    attack.hospital.checkpoint = SoftKey.generate("EdDSA")
    store_checkpoints(attack.hospital, (100,))

    assert found(attack.verify(), CODE) == [99]
