"""Keep the current record: a header row per record, a row per item, and look-ups by identifier."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from ledger.folds.item import Item, StreamItems
from ledger.folds.items import evolve_items
from ledger.folds.record import encode_header, item_bytes, record_header, restore_record
from ledger.folds.words import cut
from ledger.rows import BareEvent
from projections.projection import LoadRows, Projection
from projections.tables import Column, RowSink, Table

_RECORD: Final = Column("record", "uuid", "Stream of the record.")

RECORD: Final = Table(
    name="record",
    comment="The current header of each record.",
    columns=(
        _RECORD,
        Column("patient", "uuid", "Stream of the patient.", nullable=True),
        Column("status", "text", "open or closed."),
        Column("opened_position", "bigint", "Position of the opening event."),
        Column("version", "bigint", "Version of the newest event folded."),
        Column("position", "bigint", "Position of that event."),
        Column("body", "bytea", "The header as JSON, as readers get it."),
    ),
    key=("record",),
    stream="record",
    indexes=("patient, opened_position",),
)
RECORD_ITEM: Final = Table(
    name="record_item",
    comment="One row per entry of a record, as it stands now.",
    columns=(
        _RECORD,
        Column("opened_position", "bigint", "Position of the first version; orders the items."),
        Column("event_id", "uuid", "Event of the first version; names the item."),
        Column("section", "text", "diagnoses, notes, orders, results, vitals ..."),
        Column("status", "text", "active, amended, retracted, cancelled, answered ..."),
        Column("position", "bigint", "Position of the newest event that changed the item itself."),
        Column("body", "packed", "The item as JSON, as readers get it, packed."),
    ),
    key=("record", "opened_position"),
    stream="record",
)
RECORD_IDENTIFIER: Final = Table(
    name="record_identifier",
    comment="Finds records by their business identifiers.",
    columns=(
        _RECORD,
        Column("system", "text", "URI of the namespace, or nothing."),
        Column("value", "text", "The identifier as written, its first 200 characters."),
        Column("position", "bigint", "Position of the opening event."),
    ),
    key=("record", "system", "value"),
    stream="record",
    owner="record",
    indexes=("value",),
)
ORDER_IDENTIFIER: Final = Table(
    name="order_identifier",
    comment="Finds orders by their business identifiers.",
    columns=(
        _RECORD,
        Column("event_id", "uuid", "Event of the order's first version."),
        Column("system", "text", "URI of the namespace, or nothing."),
        Column("value", "text", "The identifier as written, its first 200 characters."),
        Column("position", "bigint", "Position of the order."),
    ),
    key=("event_id", "system", "value"),
    stream="record",
    owner="event_id",
    indexes=("value", "record"),
)
TABLES: Final = (RECORD, RECORD_ITEM, RECORD_IDENTIFIER, ORDER_IDENTIFIER)


def _owners(event: BareEvent) -> tuple[str, ...]:
    return (event.stream,)


def _empty(stream: str) -> StreamItems:
    return StreamItems(stream=stream)


def _load(load: LoadRows, streams: Sequence[str]) -> Mapping[str, StreamItems]:
    items: dict[str, list[tuple[int, bytes]]] = {}
    for row in load(RECORD_ITEM, streams):
        items.setdefault(row[0], []).append((row[1], row[6]))
    return {
        row[0]: restore_record(row[6], [body for _, body in sorted(items.get(row[0], []))])
        for row in load(RECORD, streams)
    }


def _write(changes: RowSink, state: StreamItems, touched: Collection[str] | None) -> None:
    record = state.stream
    items = state.items.values() if touched is None else [state.items[name] for name in touched]
    for item in items:
        _write_item(changes, record, item)
    header = record_header(state)
    opened = header.opened
    changes.put(
        RECORD,
        (
            record,
            header.patient,
            header.status,
            -1 if opened is None else opened.position,
            header.version,
            header.position,
            encode_header(header),
        ),
    )
    if opened is not None and (touched is None or opened.event_id in touched):
        named = {(cut(found.system), cut(found.value)) for found in header.identifiers}
        rows = [(record, system, value, opened.position) for system, value in sorted(named)]
        changes.replace(RECORD_IDENTIFIER, record, rows)


def _write_item(changes: RowSink, record: str, item: Item) -> None:
    event_id = item.event_id
    changes.put(
        RECORD_ITEM,
        (
            record,
            item.position,
            event_id,
            item.section,
            item.status,
            item.newest_position,
            item_bytes(item),
        ),
    )
    if item.section == "orders":
        named = {(cut(found.system), cut(found.value)) for found in item.identifiers}
        rows = [(record, event_id, system, value, item.position) for system, value in sorted(named)]
        changes.replace(ORDER_IDENTIFIER, event_id, rows)


def _weight(state: StreamItems) -> int:
    return 1 + len(state.items)


PROJECTION: Final = Projection(
    tables=TABLES,
    kinds=frozenset({"record"}),
    owners=_owners,
    empty=_empty,
    evolve=evolve_items,
    load=_load,
    write=_write,
    weight=_weight,
)
