"""Fold a stream's events into items: one per entry, with everything that happened to it.

An item is what one signed entry says today: its newest content, who signed it, each amendment and
retraction with its signer and reason, and what refers to it. Older versions are not repeated, only
named by event_id and position. An event touches the item it opens or follows, and the items that
this one refers to; nothing else.
"""

from typing import Final, Literal

import msgspec

from ledger.folds.contents import NO_RESOURCE, Glance, Identifier, glance, open_amendment, reason_of
from ledger.rows import Event
from signing.statement import Ref, Statement, format_time_ms

Status = Literal[
    "active", "amended", "retracted", "cancelled", "replaced", "in-progress", "answered"
]

SECTIONS: Final = {
    "patient-registered.v1": "identity",
    "patient-identity-updated.v1": "identity",
    "allergy-recorded.v1": "allergies",
    "record-opened.v1": "encounter",
    "record-closed.v1": "closing",
    "diagnosis-recorded.v1": "diagnoses",
    "note-written.v1": "notes",
    "order-placed.v1": "orders",
    "order-cancelled.v1": "cancellations",
    "vitals-recorded.v1": "vitals",
    "result-reported.v1": "results",
}
OTHER_SECTION: Final = "other"
OPEN_ORDER: Final = frozenset({"active", "amended", "in-progress"})
# FHIR R4 DiagnosticReport.status: these say that the answer is there, the others that it is not.
_FINAL_RESULT: Final = frozenset({"final", "amended", "corrected", "appended"})
_NO_RESULT: Final = frozenset({"cancelled", "entered-in-error", "unknown"})


class ItemReference(msgspec.Struct, frozen=True, kw_only=True):
    """A reference that an item's author signed."""

    event_id: str
    relation: str


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Another item of the stream that refers to this one, as it stands now."""

    event_id: str
    position: int
    type: str
    relation: str
    signer: str
    status: str
    resource_status: str | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An amendment or a retraction; `reason` is None when its content was destroyed."""

    event_id: str
    position: int
    version: int
    signer: str
    key_id: str
    occurred_at: str
    signed_at: str
    received_at: str
    reason: str | None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a stream as it stands, under the event_id of its first version.

    Attributes:
        signer: staff stream id of the author of the first version; amendments name their own.
        current_event_id: the event that holds the content shown.
        resource: exact JSON text of that content, `null` when it was destroyed.
        referenced_by: items that refer to this one, oldest first.
    """

    event_id: str
    position: int
    version: int
    type: str
    section: str
    status: Status
    signer: str
    key_id: str
    occurred_at: str
    signed_at: str
    received_at: str
    current_event_id: str
    current_position: int
    resource_status: str | None
    content_status: Literal["present", "destroyed"]
    reason: str | None
    identifiers: tuple[Identifier, ...]
    refs: tuple[ItemReference, ...]
    referenced_by: tuple[Link, ...]
    amendments: tuple[Change, ...]
    retraction: Change | None
    resource: msgspec.Raw

    def __repr__(self) -> str:
        """Show the place only: the rest is about a patient."""
        return f"Item(position={self.position})"

    @property
    def newest_position(self) -> int:
        """Position of the newest event that changed what the item itself says."""
        return self.current_position if self.retraction is None else self.retraction.position


class StreamItems(msgspec.Struct, kw_only=True):
    """The items of one stream; mutable, evolved in place by `evolve_items`.

    Attributes:
        version: version of the newest event folded, 0 when none.
        items: by event_id of the first version, in order of position.
        roots: event_id of each later version to that of its first one.
        sections: event_ids by section, in order of position.
    """

    stream: str
    version: int = 0
    position: int = -1
    received_at: str = ""
    items: dict[str, Item] = msgspec.field(default_factory=dict[str, Item])
    roots: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    sections: dict[str, list[str]] = msgspec.field(default_factory=dict[str, list[str]])

    def __repr__(self) -> str:
        """Show how far it is, never what it holds."""
        return f"StreamItems(version={self.version})"

    def add(self, item: Item) -> None:
        """Take an item in, with the names of its later versions."""
        self.items[item.event_id] = item
        self.sections.setdefault(item.section, []).append(item.event_id)
        for change in item.amendments:
            self.roots[change.event_id] = item.event_id
        if item.retraction is not None:
            self.roots[item.retraction.event_id] = item.event_id

    def find(self, event_id: str) -> Item | None:
        """Return the item to which an event belongs, by any of its versions."""
        return self.items.get(self.roots.get(event_id, event_id))

    def section(self, name: str) -> list[Item]:
        """Return the items of a section in order of position."""
        return [self.items[event_id] for event_id in self.sections.get(name, ())]


def evolve_items(state: StreamItems, event: Event) -> tuple[str, ...]:
    """Fold the next event of the stream in and return the event_ids of the items it touched.

    The first of them is the item that the event opened or changed. Never fails on an event that
    the ledger admitted.
    """
    state.version = event.version
    state.position = event.position
    state.received_at = format_time_ms(event.received_at_ms)
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


def _target(state: StreamItems, statement: Statement, relation: str) -> Item | None:
    for reference in references(statement):
        if reference.relation == relation:
            return state.find(reference.event_id)
    return None


def _open_item(state: StreamItems, event: Event) -> tuple[str, ...]:
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
            ItemReference(event_id=reference.event_id, relation=reference.relation)
            for reference in references(statement)
        ),
        referenced_by=(),
        amendments=(),
        retraction=None,
        resource=seen.resource,
    )
    state.add(item)
    return (item.event_id, *_tell_referenced(state, item)) if item.refs else (item.event_id,)


def _amended(item: Item, event: Event, received_at: str) -> Item:
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


def _change(event: Event, received_at: str, reason: str | None) -> Change:
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


def _content_status(event: Event) -> Literal["present", "destroyed"]:
    return "present" if event.content is not None else "destroyed"
