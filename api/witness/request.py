"""Read and write the body of an add-checkpoint request (c2sp.org/tlog-witness)."""

from collections.abc import Sequence
from typing import Final

import msgspec

from signing.checkpoints import ROOT_BYTES, Checkpoint, parse_checkpoint, parse_size
from signing.errors import MalformedNoteError
from signing.notes import MAX_NOTE_BYTES, Note, parse_note
from signing.vkeys import decode_base64, encode_base64

MAX_PROOF_HASHES: Final = 63
MAX_REQUEST_BYTES: Final = MAX_NOTE_BYTES + 4096
_OLD: Final = "old "


class AddCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A log asks for a cosignature of its newest checkpoint.

    Attributes:
        old_size: of the checkpoint that the witness cosigned last, as the log believes.
        proof: consistency from there, at most 63 hashes of 32 bytes.
        note: the signed checkpoint.
        checkpoint: what its text says.
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Read a request.

    Raises:
        MalformedNoteError: `request-malformed`, or a code of notes and checkpoints.
    """
    head, separator, signed = body.partition(b"\n\n")
    if not separator:
        raise MalformedNoteError("request-malformed", "no empty line before the checkpoint")
    try:
        old_size, proof = _parse_head(head.decode("ascii"))
    except UnicodeDecodeError:
        raise MalformedNoteError("request-malformed", "not ASCII before the checkpoint") from None
    except ValueError as error:
        raise MalformedNoteError("request-malformed", str(error)) from None
    note = parse_note(signed)
    checkpoint = parse_checkpoint(note.text)
    return AddCheckpoint(old_size=old_size, proof=proof, note=note, checkpoint=checkpoint)


def format_add_checkpoint(*, old_size: int, proof: Sequence[bytes], signed: bytes) -> bytes:
    """Return the body of a request for a signed checkpoint."""
    lines = [f"{_OLD}{old_size}", *(encode_base64(value) for value in proof)]
    return "\n".join(lines).encode() + b"\n\n" + signed


def _parse_head(head: str) -> tuple[int, tuple[bytes, ...]]:
    first, *hashes = head.split("\n")
    if not first.startswith(_OLD):
        raise ValueError("the first line is not `old <size>`")
    if len(hashes) > MAX_PROOF_HASHES:
        raise ValueError("more than 63 hashes")
    return parse_size(first[len(_OLD) :]), tuple(_parse_hash(line) for line in hashes)


def _parse_hash(line: str) -> bytes:
    value = decode_base64(line)
    if len(value) != ROOT_BYTES:
        raise ValueError("a hash does not have 32 bytes")
    return value
