"""`checkpoint rotate`: the key is replaced once, whatever interrupts the command."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from api.author import Author
from api.cli.client import read_directory
from api.keystore import KeyStore
from api.local_client import LocalLedgerClient
from api.rotation import (
    PendingEvent,
    Rotation,
    append_once,
    prepare_key,
    rotation_document,
    sign_rotation,
)
from ledger.checkpoint_keys import CheckpointKey
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.founding import open_keyring
from ledger.open_directory import read_checkpoint_keys
from ledger.reader import LedgerReader
from ledger.store import EntryStore
from signing.checkpoints import verify_checkpoint
from signing.keys import SoftKey
from signing.notes import Ed25519Verifier
from signing.vkeys import parse_vkey
from tests.cli.facility import Facility

REASON = ("--reason", "Thay khóa định kỳ.")


def _rotate(facility: Facility, *options: str) -> str:
    """Rotate; return the new verifier key."""
    answer = facility("checkpoint", "rotate", *(options or REASON))
    assert answer.code == 0, answer.err
    return answer.out.splitlines()[-1]


def _sign(facility: Facility, folder: Path, name: str) -> Path:
    """Sign what is new; return the file of the published checkpoint."""
    answer = facility("checkpoint", "--once")
    assert answer.code == 0, answer.err
    (folder / name).write_text(answer.out)
    return folder / name


def _is_signed_by(path: Path, vkey: str) -> bool:
    verifier = Ed25519Verifier(parse_vkey(vkey))
    return bool(verify_checkpoint(path.read_bytes(), (verifier,)).verified)


def _chain(facility: Facility) -> list[CheckpointKey]:
    database = Database(facility.variables["CLINLEDGER_DATABASE_URL"])
    with database.connect("auditor") as connection:
        return list(read_checkpoint_keys(connection, database))


def test_the_key_is_replaced_and_every_checkpoint_stays_good(
    own_facility: Facility, tmp_path: Path
) -> None:
    """Two kept checkpoints, two keys, one ledger; mirrors go on as well."""
    first = _sign(own_facility, tmp_path, "first")
    assert own_facility("tiles", "export", tmp_path / "mirror").code == 0
    announced = own_facility("checkpoint", "rotate", "--prepare").text

    new = _rotate(own_facility)

    assert new == announced
    path = own_facility.home / "keys" / "checkpoint-2.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    second = _sign(own_facility, tmp_path, "second")
    old, current = _chain(own_facility)
    assert _is_signed_by(first, old.vkey)
    assert _is_signed_by(second, current.vkey)
    assert (current.vkey, current.position) == (
        new,
        own_facility("verify", "--json").json["size"] - 1,
    )
    kept = ("--checkpoint", first, "--checkpoint", second)
    assert own_facility("verify", *kept).code == 0
    assert own_facility("tiles", "export", tmp_path / "mirror").code == 0
    assert (tmp_path / "mirror" / "checkpoint").read_bytes() == second.read_bytes()


def test_after_the_rotation_the_old_file_may_be_destroyed(
    own_facility: Facility, tmp_path: Path
) -> None:
    """And the key can be replaced again."""
    keys = own_facility.home / "keys"
    _sign(own_facility, tmp_path, "first")
    _rotate(own_facility)
    _sign(own_facility, tmp_path, "second")
    (keys / "checkpoint.pem").unlink()
    _rotate(own_facility)
    (keys / "checkpoint-2.pem").unlink()

    third = _sign(own_facility, tmp_path, "third")

    assert _is_signed_by(third, _chain(own_facility)[2].vkey)
    assert own_facility("verify", "--checkpoint", tmp_path / "first").code == 0


def test_a_lost_key_is_replaced_by_two_registrars(own_facility: Facility, tmp_path: Path) -> None:
    """The command says so when the key is not there; one person is never enough."""
    _sign(own_facility, tmp_path, "first")
    (own_facility.home / "keys" / "checkpoint.pem").unlink()
    missing = own_facility("checkpoint", "rotate", *REASON)
    assert (missing.code, "--lost --second" in missing.err) == (2, True)
    alone = own_facility("checkpoint", "rotate", *REASON, "--lost")
    assert (alone.code, "--second" in alone.err) == (2, True)
    first, second = own_facility.registrars
    same = own_facility(
        "checkpoint", "rotate", *REASON, "--lost", "--second", second, "--by", second
    )
    assert (same.code, "second-not-valid" in same.err) == (1, True)
    doctor = own_facility(
        "checkpoint", "rotate", *REASON, "--lost", "--second", own_facility.doctor
    )
    assert (doctor.code, "second-not-valid" in doctor.err) == (1, True)

    _rotate(own_facility, *REASON, "--lost", "--second", first)

    assert _is_signed_by(_sign(own_facility, tmp_path, "second"), _chain(own_facility)[1].vkey)
    assert own_facility("verify", "--checkpoint", tmp_path / "first").code == 0


@pytest.mark.parametrize("lost", [False, True], ids=["planned", "lost"])
def test_evidence_made_after_the_rotation_follows_the_chain_of_keys(
    own_facility: Facility, tmp_path: Path, *, lost: bool
) -> None:
    """Whoever holds the first key alone follows a handover by it, but not two people's word."""
    second = ("--lost", "--second", own_facility.registrars[0]) if lost else ()
    new = _rotate(own_facility, *REASON, *second)
    old = _chain(own_facility)[0].vkey
    _sign(own_facility, tmp_path, "second")
    file = tmp_path / "record.clinledger-evidence"
    made = own_facility("prove", "--record", own_facility.record, "--output", file)
    assert made.code == 0, made.err

    checked = {key: own_facility("check", file, "--trust", key).code for key in (old, new)}

    assert checked == {old: 1 if lost else 0, new: 0}


def test_what_the_ledger_refuses_can_be_tried_again(own_facility: Facility) -> None:
    """Nothing of it is left but the new key's file."""
    refused = own_facility("checkpoint", "rotate", *REASON, "--by", own_facility.doctor)
    assert (refused.code, "role-not-valid" in refused.err) == (1, True)
    assert not (own_facility.home / "checkpoint" / "ledger.rotation").exists()

    _rotate(own_facility)

    assert len(_chain(own_facility)) == 2


def test_without_its_key_the_signer_refuses_and_says_which(
    own_facility: Facility, tmp_path: Path
) -> None:
    """The signer runs elsewhere, and nobody brought the new file there."""
    _sign(own_facility, tmp_path, "first")
    _rotate(own_facility)
    path = own_facility.home / "keys" / "checkpoint-2.pem"
    path.rename(tmp_path / "checkpoint-2.pem")
    position = _chain(own_facility)[1].position

    refused = own_facility("checkpoint", "--once")

    assert refused.code == 2
    assert f"in force since position {position} is not here" in refused.err
    checks = {check["name"]: check for check in own_facility("doctor", "--json").json["checks"]}
    assert checks["checkpoints"]["state"] == "warning"
    assert f"number 2, in force since position {position}" in checks["checkpoints"]["detail"]
    (tmp_path / "checkpoint-2.pem").rename(path)
    assert own_facility("checkpoint", "--once").code == 0


class _Interrupted:
    """The command's own steps on a facility, as far as a test lets them come."""

    def __init__(self, facility: Facility) -> None:
        self.home = facility.home
        self.keys = KeyStore(facility.home / "keys")
        self.pending = PendingEvent(facility.home / "checkpoint" / "ledger.rotation")
        self.database = Database(facility.variables["CLINLEDGER_DATABASE_URL"])
        self.registrar = facility.registrars[0]
        with self.database.connect("reader") as connection:
            self.keyring = open_keyring(EntryStore(connection, self.database), self.home)
            self.directory = read_directory(LedgerReader(connection, self.database, self.keyring))

    def make_key(self) -> None:
        """Die after the new key was made."""
        prepare_key(self.keys, self.directory)

    def sign(self) -> None:
        """Die after the event was signed and kept."""
        asyncio.run(self._write(append=False))

    def append(self) -> None:
        """Die after the event was appended, before the answer came."""
        asyncio.run(self._write(append=True))

    async def _write(self, *, append: bool) -> None:
        client = await LocalLedgerClient.start(
            self.database, self.keyring, clock=SystemClock(), where="a test"
        )
        key = self.keys.load(self.registrar)
        assert key is not None
        author = Author(client, self.registrar, key, clock=SystemClock())
        document = rotation_document(self.keys, self.directory, Rotation(reason="Một."))
        facility = self.directory.facility
        event = await sign_rotation(author, document, facility=facility, pending=self.pending)
        if append:
            await append_once(client, event, self.pending)
            self.pending.save(event)
        await client.close()


@pytest.mark.parametrize(
    "step",
    [_Interrupted.make_key, _Interrupted.sign, _Interrupted.append],
    ids=["key made", "event signed", "event appended"],
)
def test_a_repeated_command_finishes_what_was_interrupted(
    own_facility: Facility, tmp_path: Path, step: Callable[[_Interrupted], None]
) -> None:
    """One event, one new key, whichever step was the last; and no trace is left."""
    _sign(own_facility, tmp_path, "first")
    step(_Interrupted(own_facility))

    new = _rotate(own_facility)

    assert [key.vkey for key in _chain(own_facility)][1:] == [new]
    assert not (own_facility.home / "checkpoint" / "ledger.rotation").exists()
    assert not (own_facility.home / "keys" / "checkpoint-3.pem").exists()
    assert _is_signed_by(_sign(own_facility, tmp_path, "second"), new)
    assert own_facility("verify").code == 0


def test_an_interrupted_rotation_that_is_refused_meanwhile_is_given_up(
    own_facility: Facility,
) -> None:
    """Somebody else was faster; the next command begins anew."""
    interrupted = _Interrupted(own_facility)
    interrupted.sign()
    kept = interrupted.pending.path.rename(interrupted.pending.path.with_name("elsewhere"))
    interrupted.keys.path("checkpoint-2").unlink()
    _rotate(own_facility)
    kept.rename(interrupted.pending.path)

    refused = own_facility("checkpoint", "rotate", *REASON)

    assert (refused.code, "handover-signature" in refused.err) == (1, True)
    _rotate(own_facility)
    assert len(_chain(own_facility)) == 3


def test_a_file_that_is_no_event_is_told(own_facility: Facility) -> None:
    """It is not passed over."""
    path = own_facility.home / "checkpoint" / "ledger.rotation"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"{}")

    broken = own_facility("checkpoint", "rotate", *REASON)

    assert (broken.code, "cannot be read" in broken.err) == (2, True)


def test_a_key_of_another_kind_in_the_next_files_place_is_refused(own_facility: Facility) -> None:
    """Nothing is signed with it, nor is it replaced."""
    path = own_facility.home / "keys" / "checkpoint-2.pem"
    path.write_bytes(SoftKey.generate("ES256").to_pem(None))
    path.chmod(0o600)

    refused = own_facility("checkpoint", "rotate", *REASON)

    assert refused.code == 2
    assert len(_chain(own_facility)) == 1
