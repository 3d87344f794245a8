"""Fold a patient's stream, and join it with the patient's records to one page.

Identity is the newest identity entry that was not retracted. Every identifier ever recorded stays
in the history: a citizen identification number may be cancelled and issued anew.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from ledger.folds.contents import Identifier
from ledger.folds.item import OPEN_ORDER, Item, StreamItems
from ledger.folds.items import evolve_items
from ledger.folds.record import Moment, item_bytes, moment, read_item, record_header
from ledger.folds.results import latest_results
from ledger.rows import BareEvent


class IdentifierPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """An identifier and the positions between which the ledger held it to be the patient's.

    Attributes:
        since_position: of the event that brought it.
        until_position: of the event after which it was no longer given, None while it is.
    """

    system: str
    value: str
    use: str | None
    since_position: int
    until_position: int | None


class PatientHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a patient's stream says of itself before its items.

    Attributes:
        identity: event_id of the identity item that holds, None when all were retracted.
        identifiers: all that ever were, in the order in which they came.
    """

    patient: str
    version: int
    position: int
    received_at: str
    registered: Moment | None
    identity: str | None
    identifiers: tuple[IdentifierPeriod, ...]

    def __repr__(self) -> str:
        """Show how far it is, never what it holds."""
        return f"PatientHeader(version={self.version})"


class PatientState(msgspec.Struct, kw_only=True):
    """A patient's folded stream; mutable, evolved in place by `evolve_patient`."""

    items: StreamItems
    identifiers: tuple[IdentifierPeriod, ...] = ()

    def __repr__(self) -> str:
        """Show how far it is, never what it holds."""
        return f"PatientState(version={self.items.version})"


_ENCODER: Final = msgspec.json.Encoder()
_HEADER: Final = msgspec.json.Decoder(PatientHeader)
_PLACED_SECTIONS: Final = (("diagnoses", "diagnoses"), ("vitals", "vitals"), ("notes", "notes"))


def fold_patient(patient: str, events: Iterable[BareEvent]) -> PatientState:
    """Fold a patient's events, from version 1 on in order."""
    state = PatientState(items=StreamItems(stream=patient))
    for event in events:
        evolve_patient(state, event)
    return state


def evolve_patient(state: PatientState, event: BareEvent) -> tuple[str, ...]:
    """Fold the next event in and return the event_ids of the items it touched."""
    touched = evolve_items(state.items, event)
    if any(state.items.items[event_id].section == "identity" for event_id in touched):
        identity = current_identity(state)
        given = () if identity is None else identity.identifiers
        state.identifiers = _followed(state.identifiers, given, position=event.position)
    return touched


def current_identity(state: PatientState) -> Item | None:
    """Return the newest identity item that was not retracted, or None."""
    items = reversed(state.items.section("identity"))
    return next((item for item in items if item.retraction is None), None)


def patient_header(state: PatientState) -> PatientHeader:
    """Derive the header of a patient from the folded stream."""
    identity = current_identity(state)
    return PatientHeader(
        patient=state.items.stream,
        version=state.items.version,
        position=state.items.position,
        received_at=state.items.received_at,
        registered=moment(next(iter(state.items.section("identity")), None)),
        identity=None if identity is None else identity.event_id,
        identifiers=state.identifiers,
    )


def patient_header_bytes(state: PatientState) -> bytes:
    """Return the header as JSON, the form that views store."""
    return _ENCODER.encode(patient_header(state))


def restore_patient(header: bytes, items: Iterable[bytes]) -> PatientState:
    """Return the state whose header and items (by position) were stored as these bytes."""
    known = _HEADER.decode(header)
    stream = StreamItems(
        stream=known.patient,
        version=known.version,
        position=known.position,
        received_at=known.received_at,
    )
    for body in items:
        stream.add(read_item(body))
    return PatientState(items=stream, identifiers=known.identifiers)


def render_patient(state: PatientState, records: Sequence[StreamItems]) -> bytes:
    """Return the JSON of `GET /v1/patients/{id}`: the patient, across all of their records.

    Retracted entries stay, marked so; `open_orders` and `latest_results` alone leave them out. An
    order of a closed record can no longer be answered, so it is not open.

    Args:
        state: the patient's folded stream.
        records: the patient's records, in any order.
    """
    ordered = sorted(records, key=_opening_position)
    identity = current_identity(state)
    body: dict[str, object] = {
        **msgspec.structs.asdict(patient_header(state)),
        "identity": None if identity is None else identity,
        "identity_history": [
            other for other in state.items.section("identity") if other is not identity
        ],
        "allergies": state.items.section("allergies"),
        "records": [record_header(record) for record in ordered],
    }
    for key, section in _PLACED_SECTIONS:
        body[key] = [
            _placed(record, item) for record in ordered for item in record.section(section)
        ]
    body["open_orders"] = [
        _placed(record, item)
        for record in ordered
        if record_header(record).status == "open"
        for item in record.section("orders")
        if item.status in OPEN_ORDER
    ]
    body["latest_results"] = latest_results(ordered)
    return _ENCODER.encode(body)


def _followed(
    known: tuple[IdentifierPeriod, ...], given: tuple[Identifier, ...], *, position: int
) -> tuple[IdentifierPeriod, ...]:
    """Carry the history on: end what is no longer given, begin what is new."""
    missing = {(identifier.system, identifier.value): identifier for identifier in given}
    history: list[IdentifierPeriod] = []
    for period in known:
        if period.until_position is not None:
            history.append(period)
            continue
        still = missing.pop((period.system, period.value), None)
        if still is None:
            history.append(msgspec.structs.replace(period, until_position=position))
        else:
            history.append(msgspec.structs.replace(period, use=still.use))
    history.extend(
        IdentifierPeriod(
            system=identifier.system,
            value=identifier.value,
            use=identifier.use,
            since_position=position,
            until_position=None,
        )
        for identifier in missing.values()
    )
    return tuple(history)


def _opening_position(record: StreamItems) -> int:
    return next((item.position for item in record.items.values()), -1)


def _placed(record: StreamItems, item: Item) -> msgspec.Raw:
    place = _ENCODER.encode({"record": record.stream})
    return msgspec.Raw(place[:-1] + b"," + item_bytes(item)[1:])
