"""Profile the documents of decisions that two people take when the ledger cannot go on.

They are stored unsealed, because everybody who verifies needs them: reasons name no patient.
"""

from typing import Annotated

import msgspec

from ledger.fhir.validation import decode_document
from ledger.profiles.agreement import reject
from ledger.profiles.facts import SecondFacts, SetAsideFacts
from ledger.profiles.rotation import SecondSignature
from ledger.set_aside import SetAside
from signing.statement import HashText, Statement

MAX_SAFE_INTEGER = 2**53 - 1
_Size = Annotated[int, msgspec.Meta(ge=1, le=MAX_SAFE_INTEGER)]
ReasonText = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class TailSetAside(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of `tail-set-aside.v1` (docs/format.md, Set aside).

    Attributes:
        size: of the tree that was kept.
        root: of that tree, hex.
        set_aside_size: of the tree with what was set aside.
        set_aside_root: of that tree, hex.
        digest: of every byte that was moved, hex.
        reason: in the words of whoever decided; names no patient.
        second: a second registrar's signature.
    """

    size: _Size
    root: HashText
    set_aside_size: _Size
    set_aside_root: HashText
    digest: HashText
    reason: ReasonText
    second: SecondSignature


def read_set_aside(_statement: Statement, content: bytes) -> SetAsideFacts:
    """Read `tail-set-aside.v1`; what lies in the tables, and the signature, are for the rules.

    Raises:
        ContentRejectedError: `reason-blank`.
    """
    document = decode_document(content, TailSetAside)
    return SetAsideFacts(
        decided=SetAside(
            size=document.size,
            root=document.root,
            set_aside_size=document.set_aside_size,
            set_aside_root=document.set_aside_root,
            digest=document.digest,
        ),
        reason=check_reason(document.reason, "/reason"),
        second=second_facts(document.second),
    )


def second_facts(second: SecondSignature) -> SecondFacts:
    """Return what the rules need of a second person's signature."""
    return SecondFacts(
        signer=second.signer, key_id=second.key_id, container=second.signature.encode()
    )


def check_reason(reason: str, pointer: str) -> str:
    """Return the reason.

    Raises:
        ContentRejectedError: `reason-blank`: white space only.
    """
    if not reason.strip():
        raise reject("reason-blank", pointer, "white space only")
    return reason
