"""Profile the small documents that change what an entry means: reasons and new versions."""

from typing import Annotated

import msgspec

from ledger.errors import ContentRejectedError
from ledger.fhir.quick import decode_quickly
from ledger.fhir.validation import decode_document
from ledger.jsontext import check_json_text, is_composed
from ledger.profiles.agreement import reject
from ledger.profiles.clinical import read_new_version
from ledger.profiles.facts import AmendmentFacts, ReasonFacts
from signing.statement import Statement

ReasonText = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class Reason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of `order-cancelled.v1` and `entry-retracted.v1`.

    Attributes:
        reason: in words, for whoever reads the record; not blank.
    """

    reason: ReasonText

    def __repr__(self) -> str:
        return "<Reason>"


class Amendment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of `entry-amended.v1`.

    Attributes:
        reason: in words; not blank.
        resource: exact text of the whole new version of the resource.
    """

    reason: ReasonText
    resource: str

    def __repr__(self) -> str:
        return "<Amendment>"


def read_reason(_statement: Statement, content: bytes) -> ReasonFacts:
    """Read `order-cancelled.v1` and `entry-retracted.v1`."""
    check_reason(decode_document(content, Reason).reason)
    return ReasonFacts()


def read_amendment(statement: Statement, content: bytes) -> AmendmentFacts:
    """Read `entry-amended.v1`; pointers go on inside the resource, after `/resource`."""
    amendment = decode_document(content, Amendment)
    check_reason(amendment.reason)
    resource = amendment.resource.encode()  # the decoder lets no lone surrogate through
    try:
        found = decode_quickly(resource)
        if found is None or not is_composed(resource):
            check_json_text(resource)
        tag, facts = read_new_version(statement, resource, found)
    except ContentRejectedError as error:
        pointer = f"/resource{error.pointer}"
        raise ContentRejectedError(error.code, pointer, error.detail) from None
    return AmendmentFacts(amends_type=tag, resource=facts)


def check_reason(reason: str) -> None:
    """Demand a reason that says something (`reason-blank`)."""
    if not reason.strip():
        raise reject("reason-blank", "/reason")
