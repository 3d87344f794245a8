"""Say what an item is: one entry of a stream, with everything that happened to it.

An item is what one signed entry says today: its newest content, who signed it, each amendment and
retraction with its signer and reason, and what refers to it. Older versions are not repeated, only
named by event_id and position.
"""

from typing import Final, Literal

import msgspec

from ledger.folds.contents import Identifier

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
