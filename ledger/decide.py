"""Decide whether the ledger takes an event: pure, fast, on the state at its position."""

from typing import assert_never

from ledger.catalogue import event_type
from ledger.facts import (
    AmendmentFacts,
    AnyFacts,
    EnrolmentFacts,
    FoundingFacts,
    HeadsFacts,
    KeyEnrolledFacts,
    KeyRevokedFacts,
    PolicyFacts,
    ReasonFacts,
    ResourceFacts,
    RoleFacts,
    RotationFacts,
    SetAsideFacts,
)
from ledger.rules import authority, entries, facility, recovery, rotation, streams
from ledger.rules.context import RuleContext
from ledger.rules.references import check_references, target_of
from ledger.state import StreamState
from signing.statement import Statement

_Decidable = (
    PolicyFacts
    | HeadsFacts
    | RotationFacts
    | SetAsideFacts
    | EnrolmentFacts
    | KeyEnrolledFacts
    | KeyRevokedFacts
    | RoleFacts
    | ReasonFacts
    | ResourceFacts
    | AmendmentFacts
)

__all__ = ["RuleContext", "decide", "streams_needed"]


def streams_needed(statement: Statement, facts: AnyFacts) -> tuple[str, ...]:
    """Name the streams, besides the event's own, whose state `decide` will look at."""
    if statement.type == "record-opened.v1" and isinstance(facts, ResourceFacts):
        return (facts.patient,)
    return ()


def decide(context: RuleContext, statement: Statement, facts: AnyFacts) -> None:
    """Refuse the event, or return.

    1. The ledger is founded, this one, and not succeeded by another (or the event founds it, and
       nothing else is checked).
    2. The key is the signer's and valid at this position.
    3. The stream is new or known, of this kind, and not closed.
    4. Every reference names a standing entry of this stream by its text.
    5. The signer holds a role that may author this.
    6. Everyone whom the content names is enrolled.
    7. The rules of the type.

    Does not check the signature, `seen`, the clock, or whether the event_id was used before: the
    caller does.

    Raises:
        CommandRefusedError: with a code of docs/events.md. The pointer points into the
            statement; it is "" where the content is at fault.
    """
    if isinstance(facts, FoundingFacts):
        facility.check_founding(context, facts)
        return
    recovery.check_not_succeeded(context)
    facility.check_founded(context, statement)
    authority.check_key(context, statement)
    kind = event_type(statement.type)
    stream = streams.check_stream(context, statement, kind)
    check_references(stream, statement)
    if kind.authors:  # amendments and retractions: below, by their target
        authority.check_author(context, statement, kind, facts)
    streams.check_staff(context, facts)
    _check_type(context, statement, facts, stream)


def _check_type(
    context: RuleContext, statement: Statement, facts: _Decidable, stream: StreamState
) -> None:
    match facts:
        case ResourceFacts():
            _check_resource(context, statement, facts, stream)
        case AmendmentFacts() | ReasonFacts():
            _check_correction(context, statement, facts, stream)
        case PolicyFacts() | HeadsFacts() | RotationFacts() | SetAsideFacts():
            _check_facility(context, statement, facts)
        case _:
            _check_staff(context, statement, facts)


def _check_facility(
    context: RuleContext,
    statement: Statement,
    facts: PolicyFacts | HeadsFacts | RotationFacts | SetAsideFacts,
) -> None:
    match facts:
        case HeadsFacts():
            facility.check_heads(context, facts)
        case RotationFacts():
            rotation.check_rotation(context, statement, facts)
        case SetAsideFacts():
            recovery.check_set_aside(context, statement, facts)
        case PolicyFacts():
            facility.check_policy(context, facts)
        case _:
            assert_never(facts)


def _check_staff(
    context: RuleContext,
    statement: Statement,
    facts: KeyEnrolledFacts | KeyRevokedFacts | RoleFacts | EnrolmentFacts,
) -> None:
    match facts:
        case KeyEnrolledFacts(key=key):
            facility.check_new_key(context.directory, key)
        case KeyRevokedFacts():
            facility.check_revocation(context, statement, facts)
        case RoleFacts():
            check = (
                facility.check_grant
                if statement.type == "role-granted.v1"
                else facility.check_withdrawal
            )
            check(context, statement, facts)
        case EnrolmentFacts():
            facility.check_enrolment(context, statement, facts)
        case _:
            assert_never(facts)


def _check_resource(
    context: RuleContext, statement: Statement, facts: ResourceFacts, stream: StreamState
) -> None:
    if statement.stream_kind == "record":
        streams.check_subject(context, statement, facts)
    if statement.type == "result-reported.v1":
        entries.check_result(stream, statement, facts)
    if facts.resource_id == statement.event_id:
        entries.check_resource_ids(stream, facts, statement.event_id)


def _check_correction(
    context: RuleContext,
    statement: Statement,
    facts: AmendmentFacts | ReasonFacts,
    stream: StreamState,
) -> None:
    if statement.type == "order-cancelled.v1":
        entries.check_cancellation(stream, statement)
        return
    relation = "amends" if isinstance(facts, AmendmentFacts) else "retracts"
    root = target_of(stream, statement, relation)
    authority.check_corrector(context, statement, stream, root)
    if isinstance(facts, ReasonFacts):
        entries.check_retraction(stream, root)
        return
    entries.check_amendment(stream, statement, facts, root)
    if facts.resource.members:
        entries.check_resource_ids(stream, facts.resource, root.root)
