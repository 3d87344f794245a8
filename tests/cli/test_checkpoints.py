"""`checkpoint`, `tiles export` and `verify --checkpoint`, as operators and auditors use them."""

from pathlib import Path

from ledger.database import Database
from signing.checkpoints import parse_checkpoint
from signing.notes import parse_note
from tests.cli.facility import Facility


def test_a_checkpoint_is_signed_exported_kept_and_held_against_the_ledger(
    own_facility: Facility, tmp_path: Path
) -> None:
    """From signing to the auditor who comes back after the tail was cut off."""
    signed = own_facility("checkpoint", "--once")
    kept = tmp_path / "kept"
    kept.write_text(signed.out)
    size = parse_checkpoint(parse_note(kept.read_bytes()).text).size
    report = own_facility("verify", "--checkpoint", kept, "--json").json
    assert report["anchors"] == [{"kind": "checkpoints", "count": 1, "size": size}]
    assert report["size"] == size

    exported = own_facility("tiles", "export", tmp_path / "mirror")
    assert str(size) in exported.out
    assert (tmp_path / "mirror" / "checkpoint").read_bytes() == kept.read_bytes()
    assert own_facility("tiles", "export", tmp_path / "mirror").code == 0

    _cut_the_tail(own_facility, size - 1)
    found = own_facility("verify", "--checkpoint", kept, "--json")
    assert found.code == 1
    assert "checkpoint-inconsistent" in found.out
    refused = own_facility("checkpoint", "--once")
    assert (refused.code, "FINDING" in refused.out) == (1, True)
    assert "nothing was signed" in refused.err


def _cut_the_tail(facility: Facility, size: int) -> None:
    """Delete the last events, as a superuser can."""
    database = Database(facility.variables["CLINLEDGER_DATABASE_URL"])
    with database.connect("owner") as connection:
        connection.execute("SET session_replication_role = replica")
        for table in ("entry", "sealed"):
            connection.execute(
                f"DELETE FROM ledger.{table} WHERE position >= %s",  # noqa: S608 - a constant
                (size,),
            )


def test_what_is_needed_and_not_there_is_told(own_facility: Facility, tmp_path: Path) -> None:
    """Exit 2: nothing published yet, no such file, a state that is missing."""
    early = own_facility("tiles", "export", tmp_path / "mirror")
    assert (early.code, "no checkpoint was published" in early.err) == (2, True)
    assert own_facility("verify", "--checkpoint", tmp_path / "none").code == 2
    assert own_facility("checkpoint", "--once").code == 0

    home = Path(own_facility.variables["CLINLEDGER_HOME"])
    (home / "checkpoint" / "ledger.state").unlink()
    missing = own_facility("checkpoint", "--once")
    assert (missing.code, "--new-state" in missing.err) == (2, True)
    assert own_facility("checkpoint", "--once", "--new-state", "disk replaced").code == 0
    decisions = (home / "checkpoint" / "ledger.state.decisions").read_text()
    assert "disk replaced" in decisions

    (home / "keys" / "checkpoint.pem").unlink()
    keyless = own_facility("checkpoint", "--once")
    assert (keyless.code, "no checkpoint key" in keyless.err) == (2, True)


def test_a_ledger_whose_own_key_is_lost_gets_another(own_facility: Facility) -> None:
    """A registrar enrols it; verification recomputes what it says."""
    assert own_facility("heads").code == 0
    keys = own_facility.home / "keys"
    staff = set(own_facility.registrars)
    staff |= {own_facility.doctor, own_facility.nurse, own_facility.analyser}
    (own,) = {path.stem for path in keys.glob("*.pem")} - staff - {"checkpoint"}
    (keys / f"{own}.pem").unlink()
    lost = own_facility("heads")
    assert (lost.code, "--enrol" in lost.err) == (2, True)

    enrolled = own_facility("heads", "--enrol")
    assert enrolled.code == 0, enrolled.err
    assert own not in enrolled.out
    size = own_facility("verify", "--json").json["size"]
    assert f"heads published at position {size - 1}" in enrolled.out

    again = own_facility("heads", "--enrol")  # there is nothing to enrol any more
    assert again.out.splitlines()[0] == enrolled.out.splitlines()[0]
    assert own_facility("verify", "--json").json["size"] == size + 1
    assert own_facility("checkpoint", "--once").code == 0
