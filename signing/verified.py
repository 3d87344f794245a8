"""Read, write and check an auditor's note of how far a ledger was verified (docs/format.md §15).

A signed note (c2sp.org/signed-note) by the auditor's own key, never the ledger's: it is what a
later verification may rest on, instead of doing everything again.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from signing.checkpoints import ROOT_BYTES, parse_size
from signing.errors import MalformedNoteError, UnknownKeyError
from signing.notes import NoteSigner, NoteVerifier, parse_note, sign_note, verify_note
from signing.statement import format_time_ms, parse_time_ms
from signing.vkeys import check_name, decode_base64, encode_base64

FORMAT: Final = "clinledger/verified/v1"
_LABELS: Final = ("from", "signatures", "rules", "contents", "time")
_FIXED_LINES: Final = 4
_ANSWERS: Final = {"yes": True, "no": False}
_WORDS: Final = {True: "yes", False: "no"}


class VerifiedUpTo(msgspec.Struct, frozen=True, kw_only=True):
    """What an auditor vouches for: of these entries, this was checked, and nothing was found.

    Attributes:
        origin: of the ledger.
        size: number of entries.
        root: RFC 6962 root hash of these, 32 bytes.
        start: where the verification began; what lies below rests on an earlier note. At most
            `size`.
        signatures: whether the signatures of all of them were checked, then or before.
        rules: whether the rules were applied to all of them.
        contents: whether the contents of all of them were compared with what was signed.
        at_ms: when, by the auditor's clock, in milliseconds since 1970.
    """

    origin: str
    size: int
    root: bytes
    start: int
    signatures: bool
    rules: bool
    contents: bool
    at_ms: int


def format_verified(verified: VerifiedUpTo) -> str:
    """Return the text of the note.

    Raises:
        MalformedNoteError: `verified-malformed`: it could not be read again.
    """
    answers = (verified.signatures, verified.rules, verified.contents)
    values = (str(verified.start), *map(_WORDS.get, answers), format_time_ms(verified.at_ms))
    lines = (
        FORMAT,
        verified.origin,
        str(verified.size),
        encode_base64(verified.root),
        *(f"{label} {value}" for label, value in zip(_LABELS, values, strict=True)),
    )
    text = "".join(f"{line}\n" for line in lines)
    if parse_verified(text) != verified:
        raise _malformed("a part has a newline")
    return text


def parse_verified(text: str) -> VerifiedUpTo:
    """Read the text of such a note.

    Raises:
        MalformedNoteError: `verified-malformed`.
    """
    lines = text.split("\n")
    if lines.pop() or len(lines) != _FIXED_LINES + len(_LABELS) or lines[0] != FORMAT:
        raise _malformed(f"not the lines of {FORMAT}")
    said = dict(zip(_LABELS, lines[_FIXED_LINES:], strict=True))
    try:
        check_name(lines[1])
        start, signatures, rules, contents, time = (
            line.removeprefix(f"{label} ") if line.startswith(f"{label} ") else ""
            for label, line in said.items()
        )
        found = VerifiedUpTo(
            origin=lines[1],
            size=parse_size(lines[2]),
            root=decode_base64(lines[3]),
            start=parse_size(start),
            signatures=_ANSWERS[signatures],
            rules=_ANSWERS[rules],
            contents=_ANSWERS[contents],
            at_ms=parse_time_ms(time),
        )
    except (ValueError, KeyError):
        raise _malformed("a line is not as it must be") from None
    if len(found.root) != ROOT_BYTES or found.start > found.size:
        raise _malformed("a line is not as it must be")
    return found


def sign_verified(verified: VerifiedUpTo, signer: NoteSigner) -> bytes:
    """Sign as the auditor.

    Raises:
        MalformedNoteError: it cannot be written.
        UnknownKeyError: `key-is-the-ledgers`: the key is named by the ledger's origin.
    """
    _check_foreign(verified, signer.verifier)
    return sign_note(format_verified(verified), signer)


def verify_verified(
    data: bytes, auditors: Sequence[NoteVerifier]
) -> tuple[VerifiedUpTo, NoteVerifier]:
    """Check that a note is by one of these auditors; return what it says, and by whose key.

    Raises:
        InvalidSignatureError: `signature-invalid`.
        MalformedNoteError: it is no such note, or has two lines of one key.
        UnknownKeyError: `note-not-signed`: by none of them; `key-is-the-ledgers`: a ledger vouches
            for itself.
    """
    note = parse_note(data)
    verified = parse_verified(note.text)
    lines = [one.line for one in verify_note(note, auditors)]
    by = next(
        one
        for one in auditors
        if (one.vkey.name, one.vkey.key_hash) == (lines[0].name, lines[0].key_hash)
    )
    _check_foreign(verified, by)
    return verified, by


def _check_foreign(verified: VerifiedUpTo, verifier: NoteVerifier) -> None:
    if verifier.vkey.name == verified.origin:
        raise UnknownKeyError("key-is-the-ledgers", "an auditor signs with a key of their own")


def _malformed(detail: str) -> MalformedNoteError:
    return MalformedNoteError("verified-malformed", detail)
