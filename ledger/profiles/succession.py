"""Profile what a founding document says of the ledger that the new one succeeds.

Everything it says is checked here, by the document itself: the old checkpoints are signed by the
old key, which whoever knows the old ledger compares, and the second founder is one of the
registrars that the document lists.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from ledger.profiles.agreement import reject
from ledger.profiles.facts import EnrolledKey, SuccessionFacts
from ledger.profiles.keys import read_verifier_key
from ledger.profiles.recovery import ReasonText, check_reason
from ledger.profiles.rotation import SecondSignature
from ledger.succession import Founding, second_text, successor_of
from signing.checkpoints import SignedCheckpoint, verify_checkpoint
from signing.errors import SigningError
from signing.keys import load_verifying_key
from signing.notes import Ed25519Verifier
from signing.second import verify_second
from signing.statement import HashText, OriginText
from signing.vkeys import parse_vkey

_KeyText = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
_NoteText = Annotated[str, msgspec.Meta(min_length=1, max_length=65536)]


class Succeeds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The member `succeeds` of `ledger-founded.v1` (docs/format.md, Successor).

    Attributes:
        origin: of the old ledger.
        genesis: leaf hash of its first entry, hex.
        checkpoint_key: verifier key text under which its checkpoints were signed.
        checkpoint: its last good checkpoint, a signed note.
        cosigned_checkpoint: its last one with a witness's cosignature.
        reason: why it cannot go on; names no patient.
        second: another of the registrars in this document.
    """

    origin: OriginText
    genesis: HashText
    checkpoint_key: _KeyText
    checkpoint: _NoteText
    reason: ReasonText
    second: SecondSignature
    cosigned_checkpoint: _NoteText | UnsetType = UNSET


def read_succession(
    found: Succeeds, *, new_key: str, registrars: Sequence[EnrolledKey], origin: str
) -> SuccessionFacts:
    """Judge the member, and return what the rules need.

    Args:
        found: the member.
        new_key: the new ledger's checkpoint key.
        registrars: of the document, checked, in order; the first signs the event.
        origin: of the new ledger.

    Raises:
        ContentRejectedError: `succession-origin`, `succession-checkpoint`, `succession-second`,
            `reason-blank`, or a code of a verifier key.
    """
    if successor_of(found.origin) != origin:
        raise reject("succession-origin", "/succeeds/origin", "not the origin before this one")
    read_verifier_key(found.checkpoint_key, found.origin, "/succeeds/checkpoint_key")
    key = Ed25519Verifier(parse_vkey(found.checkpoint_key))
    good = _checkpoint(found.checkpoint, key, "/succeeds/checkpoint")
    cosigned = None
    if found.cosigned_checkpoint is not UNSET:
        pointer = "/succeeds/cosigned_checkpoint"
        cosigned = _checkpoint(found.cosigned_checkpoint, key, pointer)
        if len(cosigned.note.signatures) == 1 or cosigned.checkpoint.size > good.checkpoint.size:
            raise reject("succession-checkpoint", pointer, "not cosigned, or beyond the last one")
    check_reason(found.reason, "/succeeds/reason")
    _check_second(found, registrars, new_key)
    return SuccessionFacts(
        origin=found.origin,
        genesis=found.genesis,
        checkpoint_key=found.checkpoint_key,
        size=good.checkpoint.size,
        root=good.checkpoint.root.hex(),
        cosigned_size=0 if cosigned is None else cosigned.checkpoint.size,
        reason=found.reason,
    )


def _checkpoint(note: str, key: Ed25519Verifier, pointer: str) -> SignedCheckpoint:
    try:
        return verify_checkpoint(note.encode(), (key,))
    except SigningError as error:
        raise reject("succession-checkpoint", pointer, error.code) from None


def _check_second(found: Succeeds, registrars: Sequence[EnrolledKey], new_key: str) -> None:
    """Demand the signature of another of the registrars that the document lists."""
    second, pointer = found.second, "/succeeds/second"
    others = {(one.staff, one.key_id): one for one in registrars[1:]}
    key = others.get((second.signer, second.key_id))
    if key is None:
        raise reject("succession-second", pointer, "not by another of the first registrars")
    cosigned = found.cosigned_checkpoint
    founding = Founding(
        new_key=new_key,
        registrars=[(one.staff, one.key_id) for one in registrars],
        old_key=found.checkpoint_key,
        genesis=found.genesis,
        checkpoint=found.checkpoint.encode(),
        cosigned=None if cosigned is UNSET else cosigned.encode(),
        reason=found.reason,
    )
    try:
        verify_second(
            second.signature.encode(),
            second_text(founding),
            load_verifying_key(key.spki, key.alg),
            purpose="successor",
        )
    except SigningError as error:
        raise reject("succession-second", pointer, error.code) from None
