"""Hand a log's signing key over to its successor, in a note that both keys sign.

The new key signs to show that somebody holds it, the old one to hand over. Where the old key is
lost, or not trusted any more, its signature is missing: others must vouch (docs/format.md,
Checkpoint key).
"""

from typing import Final

import msgspec

from signing.errors import MalformedNoteError, UnknownKeyError
from signing.notes import (
    Ed25519Verifier,
    Note,
    NoteSigner,
    NoteVerifier,
    SignatureLine,
    parse_note,
    sign_note,
)
from signing.vkeys import VerifierKey, parse_vkey

HANDOVER_FORMAT: Final = "clinledger/checkpoint-key/v1"
_MAX_SIGNATURES: Final = 2


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """A handover whose signature by the new key was checked.

    Attributes:
        text: the note's text.
        other: the signature line that is not the new key's, unchecked; None where there is none.
    """

    text: str
    other: SignatureLine | None

    def is_signed_by(self, old: NoteVerifier) -> bool:
        """Tell whether the old key signed; a line of another key is no signature.

        Raises:
            InvalidSignatureError: `signature-invalid`: a line said to be by this key is not.
        """
        if self.other is None or not _is_of(self.other, old.vkey):
            return False
        old.check(self.text, self.other.signature)
        return True


def handover_text(vkey: VerifierKey) -> str:
    """Return the text that is signed: three lines, of which the key's name is the origin."""
    return f"{HANDOVER_FORMAT}\n{vkey.name}\n{vkey}\n"


def sign_handover(new: NoteSigner, old: NoteSigner | None) -> bytes:
    """Sign the handover to a new key; `old` is None where the old key is lost.

    Raises:
        UnknownKeyError: `origin-mismatch`: the keys are not both named by one origin.
    """
    vkey = new.verifier.vkey
    if old is not None and old.verifier.vkey.name != vkey.name:
        raise UnknownKeyError("origin-mismatch", "the old key is named after another origin")
    return sign_note(handover_text(vkey), new, *(() if old is None else (old,)))


def read_handover(data: bytes, vkey: str) -> Handover:
    """Read the handover to this key, and check that the key itself signed.

    Args:
        data: the signed note.
        vkey: of the new key, Ed25519, named by the origin.

    Raises:
        MalformedNoteError: `note-malformed` or `handover-malformed`: not a note, another text, more
            than two signatures, or two of one key.
        MalformedKeyError: the new key is unusable.
        UnknownKeyError: `note-not-signed`: the new key has not signed.
        InvalidSignatureError: `signature-invalid`.
    """
    new = Ed25519Verifier(parse_vkey(vkey))
    note = parse_note(data)
    if note.text != handover_text(new.vkey):
        raise MalformedNoteError("handover-malformed", "not the text of a handover to this key")
    own, other = _sort(note, new.vkey)
    new.check(note.text, own.signature)
    return Handover(text=note.text, other=other)


def _sort(note: Note, vkey: VerifierKey) -> tuple[SignatureLine, SignatureLine | None]:
    own = [line for line in note.signatures if _is_of(line, vkey)]
    others = [line for line in note.signatures if not _is_of(line, vkey)]
    if not own:
        raise UnknownKeyError("note-not-signed", "the new key has not signed")
    if len(own) > 1 or len(note.signatures) > _MAX_SIGNATURES:
        raise MalformedNoteError("handover-malformed", "signed by the new and the old key only")
    return own[0], others[0] if others else None


def _is_of(line: SignatureLine, vkey: VerifierKey) -> bool:
    return (line.name, line.key_hash) == (vkey.name, vkey.key_hash)
