"""`verify --note` and `--since`: an auditor's work from one year to the next."""

import json
from pathlib import Path

import pytest

from ledger.database import Database
from signing.notes import Ed25519Verifier
from signing.verified import verify_verified
from signing.vkeys import parse_vkey
from tests.cli.facility import Facility
from tests.cli.shell import ORIGIN, Shell

NAME = "so-y-te.example/auditor"


@pytest.fixture
def auditor(facility: Facility, tmp_path: Path) -> Shell:
    """An auditor's own home, with the facility key and a note key."""
    shell = facility.elsewhere(tmp_path / "auditor")
    assert shell("key", "new", "auditor", "--note", NAME).code == 0
    return shell


def test_an_auditor_signs_what_was_verified_and_rests_on_it_next_time(
    auditor: Shell, facility: Facility, tmp_path: Path
) -> None:
    note, again = tmp_path / "2025.note", tmp_path / "2026.note"
    first = auditor("verify", "--note", note, "--json").json
    vkey = (auditor.home / "keys" / "auditor.vkey").read_text().strip()
    said, _ = verify_verified(note.read_bytes(), [Ed25519Verifier(parse_vkey(vkey))])
    assert (said.origin, said.size, said.root.hex()) == (ORIGIN, first["size"], first["root"])
    assert (said.start, said.signatures, said.rules, said.contents) == (0, True, True, True)

    facility.write_note()
    facility.write_note()
    second = auditor("verify", "--since", note, "--sample", "3", "--note", again, "--json").json
    assert second["ok"]
    assert second["size"] == first["size"] + 2
    assert 2 + 3 <= second["signatures_checked"] < second["entries_checked"]
    assert second["anchors"] == [{"kind": "notes", "count": 1, "size": first["size"]}]
    assert second["since"]["by"] == NAME
    assert (second["since"]["sampled"], second["since"]["seed_given"]) == (3, False)
    said, _ = verify_verified(again.read_bytes(), [Ed25519Verifier(parse_vkey(vkey))])
    assert (said.size, said.start) == (second["size"], first["size"])
    third = auditor("verify", "--since", again, "--trust", vkey, "--sample", "0")
    assert "0 of these" in third.out
    assert f"{second['size']} entries rest on the note of {NAME}" in third.out


def test_each_run_draws_anew_and_its_seed_draws_the_same_again(
    auditor: Shell, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    assert auditor("verify", "--note", note).code == 0
    drawn = [auditor("verify", "--since", note, "--json").json["since"] for _ in range(2)]
    assert drawn[0]["seed"] != drawn[1]["seed"]
    assert drawn[0]["sampled"] == drawn[0]["size"]  # a small ledger is sampled whole
    again = auditor("verify", "--since", note, "--seed", drawn[0]["seed"], "--json").json["since"]
    assert again == {**drawn[0], "seed_given": True}


def test_a_note_says_no_more_than_was_checked(auditor: Shell, tmp_path: Path) -> None:
    """Neither then, nor what an earlier note did not say."""
    entries, all_of_it = tmp_path / "entries.note", tmp_path / "all.note"
    assert auditor("verify", "--hashes-only", "--note", entries).code == 0
    assert "signatures no\nrules no\ncontents no\n" in entries.read_text()
    assert auditor("verify", "--since", entries, "--note", all_of_it).code == 0
    assert "signatures no\nrules no\ncontents no\n" in all_of_it.read_text()


def test_the_page_for_people_says_what_rests_on_the_note(auditor: Shell, tmp_path: Path) -> None:
    note, page = tmp_path / "note", tmp_path / "report.html"
    assert auditor("verify", "--note", note).code == 0
    assert auditor("verify", "--since", note, "--report", page).code == 0
    assert f"by the note of {NAME}" in page.read_text(encoding="utf-8")


def test_with_findings_no_note_is_written_and_an_earlier_one_stays(
    own_facility: Facility, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    assert own_facility("key", "new", "auditor", "--note", NAME).code == 0
    assert own_facility("verify", "--note", note).code == 0
    before = note.read_bytes()
    database = Database(own_facility.variables["CLINLEDGER_DATABASE_URL"])
    with database.connect("owner") as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE ledger.entry SET version = 9 WHERE position = 3")
    found = own_facility("verify", "--since", note, "--note", note, "--json")
    assert found.code == 1
    assert "version-gap" in {finding["code"] for finding in json.loads(found.out)["findings"]}
    assert "no note was written" in found.err
    assert note.read_bytes() == before
    assert [path.name for path in tmp_path.glob("note*")] == ["note"]


def test_a_note_that_is_not_the_auditors_is_a_usage_error(
    auditor: Shell, facility: Facility, tmp_path: Path
) -> None:
    """Exit 2, and nothing that looks like a verdict."""
    note = tmp_path / "note"
    assert auditor("verify", "--note", note).code == 0
    stranger = facility.elsewhere(tmp_path / "stranger")
    unknown = stranger("verify", "--since", note)
    assert (unknown.code, unknown.out) == (2, "")
    assert "--trust" in unknown.err
    assert stranger("key", "new", "auditor", "--note", NAME).code == 0
    refused = stranger("verify", "--since", note)
    assert (refused.code, refused.out) == (2, "")
    assert "note-not-signed" in refused.err
    note.write_bytes(note.read_bytes().replace(b"from 0", b"from 1"))
    assert "signature-invalid" in auditor("verify", "--since", note).err
    assert auditor("verify", "--since", tmp_path / "none").code == 2


def test_the_ledgers_own_key_signs_no_note(auditor: Shell, tmp_path: Path) -> None:
    """Not as the key that it is, and not under another name."""
    note = tmp_path / "note"
    refused = auditor("verify", "--note", note, "--key", "checkpoint")
    assert (refused.code, "no note key checkpoint" in refused.err) == (2, True)
    assert auditor("key", "new", "named-so", "--note", ORIGIN).code == 0
    refused = auditor("verify", "--note", note, "--key", "named-so")
    assert (refused.code, "key-is-the-ledgers" in refused.err) == (2, True)
    assert not note.exists()


@pytest.mark.parametrize(
    "options",
    [
        ("--sample", "5"),
        ("--seed", "00" * 32),
        ("--since", "NOTE", "--sample", "many"),
        ("--since", "NOTE", "--seed", "AB" * 32),
        ("--since", "NOTE", "--seed", "00"),
        ("--since", "NOTE", "--trust", "no key"),
        ("--since", "NOTE", "--record", "01980000-0000-7000-8000-000000000001"),
        ("--note", "NOTE", "--record", "01980000-0000-7000-8000-000000000001"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    auditor: Shell, tmp_path: Path, options: tuple[str, ...]
) -> None:
    note = tmp_path / "note"
    assert auditor("verify", "--note", note).code == 0
    given = [str(note) if option == "NOTE" else option for option in options]
    answer = auditor("verify", *given)
    assert (answer.code, answer.out) == (2, "")


def test_a_note_key_is_made_once_under_a_possible_name(auditor: Shell) -> None:
    again = auditor("key", "new", "auditor", "--note", NAME)
    assert (again.code, "there is a key already" in again.err) == (2, True)
    assert auditor("key", "new", "other", "--note", "two words").code == 2
