"""Read, make and check signed notes (c2sp.org/signed-note v1.0.0) and their verifier keys.

A note is a text, an empty line, and one line for each signature. Parsing is stricter than the
specification where it leaves a choice, so that a note has one spelling: `parse_note` of
`format_note` and the reverse are identities.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import msgspec

from signing.errors import MalformedKeyError, MalformedNoteError, UnknownKeyError
from signing.keys import Signer
from signing.vkeys import (
    KEY_HASH_BYTES,
    TYPE_ED25519,
    VerifierKey,
    check_name,
    decode_base64,
    ed25519_vkey,
    encode_base64,
    load_ed25519,
)

MAX_NOTE_BYTES: Final = 1 << 20
MAX_SIGNATURE_LINES: Final = 100
"""The specification asks to accept "at least up to 16"."""
_CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f]")
_LINE_START: Final = "\N{EM DASH} "


class SignatureLine(msgspec.Struct, frozen=True, kw_only=True):
    """One signature of a note.

    Attributes:
        name: of the key.
        key_hash: 4 bytes; with the name it says which key and algorithm signed.
        signature: what the key made; not empty.
    """

    name: str
    key_hash: bytes
    signature: bytes

    def __str__(self) -> str:
        """Return the line with its newline."""
        return f"{_LINE_START}{self.name} {encode_base64(self.key_hash + self.signature)}\n"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A note that is well formed; nothing is said about who signed it.

    Attributes:
        text: ends with a newline; without the empty line that separates.
        signatures: at least one, in the order of the lines.
    """

    text: str
    signatures: tuple[SignatureLine, ...]


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A signature that was checked.

    Attributes:
        line: the signature.
        time_seconds: when a cosigner signed, in POSIX seconds; None for signatures without a time.
    """

    line: SignatureLine
    time_seconds: int | None


class NoteVerifier(Protocol):
    """Checks the signatures of one trusted key."""

    @property
    def vkey(self) -> VerifierKey:
        """Return the key."""
        ...

    def check(self, text: str, signature: bytes) -> int | None:
        """Check a signature over a note's text; return its time in POSIX seconds if it has one.

        Raises:
            InvalidSignatureError: it is not one by this key over this text.
        """
        ...


class NoteSigner(Protocol):
    """Signs notes under a name with one key."""

    @property
    def verifier(self) -> NoteVerifier:
        """Return what checks these signatures."""
        ...

    def sign(self, text: str) -> bytes:
        """Return the signature over a note's text, without the key id."""
        ...


def parse_note(data: bytes) -> Note:
    """Read a note.

    Raises:
        MalformedNoteError: `note-too-large` (1 MiB, 100 signatures) or `note-malformed`.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise MalformedNoteError("note-too-large", "more than 1 MiB")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise MalformedNoteError("note-malformed", "not UTF-8") from None
    if _CONTROL.search(whole):
        raise MalformedNoteError("note-malformed", "a control character")
    # "the text is separated from the signatures by the last empty line in the note"
    text, separator, block = whole.rpartition("\n\n")
    if not separator:
        raise MalformedNoteError("note-malformed", "no empty line before signatures")
    return Note(text=text + "\n", signatures=parse_signatures(block))


def parse_signatures(block: str) -> tuple[SignatureLine, ...]:
    """Read one or more signature lines, each ended by a newline.

    Raises:
        MalformedNoteError: `note-too-large` (100 lines) or `note-malformed`.
    """
    if not block.endswith("\n"):
        raise MalformedNoteError("note-malformed", "the last signature line has no newline")
    if block.count("\n") > MAX_SIGNATURE_LINES:
        raise MalformedNoteError("note-too-large", "more than 100 signatures")
    return tuple(_parse_line(line) for line in block[:-1].split("\n"))


def _parse_line(line: str) -> SignatureLine:
    if not line.startswith(_LINE_START):
        raise MalformedNoteError("note-malformed", "a signature line does not start as one")
    name, _, encoded = line[len(_LINE_START) :].partition(" ")
    try:
        check_name(name)
        data = decode_base64(encoded)
    except ValueError as error:
        raise MalformedNoteError("note-malformed", str(error)) from None
    if len(data) <= KEY_HASH_BYTES:
        raise MalformedNoteError("note-malformed", "a signature is empty")
    return SignatureLine(name=name, key_hash=data[:KEY_HASH_BYTES], signature=data[KEY_HASH_BYTES:])


def format_note(note: Note) -> bytes:
    """Return the bytes of a note."""
    return f"{note.text}\n{''.join(str(line) for line in note.signatures)}".encode()


def sign_note(text: str, *signers: NoteSigner) -> bytes:
    """Sign a text with each of the signers, in this order.

    Raises:
        MalformedNoteError: the text cannot be a note's.
    """
    lines = tuple(sign_line(text, signer) for signer in signers)
    data = format_note(Note(text=text, signatures=lines))
    if not text.endswith("\n") or parse_note(data).text != text:
        raise MalformedNoteError("note-malformed", "the text does not end with a newline")
    return data


def sign_line(text: str, signer: NoteSigner) -> SignatureLine:
    """Sign a text; return the line to put under it."""
    key = signer.verifier.vkey
    return SignatureLine(name=key.name, key_hash=key.key_hash, signature=signer.sign(text))


def add_signatures(data: bytes, lines: Iterable[SignatureLine]) -> bytes:
    """Return a note with further signature lines; a line takes the place of one of the same key.

    Raises:
        MalformedNoteError: it is no note, or would have too many lines.
    """
    note = parse_note(data)
    together = {(line.name, line.key_hash): line for line in (*note.signatures, *lines)}
    grown = format_note(Note(text=note.text, signatures=tuple(together.values())))
    parse_note(grown)
    return grown


def verify_note(note: Note, verifiers: Sequence[NoteVerifier]) -> tuple[Verified, ...]:
    """Check every signature that one of these keys is said to have made; return them.

    Signatures of unknown keys are ignored, "even if they share a name or ID (but not both) with a
    known key". One bad signature of a known key spoils the note.

    Raises:
        InvalidSignatureError: `signature-invalid`.
        MalformedNoteError: `note-duplicate-signature`: two lines of one known key.
        UnknownKeyError: `note-not-signed`: no signature by any of these keys.
    """
    known = {(one.vkey.name, one.vkey.key_hash): one for one in verifiers}
    found: dict[tuple[str, bytes], Verified] = {}
    for line in note.signatures:
        key = (line.name, line.key_hash)
        verifier = known.get(key)
        if verifier is None:
            continue
        if key in found:
            raise MalformedNoteError("note-duplicate-signature", "two lines of one known key")
        time_seconds = verifier.check(note.text, line.signature)
        found[key] = Verified(line=line, time_seconds=time_seconds)
    if not found:
        raise UnknownKeyError("note-not-signed", "no signature by a trusted key")
    return tuple(found.values())


class Ed25519Verifier:
    """Checks plain Ed25519 signatures (type 0x01), as logs make them. Immutable."""

    def __init__(self, vkey: VerifierKey) -> None:
        """Take a verifier key of this type.

        Raises:
            MalformedKeyError: another type, or an unusable key.
        """
        if vkey.type != TYPE_ED25519:
            raise MalformedKeyError("vkey-type", "not an Ed25519 verifier key")
        self._key = load_ed25519(vkey.public_key)
        self._vkey = vkey

    @property
    def vkey(self) -> VerifierKey:
        """Return the key."""
        return self._vkey

    @property
    def spki(self) -> bytes:
        """Return the key as SubjectPublicKeyInfo DER."""
        return self._key.spki

    def check(self, text: str, signature: bytes) -> int | None:
        """Check a signature over a note's text; there is no time in it.

        Raises:
            InvalidSignatureError: `signature-invalid`.
        """
        self._key.verify(signature, text.encode())


class Ed25519Signer:
    """Signs notes with an Ed25519 key under a name, as the log of that origin does."""

    def __init__(self, name: str, key: Signer) -> None:
        """Take the name (of a log: its origin) and a key with algorithm EdDSA.

        Raises:
            MalformedKeyError: another algorithm, or an impossible name.
        """
        self._key = key
        self._verifier = Ed25519Verifier(ed25519_vkey(name, key))

    @property
    def verifier(self) -> Ed25519Verifier:
        """Return what checks these signatures."""
        return self._verifier

    def sign(self, text: str) -> bytes:
        """Return the signature over a note's text."""
        return self._key.sign(text.encode())
