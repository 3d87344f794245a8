"""Tell a stream's history event by event: what each one was, and what it changed."""

from collections.abc import Iterable
from typing import Final

import msgspec

from ledger.folds.item import ItemReference, StreamItems
from ledger.folds.items import evolve_items, references
from ledger.rows import BareEvent


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What an event did to one item: its status before (None: it was not there) and after."""

    event_id: str
    section: str
    before: str | None
    after: str


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a stream.

    Attributes:
        effects: the first is about the item that the event opened or changed, the others about
            the items that this one refers to.
        content_status: `present` or `destroyed`.
    """

    position: int
    version: int
    event_id: str
    type: str
    signer: str
    key_id: str
    occurred_at: str
    signed_at: str
    received_at: str
    content_status: str
    reason: str | None
    refs: tuple[ItemReference, ...]
    effects: tuple[Effect, ...]

    def __repr__(self) -> str:
        """Show the place only."""
        return f"HistoryEntry(position={self.position})"


_ENCODER: Final = msgspec.json.Encoder()


def fold_history(stream: str, events: Iterable[BareEvent]) -> list[HistoryEntry]:
    """Return one entry per event, from version 1 on."""
    state = StreamItems(stream=stream)
    statuses: dict[str, str] = {}
    return [_entry(state, event, statuses) for event in events]


def render_history(stream: str, events: Iterable[BareEvent]) -> bytes:
    """Return the JSON of `GET /v1/records/{id}/history`."""
    return _ENCODER.encode({"record": stream, "events": fold_history(stream, events)})


def _entry(state: StreamItems, event: BareEvent, statuses: dict[str, str]) -> HistoryEntry:
    statement = event.statement
    touched = evolve_items(state, event)
    effects = tuple(
        Effect(
            event_id=event_id,
            section=state.items[event_id].section,
            before=statuses.get(event_id),
            after=state.items[event_id].status,
        )
        for event_id in touched
    )
    statuses.update((effect.event_id, effect.after) for effect in effects)
    return HistoryEntry(
        position=event.position,
        version=event.version,
        event_id=event.event_id,
        type=statement.type,
        signer=statement.signer,
        key_id=statement.key_id,
        occurred_at=statement.occurred_at,
        signed_at=statement.signed_at,
        received_at=state.received_at,
        content_status="present" if event.content is not None else "destroyed",
        reason=_reason(state, event),
        refs=tuple(
            ItemReference(event_id=reference.event_id, relation=reference.relation)
            for reference in references(statement)
        ),
        effects=effects,
    )


def _reason(state: StreamItems, event: BareEvent) -> str | None:
    item = state.find(event.event_id)
    if item is None:
        return None
    if item.event_id == event.event_id:
        return item.reason
    changes = (*item.amendments, *(() if item.retraction is None else (item.retraction,)))
    return next((change.reason for change in changes if change.event_id == event.event_id), None)
