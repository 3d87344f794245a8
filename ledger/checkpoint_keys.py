"""Know which key signs a ledger's checkpoints at which size: the chain of its checkpoint keys.

The founding event names the first, each `checkpoint-key-rotated.v1` the next. A checkpoint of size
n is signed by the key that the newest such event at a position below n names; so what an old key
signed while it was in force stays valid for ever, and nothing that it signs for later sizes is.
"""

import functools
from collections.abc import Sequence

import msgspec

from signing.checkpoints import SignedCheckpoint, parse_checkpoint, verify_checkpoint
from signing.errors import UnknownKeyError
from signing.notes import Ed25519Verifier, parse_note
from signing.vkeys import parse_vkey


class CheckpointKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of the chain.

    Attributes:
        position: of the event that names it; it signs checkpoints of larger sizes.
        vkey: its verifier key text (c2sp.org/signed-note), named by the origin.
        spki: the same key as SubjectPublicKeyInfo DER.
    """

    position: int
    vkey: str
    spki: bytes


def key_in_force(keys: Sequence[CheckpointKey], size: int) -> CheckpointKey | None:
    """Return the key that signs at a size; None where no event named any.

    Args:
        keys: by position, the founding event's first.
        size: of the tree that is signed.
    """
    found = keys[0] if keys else None
    for key in keys:
        if key.position < size:
            found = key
    return found


def verify_in_force(note: bytes, keys: Sequence[CheckpointKey]) -> SignedCheckpoint:
    """Check that a checkpoint is signed by the key in force at its size.

    Args:
        note: the signed checkpoint; cosignatures are not looked at.
        keys: of the ledger, by position.

    Raises:
        UnknownKeyError: `note-not-signed`; or `checkpoint-key-not-in-force`: only another of the
            ledger's keys signed.
        InvalidSignatureError, MalformedNoteError: as `signing.checkpoints.verify_checkpoint`.
    """
    key = key_in_force(keys, parse_checkpoint(parse_note(note).text).size)
    if key is None:
        raise UnknownKeyError("note-not-signed", "no event names a checkpoint key")
    try:
        return verify_checkpoint(note, (verifier_of(key.vkey),))
    except UnknownKeyError:
        others = [verifier_of(one.vkey) for one in keys]
        verify_checkpoint(note, others)
        raise UnknownKeyError(
            "checkpoint-key-not-in-force", "signed by a key that is not in force at this size"
        ) from None


@functools.lru_cache(maxsize=64)
def verifier_of(vkey: str) -> Ed25519Verifier:
    """Return what checks a key's signatures.

    Raises:
        MalformedKeyError: it is no Ed25519 verifier key.
    """
    return Ed25519Verifier(parse_vkey(vkey))
