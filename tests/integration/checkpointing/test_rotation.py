"""The signer follows the ledger's own word on which key signs, through every way to stop it."""

from pathlib import Path

import msgspec
import pytest

from ledger.checkpointing.follower import InconsistentLedgerError
from ledger.checkpointing.signer import SignerRefusedError
from ledger.errors import CorruptionError
from ledger.open_directory import read_checkpoint_keys
from ledger.store import EntryStore
from ledger.tile_export import export_tiles
from ledger.tiles import StoredTiles
from signing.checkpoints import verify_checkpoint
from signing.errors import UnknownKeyError
from signing.keys import SoftKey
from signing.notes import Ed25519Signer
from tests.attack import Attack
from tests.checkpointed import Checkpointed, LosingState, LosingTable, Lost


def _signed_by(signed: Checkpointed, key: SoftKey) -> None:
    """Demand that the newest stored checkpoint is of the whole ledger and by this key."""
    newest = signed.table.newest()
    assert newest is not None
    verifier = Ed25519Signer(signed.hospital.builder.origin, key).verifier
    assert verify_checkpoint(newest.note, (verifier,)).checkpoint == signed.checkpoint(signed.size)


@pytest.mark.parametrize("lost", [False, True], ids=["planned", "lost"])
def test_a_running_signer_goes_on_with_the_new_key(signed: Checkpointed, *, lost: bool) -> None:
    """It holds both while the key is replaced; nothing has to be started again."""
    new = SoftKey.generate("EdDSA")
    signed.keys.append(new)
    old = signed.hospital.checkpoint
    checkpointer = signed.start()
    checkpointer.sign_new()
    _signed_by(signed, old)
    signed.hospital.rotate(lost=lost, new=new)
    signed.notes(2)

    state = checkpointer.sign_new()

    assert state is not None
    assert signed.saved() == state
    _signed_by(signed, new)
    assert signed.verify().findings == ()


def test_the_key_is_replaced_exactly_at_its_event(signed: Checkpointed) -> None:
    """What was signed just before it is by the old key, what is signed just after by the new."""
    old = signed.hospital.checkpoint
    checkpointer = signed.start()
    checkpointer.sign_new()
    _signed_by(signed, old)
    new = signed.rotate()

    with pytest.raises(SignerRefusedError, match=f"in force since position {signed.size - 1}"):
        checkpointer.sign_new()
    _start_and_sign(signed)

    _signed_by(signed, new)
    assert signed.verify().findings == ()


def _start_and_sign(signed: Checkpointed) -> None:
    signed.start().sign_new()


def test_without_the_new_key_nothing_is_signed_any_more(signed: Checkpointed) -> None:
    """Above all not with the old one."""
    signed.start().sign_new()
    old = signed.hospital.checkpoint
    signed.rotate()
    signed.notes(3)

    for _ in range(2):
        with pytest.raises(SignerRefusedError, match="is not here"):
            signed.start(key=old)
    assert signed.saved().checkpoint.size == 40


@pytest.mark.parametrize("lost", [False, True], ids=["planned", "lost"])
def test_a_signer_starts_with_the_new_key_alone(signed: Checkpointed, *, lost: bool) -> None:
    """The old file may be gone: its state is checked by the ledger's own chain of keys."""
    signed.start().sign_new()
    new = signed.rotate(lost=lost)

    state = signed.start(key=new).sign_new()

    assert state is not None
    _signed_by(signed, new)
    assert signed.verify().findings == ()


def test_with_the_new_key_alone_a_rewritten_past_is_refused_all_the_same(
    signed: Checkpointed, attack: Attack
) -> None:
    """The state's own signature cannot be checked by a key that is here; its tree can."""
    signed.start().sign_new()
    new = signed.rotate()
    attack.set_entry(30, received_at_ms=attack.events[30].received_at_ms + 1)
    attack.cover_up()

    with pytest.raises(InconsistentLedgerError):
        signed.start(key=new)

    assert signed.saved().checkpoint.size == 40


def test_with_the_new_key_alone_a_ledger_set_back_is_refused_all_the_same(
    signed: Checkpointed, attack: Attack
) -> None:
    """Whoever restores a backup from before the rotation has not the old key's word any more."""
    signed.start().sign_new()
    new = signed.rotate()
    attack.truncate(35)
    attack.cover_up()

    with pytest.raises(InconsistentLedgerError, match="40 were signed"):
        signed.start(key=new)


def test_a_state_that_the_new_key_signed_too_early_is_refused(signed: Checkpointed) -> None:
    """A thief of the new key cannot pass a checkpoint of the past for the signer's own."""
    signed.start().sign_new()
    new = signed.rotate()
    saved = signed.saved()
    note = signed.sign(saved.checkpoint, new)
    signed.file.save(msgspec.structs.replace(saved, note=note))

    with pytest.raises(SignerRefusedError, match="checkpoint-key-not-in-force"):
        signed.start()


def test_a_checkpoint_by_the_old_key_is_not_published_after_the_rotation(
    signed: Checkpointed,
) -> None:
    """Not even of the true tree."""
    old = signed.hospital.checkpoint
    signed.rotate()
    checkpointer = signed.start()
    checkpointer.sign_new()
    stolen = signed.sign(signed.checkpoint(signed.size), old)

    with pytest.raises(UnknownKeyError, match="checkpoint-key-not-in-force"):
        checkpointer.publish(stolen, signed.table)


def test_a_stored_checkpoint_by_the_old_key_stops_the_signer(signed: Checkpointed) -> None:
    """Somebody who had the old key wrote to the table."""
    old = signed.hospital.checkpoint
    signed.rotate()
    signed.store(signed.sign(signed.checkpoint(41), old), size=41)

    with pytest.raises(InconsistentLedgerError, match="checkpoint-key-not-in-force"):
        signed.start(new_state="lost")


def test_a_state_is_begun_anew_from_a_checkpoint_of_the_lost_key(signed: Checkpointed) -> None:
    """State and key lost together: the stored note stands by itself."""
    signed.start().sign_new()
    new = signed.rotate(lost=True)
    signed.file.path.unlink()

    signed.start(key=new, new_state="machine lost").sign_new()

    _signed_by(signed, new)
    assert signed.verify().findings == ()


@pytest.mark.parametrize("happens", [False, True], ids=["did not happen", "happened"])
def test_a_death_at_the_first_checkpoint_of_the_new_key_is_made_good(
    signed: Checkpointed, *, happens: bool
) -> None:
    """At saving the state, and at storing the note."""
    signed.start().sign_new()
    new = signed.rotate()
    with pytest.raises(Lost):
        signed.start(state=LosingState(signed.file, happens=happens)).sign_new()
    signed.notes(1)
    with pytest.raises(Lost):
        signed.start(wrap=lambda table: LosingTable(table, happens=happens)).sign_new()

    signed.notes(1)
    _start_and_sign(signed)

    _signed_by(signed, new)
    assert signed.verify().findings == ()


def test_a_mirror_goes_on_across_the_rotation(signed: Checkpointed, tmp_path: Path) -> None:
    """Its checkpoint is by the old key, the new one by the new."""
    old = signed.hospital.checkpoint
    _export(signed, tmp_path, signed.sign(signed.checkpoint(40)))
    signed.rotate()
    signed.notes(3)
    _export(signed, tmp_path, signed.sign(signed.checkpoint(44)))

    with pytest.raises(UnknownKeyError, match="checkpoint-key-not-in-force"):
        _export(signed, tmp_path, signed.sign(signed.checkpoint(44), old))


def _export(signed: Checkpointed, folder: Path, note: bytes) -> None:
    connection = signed.connect()
    source = StoredTiles(EntryStore(connection, signed.database), connection, signed.database)
    export_tiles(folder, note, source, keys=signed.chain)


def test_the_chain_is_read_without_the_facility_key(signed: Checkpointed) -> None:
    """By whoever mirrors, in the role of an auditor."""
    first = str(signed.signer.verifier.vkey)
    signed.rotate()
    second = str(signed.signer.verifier.vkey)
    signed.notes(1)
    signed.rotate(lost=True)
    third = str(signed.signer.verifier.vkey)

    with signed.database.connect("auditor") as connection:
        keys = read_checkpoint_keys(connection, signed.database)

    assert [(key.position, key.vkey) for key in keys] == [(0, first), (40, second), (42, third)]


def test_a_rotation_that_nobody_signed_gives_no_key(signed: Checkpointed, attack: Attack) -> None:
    """A superuser can write one, with every digest right; a mirror does not believe it."""
    signed.rotate()
    attack.hospital.builder.events[:] = signed.hospital.builder.events
    attack.rewrite_statement(40, occurred_at="2026-01-01T00:00:00.000Z")
    attack.cover_up()

    with pytest.raises(CorruptionError, match="signature-invalid at position 40"):
        assert signed.chain


def test_a_rotation_that_the_rules_refuse_gives_no_key(signed: Checkpointed) -> None:
    """By a registrar alone, with a key that is not in force."""
    signed.hospital.checkpoint = SoftKey.generate("EdDSA")
    signed.rotate()

    with pytest.raises(CorruptionError, match="handover-signature"):
        assert signed.chain
    with pytest.raises(InconsistentLedgerError, match="handover-signature"):
        signed.start()
