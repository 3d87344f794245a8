"""Profile the document that gives the ledger a new checkpoint key.

It is stored unsealed, because whoever checks a checkpoint needs it: its reason names no patient.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from ledger.fhir.validation import decode_document
from ledger.profiles.agreement import reject
from ledger.profiles.amendments import check_reason
from ledger.profiles.facts import RotationFacts, SecondFacts
from ledger.profiles.keys import read_verifier_key
from signing.errors import SigningError
from signing.handovers import read_handover
from signing.statement import HashText, Statement, UuidText

_KeyText = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
_NoteText = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
_ContainerText = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
_ReasonText = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class SecondSignature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A second person's signature over the handover's text.

    Attributes:
        signer: id of their staff stream.
        key_id: of their key, hex.
        signature: the container.
    """

    signer: UuidText
    key_id: HashText
    signature: _ContainerText


class CheckpointKeyRotated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of `checkpoint-key-rotated.v1`.

    Attributes:
        checkpoint_key: C2SP signed-note verifier key `<origin>+<id>+<base64>`, Ed25519.
        handover: signed note, see `signing.handovers`.
        reason: in the words of whoever decided; names no patient.
        second: where the old key has not signed.
    """

    checkpoint_key: _KeyText
    handover: _NoteText
    reason: _ReasonText
    second: SecondSignature | UnsetType = UNSET


def read_rotation(statement: Statement, content: bytes) -> RotationFacts:
    """Read `checkpoint-key-rotated.v1`; the old key and the second person are for the rules.

    Raises:
        ContentRejectedError: `reason-blank`, `checkpoint-key-malformed`, `base64-malformed`,
            `handover-malformed`, or `handover-signature`: the new key has not signed.
    """
    document = decode_document(content, CheckpointKeyRotated)
    check_reason(document.reason)
    spki = read_verifier_key(document.checkpoint_key, statement.ledger, "/checkpoint_key")
    handover = document.handover.encode()
    try:
        read_handover(handover, document.checkpoint_key)
    except SigningError as error:
        if error.code in {"signature-invalid", "note-not-signed"}:
            raise reject("handover-signature", "/handover", "not by the new key") from None
        raise reject("handover-malformed", "/handover", error.code) from None
    second = None
    if document.second is not UNSET:
        second = SecondFacts(
            signer=document.second.signer,
            key_id=document.second.key_id,
            container=document.second.signature.encode(),
        )
    return RotationFacts(
        checkpoint_key=document.checkpoint_key,
        checkpoint_spki=spki,
        handover=handover,
        second=second,
    )
