"""Signing checkpoints: what continues the last one is signed, anything else never."""

from collections.abc import Callable

import msgspec
import pytest

from ledger.checkpointing.follower import InconsistentLedgerError
from ledger.checkpointing.signer import SignerRefusedError
from ledger.checkpointing.table import Checkpoints
from ledger.errors import EnvironmentRefusedError
from signing.checkpoints import verify_checkpoint
from signing.keys import SoftKey
from tests.attack import Attack
from tests.checkpointed import Checkpointed, LosingState, LosingTable, Lost


def test_what_is_new_is_verified_signed_saved_and_stored(signed: Checkpointed) -> None:
    """The state file and the table agree, and the note is the ledger's."""
    checkpointer = signed.start()
    first = checkpointer.sign_new()
    signed.notes(5)
    second = checkpointer.sign_new()

    stored = signed.table.newest()
    assert first is not None
    assert second is not None
    assert stored is not None
    assert (first.checkpoint, second.checkpoint) == (signed.checkpoint(40), signed.checkpoint(45))
    assert (stored.number, stored.size, stored.note) == (2, 45, second.note)
    assert signed.saved() == second
    assert verify_checkpoint(second.note, (signed.signer.verifier,)).checkpoint.size == 45
    assert signed.verify().findings == ()


def test_nothing_new_is_not_signed_again(signed: Checkpointed) -> None:
    """One checkpoint for each size."""
    checkpointer = signed.start()

    assert checkpointer.sign_new() is not None
    assert checkpointer.sign_new() is None
    assert signed.start().sign_new() is None


def test_a_restarted_signer_goes_on_from_its_own_last_checkpoint(signed: Checkpointed) -> None:
    """Its file outlives the process."""
    signed.start().sign_new()
    signed.notes(300)

    state = signed.start().sign_new()

    assert state is not None
    assert state.checkpoint == signed.checkpoint(340)


@pytest.mark.parametrize("happens", [False, True], ids=["did not happen", "happened"])
@pytest.mark.parametrize("before", [False, True], ids=["the first", "a later one"])
def test_a_death_at_saving_the_state_is_made_good(
    signed: Checkpointed, *, happens: bool, before: bool
) -> None:
    """A signature is shown to nobody before the state is saved."""
    if before:
        signed.start().sign_new()
        signed.notes(3)
    with pytest.raises(Lost):
        signed.start(state=LosingState(signed.file, happens=happens)).sign_new()

    _check_continues(signed)


@pytest.mark.parametrize("happens", [False, True], ids=["did not happen", "happened"])
@pytest.mark.parametrize("before", [False, True], ids=["the first", "a later one"])
def test_a_death_at_storing_the_note_is_made_good(
    signed: Checkpointed, *, happens: bool, before: bool
) -> None:
    """What the state says was signed is stored at the next start."""
    if before:
        signed.start().sign_new()
        signed.notes(3)
    with pytest.raises(Lost):
        signed.start(wrap=_losing(happens=happens)).sign_new()

    _check_continues(signed)


def _losing(*, happens: bool) -> Callable[[Checkpoints], Checkpoints]:
    return lambda table: LosingTable(table, happens=happens)


def _check_continues(signed: Checkpointed) -> None:
    signed.start().sign_new()
    signed.notes(2)
    signed.start().sign_new()
    stored = signed.table.newest()
    assert stored is not None
    assert stored.size == signed.size == signed.saved().checkpoint.size
    assert signed.verify().findings == ()


def test_a_well_hashed_row_that_nobody_signed_is_never_signed(
    signed: Checkpointed, attack: Attack
) -> None:
    """Attack 39: whoever writes the database can compute every hash, but not a signature."""
    checkpointer = signed.start()
    checkpointer.sign_new()
    signed.notes(1)
    attack.rewrite_statement(40, occurred_at="2026-01-01T00:00:00.000Z")
    attack.cover_up()

    with pytest.raises(InconsistentLedgerError) as caught:
        checkpointer.sign_new()

    assert caught.value.findings[0].position == 40
    assert "signature-invalid" in {finding.code for finding in caught.value.findings}
    assert signed.saved().checkpoint.size == 40


def test_what_was_found_once_is_never_signed_over(signed: Checkpointed, attack: Attack) -> None:
    """Undoing the change in time does not help: somebody must look."""
    checkpointer = signed.start()
    signed.notes(1)
    attack.run("UPDATE {ledger}.entry SET link_salt = leaf_hash WHERE position = 40")
    for _ in range(2):
        with pytest.raises(InconsistentLedgerError, match="link-broken"):
            checkpointer.sign_new()


def test_a_rolled_back_database_is_not_signed(signed: Checkpointed, attack: Attack) -> None:
    """The state file is ahead of it."""
    signed.start().sign_new()
    attack.truncate(38)
    attack.cover_up()

    with pytest.raises(InconsistentLedgerError, match="40 were signed"):
        signed.start()


def test_a_rewritten_past_is_not_signed(signed: Checkpointed, attack: Attack) -> None:
    """Even when its own tail is grown again, longer than before."""
    signed.start().sign_new()
    attack.truncate(38)
    attack.cover_up()
    attack.rewind(38)
    signed.notes(10)

    with pytest.raises(InconsistentLedgerError, match="not those that were signed"):
        signed.start()


def test_a_row_set_back_under_a_running_signer_is_not_signed(
    signed: Checkpointed, attack: Attack
) -> None:
    """The head must not go back between two rounds either."""
    checkpointer = signed.start()
    checkpointer.sign_new()
    attack.truncate(38)
    attack.cover_up()

    with pytest.raises(InconsistentLedgerError, match="head-mismatch"):
        checkpointer.sign_new()


def test_a_missing_state_is_not_taken_for_a_first_start(signed: Checkpointed) -> None:
    """The table shows that there was one; beginning anew is somebody's recorded decision."""
    signed.start().sign_new()
    signed.file.path.unlink()

    with pytest.raises(SignerRefusedError, match="--new-state"):
        signed.start()

    signed.notes(1)
    signed.start(new_state="disk of the signer lost").sign_new()
    decisions = signed.file.path.with_name("ledger.state.decisions").read_text()
    assert '"size":40' in decisions
    assert "disk of the signer lost" in decisions
    assert signed.saved().checkpoint == signed.checkpoint(41)


def test_beginning_anew_on_another_tree_is_refused(signed: Checkpointed, attack: Attack) -> None:
    """A decision does not make a fork."""
    signed.start().sign_new()
    signed.file.path.unlink()
    attack.truncate(38)
    attack.cover_up()

    with pytest.raises(InconsistentLedgerError, match="stored checkpoint has 40"):
        signed.start(new_state="the database was restored")


def test_a_state_that_was_set_back_is_refused(signed: Checkpointed) -> None:
    """The table is ahead of it, which no crash can bring about."""
    signed.start().sign_new()
    old = signed.file.path.read_bytes()
    signed.notes(1)
    signed.start().sign_new()
    signed.file.path.write_bytes(old)

    with pytest.raises(InconsistentLedgerError, match="set back"):
        signed.start()


def test_another_key_than_the_founding_event_names_signs_nothing(signed: Checkpointed) -> None:
    """A wrong file in keys/ must not become a checkpoint."""
    with pytest.raises(SignerRefusedError, match="in force since founding is not here"):
        signed.start(key=SoftKey.generate("EdDSA"))


def test_a_state_by_another_key_is_refused(signed: Checkpointed) -> None:
    """It is read as strictly as anything from outside."""
    signed.start().sign_new()
    saved, other = signed.saved(), SoftKey.generate("EdDSA")
    note = signed.sign(saved.checkpoint, other)
    signed.file.save(msgspec.structs.replace(saved, note=note))

    for keys in (signed.held(signed.hospital.checkpoint), signed.held(*signed.keys, other)):
        with pytest.raises(SignerRefusedError, match="not signed by the key in force"):
            signed.start(keys=keys)


@pytest.mark.parametrize("damage", [b"", b"{}", b" ", b'{"format":"x"}'])
def test_a_damaged_state_is_refused(signed: Checkpointed, damage: bytes) -> None:
    """It is not taken for a missing one."""
    signed.start().sign_new()
    whole = signed.file.path.read_bytes()
    for data in (damage, whole + b"\n", whole[:-10], whole.replace(b'"peaks":["', b'"peaks":["00')):
        signed.file.path.write_bytes(data)
        with pytest.raises(EnvironmentRefusedError, match="no state"):
            signed.start()


def test_two_signers_of_one_home_exclude_each_other(signed: Checkpointed) -> None:
    """The lock ends with its process."""
    with (
        signed.file.locked(),
        pytest.raises(EnvironmentRefusedError, match="another checkpoint process"),
        signed.file.locked(),
    ):
        pass
    with signed.file.locked():
        pass


def test_two_signers_of_one_ledger_collide_in_the_table(signed: Checkpointed) -> None:
    """Two homes with one key: the second to store a number stops."""
    first, second = signed.start(), signed.start()
    first.sign_new()

    second.sign_new()
    signed.notes(1)
    first.sign_new()
    stored = signed.table.newest()
    assert stored is not None
    with pytest.raises(EnvironmentRefusedError, match="another process"):
        signed.table.add(stored)


def test_a_witness_that_is_ahead_stops_the_signer(signed: Checkpointed) -> None:
    """Database and state were both set back: attack 42."""
    checkpointer = signed.start()
    checkpointer.sign_new()
    checkpointer.check_witnessed(signed.checkpoint(40), witness="w1")
    checkpointer.check_witnessed(signed.checkpoint(12), witness="w1")
    signed.notes(2)

    with pytest.raises(InconsistentLedgerError, match="witness w1 has cosigned size 42"):
        checkpointer.check_witnessed(signed.checkpoint(42), witness="w1")
    with pytest.raises(InconsistentLedgerError):
        checkpointer.sign_new()


def test_a_witness_of_another_tree_stops_the_signer(signed: Checkpointed) -> None:
    """The fork is named by its size."""
    checkpointer = signed.start()
    checkpointer.sign_new()
    other = signed.checkpoint(20)

    with pytest.raises(InconsistentLedgerError, match="another tree"):
        checkpointer.check_witnessed(
            type(other)(origin=other.origin, size=30, root=other.root), witness="w1"
        )


def test_a_whole_ledger_is_followed_event_by_event(signed: Checkpointed) -> None:
    """Every size can be signed; what was signed before is not checked anew, and yet compared."""
    checkpointer = signed.start()
    for size in range(41, 50):
        signed.notes(1)
        state = checkpointer.sign_new()
        assert state is not None
        assert state.checkpoint == signed.checkpoint(size)
