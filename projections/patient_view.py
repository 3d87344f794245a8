"""Keep the current patient: a header row with every identifier, a row per identity and allergy."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from ledger.folds.item import StreamItems
from ledger.folds.patient import PatientState, patient_header_bytes, restore_patient
from ledger.folds.record import item_bytes
from ledger.rows import BareEvent
from projections.projection import LoadRows
from projections.tables import Column, RowSink, Table

_PATIENT: Final = Column("patient", "uuid", "Stream of the patient.")

PATIENT: Final = Table(
    name="patient",
    comment="The current header of each patient.",
    columns=(
        _PATIENT,
        Column("version", "bigint", "Version of the newest event folded."),
        Column("position", "bigint", "Position of that event."),
        Column("body", "bytea", "The header as JSON: registration and identifiers."),
    ),
    key=("patient",),
    stream="patient",
)
PATIENT_ITEM: Final = Table(
    name="patient_item",
    comment="One row per identity entry and allergy of a patient, as it stands now.",
    columns=(
        _PATIENT,
        Column("opened_position", "bigint", "Position of the first version; orders the items."),
        Column("event_id", "uuid", "Event of the first version; names the item."),
        Column("section", "text", "identity or allergies."),
        Column("status", "text", "active, amended or retracted."),
        Column("position", "bigint", "Position of the newest event that changed the item itself."),
        Column("body", "bytea", "The item as JSON, as readers get it."),
    ),
    key=("patient", "opened_position"),
    stream="patient",
)
TABLES: Final = (PATIENT, PATIENT_ITEM)


def owners(event: BareEvent) -> tuple[str, ...]:
    """Return the patient whose stream the event is in."""
    return (event.stream,)


def empty(stream: str) -> PatientState:
    """Return the state of a patient without events."""
    return PatientState(items=StreamItems(stream=stream))


def load(load_rows: LoadRows, streams: Sequence[str]) -> Mapping[str, PatientState]:
    """Restore patients from their rows."""
    items: dict[str, list[tuple[int, bytes]]] = {}
    for row in load_rows(PATIENT_ITEM, streams):
        items.setdefault(row[0], []).append((row[1], row[6]))
    return {
        row[0]: restore_patient(row[3], [body for _, body in sorted(items.get(row[0], []))])
        for row in load_rows(PATIENT, streams)
    }


def write(changes: RowSink, state: PatientState, touched: Collection[str] | None) -> None:
    """Put the patient's header and the rows of the items touched."""
    stream = state.items
    patient = stream.stream
    for item in (
        stream.items.values() if touched is None else map(stream.items.__getitem__, touched)
    ):
        changes.put(
            PATIENT_ITEM,
            (
                patient,
                item.position,
                item.event_id,
                item.section,
                item.status,
                item.newest_position,
                item_bytes(item),
            ),
        )
    row = (patient, stream.version, stream.position, patient_header_bytes(state))
    changes.put(PATIENT, row)


def weight(state: PatientState) -> int:
    """Count what a state holds."""
    return 1 + len(state.items.items)
