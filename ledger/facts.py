"""Read from a statement and its content the few facts that the rules need.

`read_facts` is pure and judges everything that needs no state: the content against its type's
profile, and the agreement of statement and content. What it returns is small, frozen and free of
clinical text.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import UNSET

from ledger.catalogue import EventType, event_type
from ledger.errors import SubmissionRejectedError
from ledger.fhir import r4
from ledger.profiles import amendments, clinical, directory, people, recovery, rotation
from ledger.profiles.facts import (
    AmendmentFacts,
    AnyFacts,
    EnrolledKey,
    EnrolmentFacts,
    Facts,
    FoundingFacts,
    HeadsFacts,
    KeyEnrolledFacts,
    KeyRevokedFacts,
    PolicyFacts,
    ReasonFacts,
    ResourceFacts,
    RoleFacts,
    RotationFacts,
    SecondFacts,
    SetAsideFacts,
)
from signing.statement import Statement

__all__ = [
    "AmendmentFacts",
    "AnyFacts",
    "EnrolledKey",
    "EnrolmentFacts",
    "Facts",
    "FoundingFacts",
    "HeadsFacts",
    "KeyEnrolledFacts",
    "KeyRevokedFacts",
    "PolicyFacts",
    "ReasonFacts",
    "ResourceFacts",
    "RoleFacts",
    "RotationFacts",
    "SecondFacts",
    "SetAsideFacts",
    "read_facts",
]

_READERS: Final[Mapping[str, Callable[[Statement, bytes], AnyFacts]]] = {
    "ledger-founded.v1": directory.read_founding,
    "policy-set.v1": directory.read_policy,
    "heads-published.v1": directory.read_heads,
    "checkpoint-key-rotated.v1": rotation.read_rotation,
    "tail-set-aside.v1": recovery.read_set_aside,
    "practitioner-enrolled.v1": people.read_practitioner,
    "device-enrolled.v1": people.read_device,
    "key-enrolled.v1": directory.read_key_enrolled,
    "key-revoked.v1": directory.read_key_revoked,
    "role-granted.v1": directory.read_role_granted,
    "role-withdrawn.v1": directory.read_role_withdrawn,
    "order-cancelled.v1": amendments.read_reason,
    "entry-amended.v1": amendments.read_amendment,
    "entry-retracted.v1": amendments.read_reason,
}


def read_facts(
    statement: Statement, content: bytes, resource: r4.AnyResource | None = None
) -> AnyFacts:
    """Judge the content by its type's profile and return what the rules need.

    Does not check the content's digest or size (`ledger.content`) nor its text form
    (`ledger.jsontext`), nor anything about keys.

    Args:
        statement: of the event.
        content: exact bytes.
        resource: what `ledger.fhir.quick` made of the content, if that was tried already.

    Raises:
        ContentRejectedError: the content breaks its profile or contradicts the statement;
            `pointer` points into the content.
        SubmissionRejectedError: unknown or reserved type, or the statement's stream kind, media
            type or references do not fit the type; `pointer` points into the statement.
    """
    kind = event_type(statement.type)
    _check_statement(statement, kind)
    reader = _READERS.get(statement.type)
    if reader is not None:
        return reader(statement, content)
    return clinical.read_resource(statement, content, resource)


def _check_statement(statement: Statement, kind: EventType) -> None:
    if statement.stream_kind not in kind.stream_kinds:
        raise SubmissionRejectedError("stream-kind", "/stream_kind")
    if statement.content.media_type != kind.media_type:
        raise SubmissionRejectedError("content-media-type", "/content/media_type")
    refs = statement.refs
    if refs is UNSET:
        if kind.required:
            raise SubmissionRejectedError("reference-missing", "/refs")
        return
    counts = dict.fromkeys(kind.required, 0)
    for index, ref in enumerate(refs):
        if ref.relation in counts:
            counts[ref.relation] += 1
        elif ref.relation not in kind.optional:
            raise SubmissionRejectedError("reference-relation", f"/refs/{index}/relation")
    if any(count != 1 for count in counts.values()):
        raise SubmissionRejectedError("reference-missing", "/refs")
    if len({(ref.event_id, ref.relation) for ref in refs}) != len(refs):
        raise SubmissionRejectedError("reference-duplicate", "/refs")
