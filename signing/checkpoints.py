"""Read, write and check checkpoints: the size and root of a log in a signed note.

c2sp.org/tlog-checkpoint v1.0.0.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from signing.errors import MalformedNoteError, UnknownKeyError
from signing.notes import (
    Note,
    NoteSigner,
    NoteVerifier,
    Verified,
    parse_note,
    sign_note,
    verify_note,
)
from signing.vkeys import decode_base64, encode_base64

MAX_ORIGIN_BYTES: Final = 255
"""What the length byte of ML-DSA cosignatures can hold."""
MAX_SIZE: Final = 2**63 - 1
ROOT_BYTES: Final = 32

# The specification: no leading zeroes, unless the tree is empty.
_SIZE: Final = re.compile("0|[1-9][0-9]{0,18}", re.ASCII)
_FIXED_LINES: Final = 3


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a log says of itself at one size.

    Attributes:
        origin: which log.
        size: number of leaves.
        root: RFC 6962 root hash at this size, 32 bytes.
        extensions: further lines, opaque; this ledger writes none and ML-DSA does not sign them.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


class SignedCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint whose log's signature was checked.

    Attributes:
        checkpoint: what the log says.
        note: the note it stood in, with all signatures, also unknown ones.
        verified: the signatures that were checked.
    """

    checkpoint: Checkpoint
    note: Note
    verified: tuple[Verified, ...]


def parse_size(text: str) -> int:
    """Read a tree size in its only spelling, at most 2^63 - 1.

    Raises:
        ValueError: leading zeros, a sign, other digits, or too large.
    """
    if not _SIZE.fullmatch(text) or int(text) > MAX_SIZE:
        raise ValueError("not a tree size")
    return int(text)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint's note.

    Raises:
        MalformedNoteError: `checkpoint-malformed`.
    """
    lines = text.split("\n")
    if lines.pop() or len(lines) < _FIXED_LINES or not all(lines):
        raise _malformed("not three or more lines that are not empty")
    origin, size, root = lines[:_FIXED_LINES]
    if len(origin.encode(errors="replace")) > MAX_ORIGIN_BYTES:
        raise _malformed("the origin is too long")
    try:
        found = Checkpoint(
            origin=origin,
            size=parse_size(size),
            root=decode_base64(root),
            extensions=tuple(lines[_FIXED_LINES:]),
        )
    except ValueError as error:
        raise _malformed(str(error)) from None
    if len(found.root) != ROOT_BYTES:
        raise _malformed("the root does not have 32 bytes")
    return found


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """Return the note text of a checkpoint.

    Raises:
        MalformedNoteError: `checkpoint-malformed`: it could not be read again.
    """
    lines = (
        checkpoint.origin,
        str(checkpoint.size),
        encode_base64(checkpoint.root),
        *checkpoint.extensions,
    )
    text = "".join(f"{line}\n" for line in lines)
    if parse_checkpoint(text) != checkpoint:
        raise _malformed("a part has a newline")
    return text


def sign_checkpoint(checkpoint: Checkpoint, *signers: NoteSigner) -> bytes:
    """Sign a checkpoint as the log of its origin.

    The caller answers for never signing two checkpoints that are inconsistent.

    Raises:
        MalformedNoteError: the checkpoint cannot be written.
        UnknownKeyError: `origin-mismatch`: a signer's name is not the origin.
    """
    for signer in signers:
        _check_origin(checkpoint, signer.verifier)
    return sign_note(format_checkpoint(checkpoint), *signers)


def verify_checkpoint(data: bytes, log_keys: Sequence[NoteVerifier]) -> SignedCheckpoint:
    """Check that a signed checkpoint is by one of these keys, each named by its log's origin.

    Cosignatures are not looked at: `signing.policies` does that.

    Raises:
        InvalidSignatureError: `signature-invalid`.
        MalformedNoteError: not a checkpoint, or two lines of one key.
        UnknownKeyError: `note-not-signed`; no key of this origin signed.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    # A key vouches for the log of its own name only.
    keys = [key for key in log_keys if key.vkey.name == checkpoint.origin]
    return SignedCheckpoint(checkpoint=checkpoint, note=note, verified=verify_note(note, keys))


def _check_origin(checkpoint: Checkpoint, verifier: NoteVerifier) -> None:
    # "The log's key name in its signature line SHOULD match the origin line." Here it must.
    if verifier.vkey.name != checkpoint.origin:
        raise UnknownKeyError("origin-mismatch", "the key is named after another origin")


def _malformed(detail: str) -> MalformedNoteError:
    return MalformedNoteError("checkpoint-malformed", detail)
