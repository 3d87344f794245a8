"""Apply a decided event to the state of the directory and of its stream."""

from typing import assert_never

from ledger.checkpoint_keys import CheckpointKey
from ledger.facts import (
    AmendmentFacts,
    AnyFacts,
    EnrolledKey,
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
from ledger.roles import FOUNDING_ROLES, Role, StaffKind
from ledger.rules.context import RuleContext
from ledger.rules.references import target_of
from ledger.state import (
    CANCELLED,
    RETRACTED,
    DirectoryState,
    EventSummary,
    KeyState,
    StaffState,
    StreamState,
)
from signing.statement import Statement

_FacilityFacts = FoundingFacts | PolicyFacts | HeadsFacts | RotationFacts | SetAsideFacts


def evolve(
    context: RuleContext, statement: Statement, facts: AnyFacts, *, statement_digest: bytes
) -> None:
    """Change the directory and the event's stream state in place; never fails once decided.

    The caller sets `version` and `leaf_hash` of the stream's state, before or after: nothing here
    reads them. A reader without the facility key, who has no `EnrolmentFacts`, may leave those
    events out: the directory still knows keys and roles.

    Args:
        context: at the event's position; `streams` holds the event's own stream.
        statement: of the event.
        facts: of the event.
        statement_digest: SHA-256 of the statement's bytes.
    """
    stream = context.streams[statement.stream]
    stream.kind = statement.stream_kind
    summary = EventSummary(
        type=statement.type,
        statement_digest=statement_digest,
        signer=statement.signer,
        position=context.position,
        version=len(stream.events) + 1,
        root=statement.event_id,
        newest=statement.event_id,
    )
    stream.events[statement.event_id] = summary
    match facts:
        case ResourceFacts():
            _add_resource(stream, statement, facts, summary)
        case AmendmentFacts():
            _amend(stream, statement, facts, summary)
        case ReasonFacts():
            _withdraw(stream, statement, summary)
        case _:
            _evolve_directory(context, statement, facts)


def _evolve_directory(
    context: RuleContext,
    statement: Statement,
    facts: _FacilityFacts | EnrolmentFacts | KeyEnrolledFacts | KeyRevokedFacts | RoleFacts,
) -> None:
    directory = context.directory
    match facts:
        case EnrolmentFacts(kind=kind):
            _staff(directory, statement.stream, kind)
        case KeyEnrolledFacts(key=key):
            _enrol_key(directory, key, context.position)
        case KeyRevokedFacts(key_id=key_id):
            directory.keys[key_id].revoked_at_position = context.position
        case RoleFacts(role=role):
            member = _staff(directory, statement.stream)
            held: frozenset[Role] = frozenset({role})
            granted = statement.type == "role-granted.v1"
            member.roles = member.roles | held if granted else member.roles - held
        case _:
            _evolve_facility(context, statement, facts)


def _evolve_facility(context: RuleContext, statement: Statement, facts: _FacilityFacts) -> None:
    directory = context.directory
    match facts:
        case FoundingFacts():
            _found(directory, statement, facts)
        case PolicyFacts(version=version):
            directory.policy_version = version
            directory.policy_position = context.position
        case HeadsFacts(size=size):
            directory.heads_size = size
        case RotationFacts():
            _take_checkpoint_key(directory, facts, context.position)
        case SetAsideFacts():
            directory.set_aside.append(facts)
        case _:
            assert_never(facts)


def _found(directory: DirectoryState, statement: Statement, facts: FoundingFacts) -> None:
    directory.origin = statement.ledger
    directory.facility = statement.stream
    directory.succeeds = facts.succeeds
    _take_checkpoint_key(directory, facts, 0)
    for key in facts.registrars:
        _enrol_key(directory, key, 0)
        directory.staff[key.staff].roles |= frozenset(FOUNDING_ROLES)


def _take_checkpoint_key(
    directory: DirectoryState, facts: FoundingFacts | RotationFacts, position: int
) -> None:
    key = CheckpointKey(position=position, vkey=facts.checkpoint_key, spki=facts.checkpoint_spki)
    directory.checkpoint_keys.append(key)


def _staff(directory: DirectoryState, stream: str, kind: StaffKind = "practitioner") -> StaffState:
    member = directory.staff.get(stream)
    if member is None:
        member = directory.staff[stream] = StaffState(stream=stream, kind=kind)
    return member


def _enrol_key(directory: DirectoryState, key: EnrolledKey, position: int) -> None:
    directory.keys[key.key_id] = KeyState(
        key_id=key.key_id,
        alg=key.alg,
        spki=key.spki,
        staff=key.staff,
        enrolled_at_position=position,
        certificate=key.certificate,
    )
    directory.nonces.add(key.nonce)
    _staff(directory, key.staff).key_ids.append(key.key_id)


def _add_resource(
    stream: StreamState, statement: Statement, facts: ResourceFacts, summary: EventSummary
) -> None:
    _describe(summary, facts)
    _own(stream, facts, statement.event_id)
    if statement.type == "record-opened.v1":
        stream.patient = facts.patient
    elif statement.type == "record-closed.v1":
        stream.closed = True
    elif statement.type == "result-reported.v1":
        order = target_of(stream, statement, "answers")
        order.results = (*order.results, statement.event_id)
        summary.order = order.root


def _amend(
    stream: StreamState, statement: Statement, facts: AmendmentFacts, summary: EventSummary
) -> None:
    root = target_of(stream, statement, "amends")
    summary.root = root.root
    summary.newest = ""
    root.newest = statement.event_id
    _describe(root, facts.resource)
    _describe(summary, facts.resource)
    _own(stream, facts.resource, root.root)


def _withdraw(stream: StreamState, statement: Statement, summary: EventSummary) -> None:
    if statement.type == "order-cancelled.v1":
        target_of(stream, statement, "answers").status = CANCELLED
        return
    root = target_of(stream, statement, "retracts")
    root.status = RETRACTED
    summary.root = root.root
    summary.newest = ""


def _describe(summary: EventSummary, facts: ResourceFacts) -> None:
    summary.resource_type = facts.resource_type
    summary.resource_id = facts.resource_id
    summary.status = facts.status
    summary.category = facts.category
    summary.members = facts.members


def _own(stream: StreamState, facts: ResourceFacts, owner: str) -> None:
    """Remember whose the ids are; Patient and Encounter bear the stream's and belong to none."""
    for resource_id in (facts.resource_id, *facts.members):
        if resource_id != stream.stream:
            stream.resources[resource_id] = owner
