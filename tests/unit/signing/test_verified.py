"""An auditor's note has one spelling and is the auditor's own."""

import msgspec
import pytest

from signing.checkpoints import Checkpoint, sign_checkpoint
from signing.errors import InvalidSignatureError, MalformedNoteError, UnknownKeyError
from signing.notes import Ed25519Signer, sign_note
from signing.verified import (
    VerifiedUpTo,
    format_verified,
    parse_verified,
    sign_verified,
    verify_verified,
)
from tests.noted import LOG_ORIGIN, log_signer, note_key

AUDITOR = Ed25519Signer("auditor.example/a", note_key("auditor.example/a"))
OTHER = Ed25519Signer("auditor.example/a", note_key("somebody else"))
SAID = VerifiedUpTo(
    origin=LOG_ORIGIN,
    size=1000,
    root=bytes(range(32)),
    start=640,
    signatures=True,
    rules=False,
    contents=True,
    at_ms=1_795_329_600_000,
)
TEXT = """clinledger/verified/v1
ledger.hospital-a.example/2026
1000
AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
from 640
signatures yes
rules no
contents yes
time 2026-11-22T06:40:00.000Z
"""


def test_a_note_says_of_what_and_how_far_something_was_verified() -> None:
    assert format_verified(SAID) == TEXT
    assert parse_verified(TEXT) == SAID
    note = sign_verified(SAID, AUDITOR)
    assert note.decode().startswith(TEXT + "\n\N{EM DASH} auditor.example/a ")
    assert verify_verified(note, [OTHER.verifier, AUDITOR.verifier]) == (SAID, AUDITOR.verifier)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("verified/v1", "verified/v2"),
        ("1000", "01000"),
        ("1000", "+1000"),
        ("1000", "639"),
        ("1000", str(2**63)),
        ("Hh8=", "Hh9="),
        ("Hh8=", ""),
        ("from 640", "from -1"),
        ("from 640", "640"),
        ("from 640", "from 640 "),
        ("signatures yes", "signatures Yes"),
        ("signatures yes", "signatures"),
        ("rules no\n", ""),
        ("rules no\n", "rules no\nrules no\n"),
        ("contents yes", "contents true"),
        ("signatures yes\nrules no", "rules no\nsignatures yes"),
        ("2026-11-22T06:40:00.000Z", "2026-11-31T06:40:00.000Z"),
        ("2026-11-22T06:40:00.000Z", "2026-11-22T06:40:00Z"),
        ("ledger.hospital-a.example/2026", ""),
        ("ledger.hospital-a.example/2026", "a b"),
        ("000Z\n", "000Z\n\n"),
        ("000Z\n", "000Z"),
        ("000Z\n", "000Z\nmore\n"),
    ],
)
def test_any_other_spelling_is_refused(old: str, new: str) -> None:
    changed = TEXT.replace(old, new, 1)
    assert changed != TEXT
    with pytest.raises(MalformedNoteError) as caught:
        parse_verified(changed)
    assert caught.value.code == "verified-malformed"


@pytest.mark.parametrize("member", [{"origin": "a\nb"}, {"root": b"short"}, {"start": 1001}])
def test_what_could_not_be_read_again_is_not_signed(member: dict[str, object]) -> None:
    with pytest.raises(MalformedNoteError, match="verified-malformed"):
        sign_verified(msgspec.structs.replace(SAID, **member), AUDITOR)


def test_a_note_by_somebody_else_is_refused() -> None:
    """Under the same name, with the name's own key id as well, and altered afterwards."""
    with pytest.raises(UnknownKeyError, match="note-not-signed"):
        verify_verified(sign_verified(SAID, OTHER), [AUDITOR.verifier])
    note = sign_verified(SAID, AUDITOR)
    with pytest.raises(InvalidSignatureError):
        verify_verified(note.replace(b"1000", b"1001", 1), [AUDITOR.verifier])
    with pytest.raises(UnknownKeyError, match="note-not-signed"):
        verify_verified(note, [])


def test_a_ledger_does_not_vouch_for_itself() -> None:
    """Its key is named by its origin; that neither signs nor is believed."""
    ledger = log_signer()
    with pytest.raises(UnknownKeyError, match="key-is-the-ledgers"):
        sign_verified(SAID, ledger)
    with pytest.raises(UnknownKeyError, match="key-is-the-ledgers"):
        verify_verified(sign_note(TEXT, ledger), [ledger.verifier])


def test_a_checkpoint_is_no_such_note_nor_the_reverse() -> None:
    """Whatever the origin: neither signature can pass for the other."""
    checkpoint = Checkpoint(origin="clinledger/verified/v1", size=1000, root=bytes(32))
    signer = Ed25519Signer("clinledger/verified/v1", note_key("x"))
    with pytest.raises(MalformedNoteError, match="verified-malformed"):
        verify_verified(sign_checkpoint(checkpoint, signer), [signer.verifier])
