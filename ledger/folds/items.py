"""Fold a stream's events into items.

An event touches the item it opens or follows, and the items that this one refers to; nothing else.
"""

from functools import lru_cache
from typing import Final, Literal

import msgspec

from ledger.folds.contents import NO_RESOURCE, Glance, glance, open_amendment, reason_of
from ledger.folds.item import (
    OTHER_SECTION,
    SECTIONS,
    Change,
    Item,
    ItemReference,
    Link,
    Status,
    StreamItems,
)
from ledger.rows import BareEvent
from signing.statement import Ref, Statement, format_time_ms

# FHIR R4 DiagnosticReport.status: these say that the answer is there, the others that it is not.
_FINAL_RESULT: Final = frozenset({"final", "amended", "corrected", "appended"})
_NO_RESULT: Final = frozenset({"cancelled", "entered-in-error", "unknown"})


def evolve_items(state: StreamItems, event: BareEvent) -> tuple[str, ...]:
    """Fold the next event of the stream in and return the event_ids of the items it touched.

    The first of them is the item that the event opened or changed. Never fails on an event that
    the ledger admitted.
    """
    state.version = event.version
    state.position = event.position
    state.received_at = _time_text(event.received_at_ms)
    statement = event.statement
    target: Item | None = None
    if statement.type == "entry-amended.v1":
        target = _target(state, statement, "amends")
    elif statement.type == "entry-retracted.v1":
        target = _target(state, statement, "retracts")
    if target is None:
        return _open_item(state, event)
    state.roots[event.event_id] = target.event_id
    if statement.type == "entry-amended.v1":
        changed = _amended(target, event, state.received_at)
    else:
        retraction = _change(event, state.received_at, reason_of(event.content))
        changed = msgspec.structs.replace(target, retraction=retraction)
    changed = msgspec.structs.replace(changed, status=_status(changed))
    state.items[changed.event_id] = changed
    return (changed.event_id, *_tell_referenced(state, changed))


def references(statement: Statement) -> tuple[Ref, ...]:
    """Return a statement's references, empty when it has none."""
    return () if isinstance(statement.refs, msgspec.UnsetType) else statement.refs


def _time_text(ms: int) -> str:
    return f"{_second_text(ms // 1000)}.{ms % 1000:03}Z"


@lru_cache(maxsize=1024)
def _second_text(seconds: int) -> str:
    # Events come in order, many in a second; writing a time was a fifteenth of a rebuild's folding.
    return format_time_ms(1000 * seconds).removesuffix(".000Z")


def _target(state: StreamItems, statement: Statement, relation: str) -> Item | None:
    for reference in references(statement):
        if reference.relation == relation:
            return state.find(reference.event_id)
    return None


def _open_item(state: StreamItems, event: BareEvent) -> tuple[str, ...]:
    statement = event.statement
    seen = glance(statement.type, event.content)
    item = Item(
        event_id=event.event_id,
        position=event.position,
        version=event.version,
        type=statement.type,
        section=SECTIONS.get(statement.type, OTHER_SECTION),
        status="active",
        signer=statement.signer,
        key_id=statement.key_id,
        occurred_at=statement.occurred_at,
        signed_at=statement.signed_at,
        received_at=state.received_at,
        current_event_id=event.event_id,
        current_position=event.position,
        resource_status=seen.resource_status,
        content_status=_content_status(event),
        reason=seen.reason,
        identifiers=seen.identifiers,
        refs=tuple(
            [
                ItemReference(event_id=reference.event_id, relation=reference.relation)
                for reference in references(statement)
            ]
        ),
        referenced_by=(),
        amendments=(),
        retraction=None,
        resource=seen.resource,
    )
    state.add(item)
    return (item.event_id, *_tell_referenced(state, item)) if item.refs else (item.event_id,)


def _amended(item: Item, event: BareEvent, received_at: str) -> Item:
    reason, content = open_amendment(event.content)
    seen = glance(item.type, content) if content is not None else Glance(resource=NO_RESOURCE)
    return msgspec.structs.replace(
        item,
        current_event_id=event.event_id,
        current_position=event.position,
        resource_status=seen.resource_status,
        content_status=_content_status(event),
        identifiers=seen.identifiers,
        amendments=(*item.amendments, _change(event, received_at, reason)),
        resource=seen.resource,
    )


def _change(event: BareEvent, received_at: str, reason: str | None) -> Change:
    statement = event.statement
    return Change(
        event_id=event.event_id,
        position=event.position,
        version=event.version,
        signer=statement.signer,
        key_id=statement.key_id,
        occurred_at=statement.occurred_at,
        signed_at=statement.signed_at,
        received_at=received_at,
        reason=reason,
    )


def _tell_referenced(state: StreamItems, item: Item) -> list[str]:
    """Bring the links of the items that this one refers to up to date; return their event_ids."""
    touched: list[str] = []
    for reference in item.refs:
        target = state.find(reference.event_id)
        if target is None or target.event_id == item.event_id:
            continue
        link = Link(
            event_id=item.event_id,
            position=item.position,
            type=item.type,
            relation=reference.relation,
            signer=item.signer,
            status=item.status,
            resource_status=item.resource_status,
        )
        others = tuple(
            known
            for known in target.referenced_by
            if (known.event_id, known.relation) != (link.event_id, link.relation)
        )
        links = (*others, link)
        if len(others) < len(target.referenced_by):
            links = tuple(sorted(links, key=_by_position))
        changed = msgspec.structs.replace(target, referenced_by=links)
        changed = msgspec.structs.replace(changed, status=_status(changed))
        state.items[changed.event_id] = changed
        touched.append(changed.event_id)
    return touched


def _by_position(link: Link) -> tuple[int, str]:
    return link.position, link.relation


def _status(item: Item) -> Status:
    if item.retraction is not None:
        return "retracted"
    if item.section == "orders":
        followed = _order_status(item)
        if followed is not None:
            return followed
    return "amended" if item.amendments else "active"


def _order_status(item: Item) -> Status | None:
    status: Status | None = None
    for link in item.referenced_by:
        if link.status == "retracted":
            continue
        if link.type == "order-cancelled.v1":
            return "cancelled"
        if link.relation == "replaces":
            return "replaced"
        if link.type == "result-reported.v1" and link.resource_status not in _NO_RESULT:
            if link.resource_status in _FINAL_RESULT:
                status = "answered"
            elif status is None:
                status = "in-progress"
    return status


def _content_status(event: BareEvent) -> Literal["present", "destroyed"]:
    return "present" if event.content is not None else "destroyed"
