"""An auditor's note key: two files that belong together."""

from pathlib import Path

import pytest

from api.keystore import KeyStore
from api.note_keys import NoteKeys
from ledger.errors import EnvironmentRefusedError
from signing.errors import MalformedKeyError
from signing.notes import parse_note, sign_note, verify_note

NAME = "so-y-te.example/auditor"


def test_a_key_is_made_found_and_signs_under_its_name(tmp_path: Path) -> None:
    keys = NoteKeys(tmp_path / "keys")
    vkey = keys.create("auditor", NAME)
    assert vkey.name == NAME
    [verifier] = keys.verifiers()
    assert verifier.vkey == vkey
    for signer in (keys.signer(None), keys.signer("auditor")):
        verify_note(parse_note(sign_note("a\n", signer)), [verifier])
    assert (tmp_path / "keys" / "auditor.vkey").read_text() == f"{vkey}\n"
    assert (tmp_path / "keys" / "auditor.pem").stat().st_mode & 0o777 == 0o600


def test_an_existing_key_is_never_replaced(tmp_path: Path) -> None:
    keys = NoteKeys(tmp_path)
    vkey = keys.create("auditor", NAME)
    with pytest.raises(EnvironmentRefusedError, match="there is a key already"):
        keys.create("auditor", NAME)
    assert keys.signer(None).verifier.vkey == vkey


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "x" * 300])
def test_an_impossible_name_leaves_no_key_behind(name: str, tmp_path: Path) -> None:
    with pytest.raises(MalformedKeyError):
        NoteKeys(tmp_path).create("auditor", name)
    assert list(tmp_path.iterdir()) == []


def test_without_a_choice_there_must_be_one_key(tmp_path: Path) -> None:
    keys = NoteKeys(tmp_path)
    with pytest.raises(EnvironmentRefusedError, match="0 note keys"):
        keys.signer(None)
    first, second = keys.create("a", "a.example"), keys.create("b", "b.example")
    with pytest.raises(EnvironmentRefusedError, match="2 note keys"):
        keys.signer(None)
    assert [one.vkey for one in keys.verifiers()] == [first, second]


def test_a_key_that_is_not_for_notes_signs_none(tmp_path: Path) -> None:
    """A key of staff, or the ledger's checkpoint key, has no `.vkey` beside it."""
    KeyStore(tmp_path).load_or_create("checkpoint", "EdDSA")
    with pytest.raises(EnvironmentRefusedError, match="no note key checkpoint"):
        NoteKeys(tmp_path).signer("checkpoint")


def test_halves_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    keys = NoteKeys(tmp_path)
    keys.create("a", "a.example")
    keys.create("b", "b.example")
    (tmp_path / "b.vkey").write_bytes((tmp_path / "a.vkey").read_bytes())
    with pytest.raises(EnvironmentRefusedError, match="of another key"):
        keys.signer("b")
    (tmp_path / "b.vkey").write_bytes(b"\xff")
    with pytest.raises(EnvironmentRefusedError, match="holds no verifier key"):
        keys.verifiers()
    KeyStore(tmp_path).load_or_create("c", "ES256")
    (tmp_path / "c.vkey").write_bytes((tmp_path / "a.vkey").read_bytes())
    with pytest.raises(EnvironmentRefusedError, match="no Ed25519 key"):
        keys.signer("c")
