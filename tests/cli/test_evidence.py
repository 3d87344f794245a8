"""`prove` and `check`: from the hospital's machine to a laptop without any ledger."""

from pathlib import Path

import pytest

from api.checkpoint_keys import CHECKPOINT_KEY
from ledger.checkpointing.table import CheckpointTable, StoredCheckpoint
from ledger.database import Database
from ledger.founding import open_keyring
from ledger.reader import LedgerReader
from ledger.store import EntryStore
from signing.checkpoints import Checkpoint, sign_checkpoint
from signing.keys import SoftKey
from signing.notes import Ed25519Signer
from tests.cli.facility import Facility
from tests.cli.shell import ORIGIN, PATIENT_NAME, Shell

NO_SUCH = "01980000-0000-7000-8000-00000000ffff"


def sign_head(facility: Facility) -> str:
    """Sign and store the present head with the facility's key; return the key for auditors."""
    pem = (facility.home / "keys" / f"{CHECKPOINT_KEY}.pem").read_bytes()
    signer = Ed25519Signer(ORIGIN, SoftKey.from_pem(pem, None))
    database = Database(facility.variables["CLINLEDGER_DATABASE_URL"], "ledger")
    with database.connect("owner") as connection:
        keyring = open_keyring(EntryStore(connection, database), facility.home)
        head = LedgerReader(connection, database, keyring).head()
        table = CheckpointTable(connection, database)
        newest = table.newest()
        note = sign_checkpoint(Checkpoint(origin=ORIGIN, size=head.size, root=head.root), signer)
        number = 1 if newest is None else newest.number + 1
        table.add(StoredCheckpoint(number=number, size=head.size, note=note))
    return str(signer.verifier.vkey)


@pytest.fixture
def laptop(tmp_path: Path) -> Shell:
    """A shell somewhere else: no ledger, no keys, no database."""
    return Shell(tmp_path / "nothing", None)


def test_a_record_is_proven_on_a_machine_without_the_ledger(
    own_facility: Facility, laptop: Shell, tmp_path: Path
) -> None:
    """Promise 5, with the two commands that people type."""
    note_id = own_facility.write_note()
    genesis = own_facility("verify", "--json").json["genesis"]
    output = tmp_path / "a.clinledger-evidence"
    arguments = ("prove", "--record", own_facility.record, "-o", output)
    assert own_facility(*arguments).code == 2  # no checkpoint yet
    assert not output.exists()
    vkey = sign_head(own_facility)
    assert own_facility(*arguments).code == 0
    assert output.stat().st_mode & 0o777 == 0o600
    verdict = laptop("check", output, "--trust", vkey, "--genesis", genesis, "--json").json
    assert verdict["ok"] is True
    assert note_id in [event["event_id"] for event in verdict["events"]]
    answer = laptop("check", output, "--trust", vkey)
    assert answer.code == 0
    assert "PROVEN" in answer.out
    assert "ĐÃ CHỨNG MINH" in answer.out
    assert "Nguyễn Thị Hoa" in answer.out
    only = laptop("check", output, "--trust", vkey, "--lang", "vi").out
    assert "PROVEN" not in only


def test_one_event_is_proven_without_its_content(
    own_facility: Facility, laptop: Shell, tmp_path: Path
) -> None:
    """The file then says nothing of the patient."""
    vkey = sign_head(own_facility)
    listed = own_facility("history", own_facility.record, "--json").json
    event_id = listed["events"][0]["event_id"]
    output = tmp_path / "event.clinledger-evidence"
    assert own_facility("prove", event_id, "--without-content", "-o", output).code == 0
    verdict = laptop("check", output, "--trust", vkey, "--json").json
    assert verdict["events"][0]["content"] is None
    assert PATIENT_NAME not in laptop("check", output, "--trust", vkey).out


def test_a_changed_file_is_refused_with_exit_1(
    own_facility: Facility, laptop: Shell, tmp_path: Path
) -> None:
    """And says why, on stdout."""
    vkey = sign_head(own_facility)
    output = tmp_path / "a.clinledger-evidence"
    assert own_facility("prove", "--record", own_facility.record, "-o", output).code == 0
    output.write_bytes(output.read_bytes().replace(b'"version":1', b'"version":2', 1))
    answer = laptop("check", output, "--trust", vkey)
    assert answer.code == 1
    assert "REFUSED" in answer.out
    assert "link-broken" in answer.out


def test_wrong_usage_is_told_from_a_refusal(
    facility: Facility, laptop: Shell, tmp_path: Path
) -> None:
    """Exit 2 for usage and environment, 1 for what is not in the ledger."""
    vkey = sign_head(facility)
    output = tmp_path / "x"
    assert facility("prove", "-o", output).code == 2
    assert facility("prove", NO_SUCH, "--record", NO_SUCH, "-o", output).code == 2
    assert facility("prove", "no-id", "-o", output).code == 2
    assert facility("prove", NO_SUCH, "-o", output).code == 1
    assert facility("prove", "--record", facility.record, "-o", tmp_path / "no" / "x").code == 2
    assert laptop("check", output, "--trust", vkey).code == 2
    output.write_bytes(b"{}")
    assert laptop("check", output, "--trust", "x").code == 2
    assert laptop("check", output).code == 2
    assert laptop("check", output, "--trust", vkey).code == 1
