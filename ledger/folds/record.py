"""Fold a record's stream into the current record, and render it as `GET /v1/records/{id}` does.

The live view, the record as of any moment and `verify` all come through here: the view stores the
bytes of `header_bytes` and `item_bytes`, and everyone joins them with `join_record`.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from ledger.folds.contents import CodeableConcept, Identifier, Reference, as_id
from ledger.folds.item import Item, StreamItems
from ledger.folds.items import evolve_items
from ledger.rows import BareEvent
from ledger.vietnam import RECORD_TYPE


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """An event that opened or closed something: where it stands, when, and who signed it."""

    event_id: str
    position: int
    signer: str
    occurred_at: str
    received_at: str


class RecordHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a record says of itself before its items.

    Attributes:
        patient: patient stream id, None when the opening content was destroyed.
        record_type: code of the Vietnamese record type, such as `01/BV1`.
        identifiers: of the encounter as it stands.
        version: version of the record's newest event; `position` and `received_at` are its too.
    """

    record: str
    patient: str | None
    status: Literal["open", "closed"]
    record_type: str | None
    identifiers: tuple[Identifier, ...]
    version: int
    position: int
    received_at: str
    opened: Moment | None
    closed: Moment | None

    def __repr__(self) -> str:
        """Show how far it is, never what it holds."""
        return f"RecordHeader(version={self.version})"


class _Encounter(msgspec.Struct, frozen=True, kw_only=True):
    type: tuple[CodeableConcept, ...] = ()
    subject: Reference = Reference()


_ENCOUNTER: Final = msgspec.json.Decoder(_Encounter)
_ENCODER: Final = msgspec.json.Encoder()
_ITEM: Final = msgspec.json.Decoder(Item)
_HEADER: Final = msgspec.json.Decoder(RecordHeader)


def fold_record(record: str, events: Iterable[BareEvent]) -> StreamItems:
    """Fold a record's events, from version 1 on in order, into its items."""
    state = StreamItems(stream=record)
    for event in events:
        evolve_items(state, event)
    return state


def record_header(state: StreamItems) -> RecordHeader:
    """Derive the header of a record from its items."""
    opening = next(iter(state.section("encounter")), None)
    closing = next((i for i in reversed(state.section("closing")) if i.retraction is None), None)
    encounter = _encounter(opening)
    return RecordHeader(
        record=state.stream,
        patient=as_id(encounter.subject.reference.removeprefix("Patient/")),
        status="open" if closing is None else "closed",
        record_type=_record_type(encounter),
        identifiers=() if opening is None else opening.identifiers,
        version=state.version,
        position=state.position,
        received_at=state.received_at,
        opened=moment(opening),
        closed=moment(closing),
    )


def moment(item: Item | None) -> Moment | None:
    """Return when and by whom an item was first signed."""
    if item is None:
        return None
    return Moment(
        event_id=item.event_id,
        position=item.position,
        signer=item.signer,
        occurred_at=item.occurred_at,
        received_at=item.received_at,
    )


def header_bytes(state: StreamItems) -> bytes:
    """Return the header as JSON, the form that views store and `join_record` takes."""
    return encode_header(record_header(state))


def encode_header(header: RecordHeader) -> bytes:
    """Return a derived header as `header_bytes` does."""
    return _ENCODER.encode(header)


def item_bytes(item: Item) -> bytes:
    """Return an item as JSON, its resource embedded as the exact text that was signed."""
    return _ENCODER.encode(item)


def read_item(body: bytes) -> Item:
    """Return the item that `item_bytes` wrote."""
    return _ITEM.decode(body)


def read_header(body: bytes) -> RecordHeader:
    """Return the header that `header_bytes` wrote."""
    return _HEADER.decode(body)


def restore_record(header: bytes, items: Iterable[bytes]) -> StreamItems:
    """Return the state whose header and items (by position) were stored as these bytes."""
    known = read_header(header)
    state = StreamItems(
        stream=known.record,
        version=known.version,
        position=known.position,
        received_at=known.received_at,
    )
    for body in items:
        state.add(read_item(body))
    return state


def join_record(header: bytes, items: Sequence[bytes]) -> bytes:
    """Join a header and its items, ordered by position, to the JSON of a whole record."""
    return b"".join((header[:-1], b',"items":[', b",".join(items), b"]}"))


def render_record(state: StreamItems) -> bytes:
    """Return the JSON of `GET /v1/records/{id}` for a folded record."""
    return join_record(header_bytes(state), [item_bytes(item) for item in state.items.values()])


def _encounter(opening: Item | None) -> _Encounter:
    if opening is None:
        return _Encounter()
    try:
        return _ENCOUNTER.decode(opening.resource)
    except msgspec.DecodeError:  # destroyed: its resource is null
        return _Encounter()


def _record_type(encounter: _Encounter) -> str | None:
    codings = (coding for concept in encounter.type for coding in concept.coding)
    return next((coding.code for coding in codings if coding.system == RECORD_TYPE), None)
