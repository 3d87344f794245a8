"""Judge clinical entries: orders and their results, amendments and retractions."""

from typing import Final

from ledger.profiles.facts import AmendmentFacts, ResourceFacts
from ledger.rules.context import refuse
from ledger.rules.references import target_of
from ledger.state import CANCELLED, EventSummary, StreamState
from signing.statement import Statement

FINAL_STATUSES: Final = frozenset({"final", "amended", "corrected", "appended"})
"""FHIR statuses of a report or observation that is complete."""

_HAS_FINALITY: Final = frozenset({"note-written.v1", "vitals-recorded.v1", "result-reported.v1"})


def check_result(stream: StreamState, statement: Statement, facts: ResourceFacts) -> None:
    """Demand an order that stands, that the report names, and that has no final result yet.

    Raises:
        CommandRefusedError: `order-mismatch`, `order-cancelled` or `result-final`.
    """
    order = target_of(stream, statement, "answers")
    if facts.based_on != order.resource_id:
        raise refuse("order-mismatch", "/refs", "basedOn names another order")
    _check_open(stream, order)


def check_cancellation(stream: StreamState, statement: Statement) -> None:
    """Demand an order that stands and has no final result.

    Raises:
        CommandRefusedError: `order-cancelled` or `result-final`.
    """
    _check_open(stream, target_of(stream, statement, "answers"))


def check_amendment(
    stream: StreamState, statement: Statement, facts: AmendmentFacts, root: EventSummary
) -> None:
    """Demand a whole new version of the same entry.

    Raises:
        CommandRefusedError: `amendment-type`, `resource-id-changed`, `category-changed`,
            `order-mismatch`, `signer-not-responsible`, `status-transition`,
            `order-has-results` or `subject-mismatch`; `order-cancelled` or `result-final` for a
            result that would become final too late.
    """
    new = facts.resource
    if facts.amends_type != root.type:
        raise refuse("amendment-type", "", "the new version is of another type of event")
    if new.resource_type != root.resource_type or new.resource_id != root.resource_id:
        raise refuse("resource-id-changed", "", "the new version is another resource")
    if not set(root.members) <= set(new.members):
        raise refuse("resource-id-changed", "", "the new version lacks a resource of the bundle")
    if new.patient != (stream.patient or stream.stream):
        raise refuse("subject-mismatch", "", "the subject is not the record's patient")
    if new.category != root.category and root.type in {"note-written.v1", "order-placed.v1"}:
        raise refuse("category-changed", "", "form and category cannot be amended")
    if root.order and new.based_on != stream.events[root.order].resource_id:
        raise refuse("order-mismatch", "", "basedOn names another order")
    if new.responsible and not {statement.signer, root.signer} & set(new.responsible):
        raise refuse("signer-not-responsible", "", "neither author is named in the new version")
    _check_status(new.status, root)
    if root.order and root.status == "preliminary" and new.status == "final":
        _check_open(stream, stream.events[root.order])
    if _live_results(stream, root):
        raise refuse("order-has-results", "/refs", "an answered order stays as it is")


def check_retraction(stream: StreamState, root: EventSummary) -> None:
    """Demand that no result answers what is retracted.

    Raises:
        CommandRefusedError: `order-has-results`.
    """
    if _live_results(stream, root):
        raise refuse("order-has-results", "/refs", "retract the result first")


def check_resource_ids(stream: StreamState, facts: ResourceFacts, owner: str) -> None:
    """Demand that no id of the content belongs to another entry of the stream.

    Args:
        stream: the event's stream.
        facts: of the event.
        owner: event_id of the chain root that the resources belong to.

    Raises:
        CommandRefusedError: `resource-id-taken`.
    """
    events, owners = stream.events, stream.resources
    for resource_id in (facts.resource_id, *facts.members):
        taken = owners.get(resource_id, owner) != owner
        if taken or (resource_id in events and resource_id != owner):
            raise refuse("resource-id-taken", "", "another entry has a resource with this id")


def _live_results(stream: StreamState, order: EventSummary) -> list[EventSummary]:
    results = (stream.events[event_id] for event_id in order.results)
    return [result for result in results if not result.is_retracted]


def _check_open(stream: StreamState, order: EventSummary) -> None:
    if order.status == CANCELLED:
        raise refuse("order-cancelled", "/refs")
    if any(result.status in FINAL_STATUSES for result in _live_results(stream, order)):
        raise refuse("result-final", "/refs", "the order has a final result")


def _check_status(status: str, root: EventSummary) -> None:
    if root.type not in _HAS_FINALITY:
        return
    was_final = root.status in FINAL_STATUSES
    stays_open = status in {"preliminary", "final"}
    if was_final == stays_open:
        raise refuse("status-transition", "", "final is amended or corrected; preliminary is not")
