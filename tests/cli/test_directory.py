"""`init`, `staff`, `key` and `token`."""

import base64
import json
import stat
from pathlib import Path

import pytest

from tests.cli.facility import Facility
from tests.cli.shell import ORIGIN, Shell

TWO = ("--registrar", "Trần Thị Bình", "--registrar", "Lê Văn Cường")


def _is_private(path: Path) -> bool:
    return stat.S_IMODE(path.stat().st_mode) == 0o600


def test_init_founds_a_ledger_and_says_where_the_keys_are(shell: Shell) -> None:
    """Facility key, checkpoint key, the ledger's own, one per registrar: for their owners only."""
    answer = shell("init", ORIGIN, *TWO)
    assert answer.code == 0, answer.err
    assert f"ledger {ORIGIN} is founded" in answer.out
    keys = shell.home / "keys"
    assert str(keys / "facility.key") in answer.err
    names = {path.name for path in keys.iterdir()}
    assert len(names) == 5
    assert {"facility.key", "checkpoint.pem"} < names
    assert all(map(_is_private, keys.iterdir()))
    assert shell("verify", "--json").json["size"] == 6


def test_heads_can_be_published_from_the_first_hour(shell: Shell) -> None:
    """The ledger's own key is enrolled by `init`: nobody need think of it."""
    assert shell("init", ORIGIN, *TWO).code == 0
    assert "heads published at position 6" in shell("heads").out
    assert shell("verify", "--json").json["ok"]


def test_init_can_put_the_other_registrars_keys_elsewhere(shell: Shell, tmp_path: Path) -> None:
    """So that only the first registrar's key is ever on this machine."""
    answer = shell("init", ORIGIN, *TWO, "--offline", tmp_path / "stick", "--json").json
    first, second = answer["registrars"]
    assert [path.name for path in (tmp_path / "stick").iterdir()] == [f"{second}.pem"]
    assert _is_private(tmp_path / "stick" / f"{second}.pem")
    assert (shell.home / "keys" / f"{first}.pem").exists()
    assert not (shell.home / "keys" / f"{second}.pem").exists()


def test_a_second_init_is_refused_and_changes_nothing(own_facility: Facility) -> None:
    """A schema holds one ledger."""
    before = own_facility("verify", "--json").json
    answer = own_facility("init", "other.example/ledger", *TWO)
    assert (answer.code, "holds a ledger already" in answer.err) == (2, True)
    again = own_facility("init", ORIGIN, *TWO)
    assert (again.code, "holds a ledger already" in again.err) == (2, True)
    three = own_facility("init", ORIGIN, *TWO, "--registrar", "Đỗ Thị Ba")
    assert (three.code, "founded with 2 registrars" in three.err) == (2, True)
    assert own_facility("verify", "--json").json["root"] == before["root"]


@pytest.mark.parametrize("origin", ["", "BVDK.example", "bvdk quangninh", "a.example//b", "-a"])
def test_a_bad_origin_is_refused_before_anything_is_written(shell: Shell, origin: str) -> None:
    """The same schema can be founded afterwards."""
    assert shell("init", *TWO, "--", origin).code == 2
    assert not shell.home.exists()
    assert shell("init", ORIGIN, *TWO).code == 0


def test_a_ledger_has_two_registrars(shell: Shell) -> None:
    """One of them is the way back when the other's key is lost."""
    answer = shell("init", ORIGIN, "--registrar", "Trần Thị Bình")
    assert (answer.code, "two registrars" in answer.err) == (2, True)


def test_staff_enrol_prints_the_id_alone(facility: Facility) -> None:
    """For $(...); as JSON it is `{"staff"}`."""
    options = ("--name", "Đỗ Thị Lan", "--code", "DD-08")
    assert len(facility("staff", "enrol", *options).text) == 36
    assert set(facility("staff", "enrol", *options, "--json").json) == {"staff"}


def test_staff_list_has_names_roles_and_valid_keys(facility: Facility) -> None:
    """One line each; `--json` for programs."""
    rows = {row["staff"]: row for row in facility("staff", "list", "--json").json["staff"]}
    assert rows[facility.doctor] == {
        "staff": facility.doctor,
        "kind": "practitioner",
        "name": "Nguyễn Thị Hoa",
        "roles": ["doctor"],
        "keys": 1,
    }
    assert rows[facility.analyser]["kind"] == "device"
    assert f"{facility.doctor}  practitioner  doctor" in facility("staff", "list").out


def test_roles_are_granted_and_withdrawn(facility: Facility) -> None:
    """And neither twice."""
    staff = facility("staff", "enrol", "--name", "Bùi Văn Nam", "--code", "BS-9").text
    for command, code in (("grant", 0), ("grant", 1), ("withdraw", 0), ("withdraw", 1)):
        assert facility("staff", command, staff, "pharmacist").code == code


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("staff", "enrol", "--name", "A"), 2, "--licence"),
        (("staff", "grant", "not-an-id", "doctor"), 2, "UUID"),
        (("staff", "grant", "{unknown}", "doctor"), 1, "stream-unknown"),
        (("staff", "grant", "{doctor}", "wizard"), 1, "refused"),
        (("staff", "grant", "{doctor}", "ledger"), 1, "role-kind"),
        (("staff", "grant", "{doctor}", "monitor"), 1, "role-kind"),
        (("staff", "grant", "{doctor}", "nurse", "--by", "{nurse}"), 1, "role-not-valid"),
        (("staff", "grant", "{doctor}", "nurse", "--by", "{unknown}"), 2, "no key named"),
        (("key", "new", "../escape"), 2, "letters"),
        (("key", "new", "{doctor}"), 2, "there is a key already"),
        (("key", "new", "new-key", "--alg", "none"), 2, "--alg"),
        (("key", "new", "new-key", "--alg", "RS256"), 2, "--alg"),
        (("key", "enrol", "{doctor}", "--key", "nobody"), 2, "no key named nobody"),
        (("key", "enrol", "{doctor}"), 1, "key-already-enrolled"),
        (("key", "enrol", "{nurse}", "--key", "{doctor}"), 1, "refused: key-"),
        (("key", "list", "{unknown}"), 1, "staff-unknown"),
        (("key", "revoke", "{doctor}", "00"), 1, "refused"),
        (("key", "revoke", "{doctor}", "{hash}"), 1, "key-unknown"),
        (("key", "revoke", "{unknown}"), 1, "staff-unknown"),
        (("token", "--staff", "{unknown}"), 2, "no key named"),
        (("token", "--role", "pharmacist"), 2, "no key of a pharmacist"),
        (("token", "--role", "wizard"), 2, "--role"),
    ],
)
def test_what_registrars_get_wrong_is_named(
    facility: Facility, arguments: tuple[str, ...], exit_code: int, words: str
) -> None:
    """1 when the ledger refuses, 2 when the command cannot be meant."""
    names = {
        "doctor": facility.doctor,
        "nurse": facility.nurse,
        "unknown": "01234567-89ab-7def-8123-456789abcdef",
        "hash": "0" * 64,
    }
    answer = facility(*(argument.format(**names) for argument in arguments))
    assert answer.code == exit_code, answer.err
    assert words in answer.err
    assert "Traceback" not in answer.err


def test_a_revoked_key_is_replaced_by_one_of_another_name(facility: Facility) -> None:
    """The commands find the valid key by themselves, whatever its file is called."""
    staff = facility.enrol("Hồ Thị Mai", "--code", "DD-10", role="nurse")
    revoked = facility("key", "revoke", staff, "--reason", "lost")
    assert revoked.code == 0, revoked.err
    none_left = facility("key", "revoke", staff)
    assert (none_left.code, "0 valid keys" in none_left.err) == (2, True)
    assert facility("key", "new", f"{staff}-2", "--alg", "ES384").code == 0
    assert facility("key", "enrol", staff, "--key", f"{staff}-2").code == 0
    old, new = facility("key", "list", staff, "--json").json["keys"]
    assert set(old) == {"key_id", "alg", "enrolled_at_position", "revoked_at_position"}
    assert old["revoked_at_position"] > old["enrolled_at_position"]
    assert (new["alg"], new["revoked_at_position"]) == ("ES384", None)
    assert f"{old['key_id']} is revoked" in revoked.out
    header = facility("token", "--staff", staff).text.split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == "ES384"


def test_a_token_is_three_parts_and_nothing_else(facility: Facility) -> None:
    """So that `TOKEN=$(clinledger token)` is all."""
    assert facility("token").text.count(".") == 2
    assert facility("token", "--role", "nurse").text.count(".") == 2


def test_key_files_that_others_may_read_are_not_used(own_facility: Facility) -> None:
    """Said with the remedy, by the commands that need the key and by `doctor`."""
    path = own_facility.home / "keys" / f"{own_facility.doctor}.pem"
    path.chmod(0o644)
    answer = own_facility("token", "--staff", own_facility.doctor)
    assert (answer.code, "chmod 600" in answer.err) == (2, True)
    assert own_facility("doctor").code == 1


def test_a_damaged_key_file_is_named(own_facility: Facility) -> None:
    """Nothing of it is quoted."""
    path = own_facility.home / "keys" / f"{own_facility.doctor}.pem"
    path.write_text("-----BEGIN PRIVATE KEY-----\nsecret\n")
    answer = own_facility("token", "--staff", own_facility.doctor)
    assert (answer.code, str(path) in answer.err) == (2, True)
    assert "secret" not in answer.err
