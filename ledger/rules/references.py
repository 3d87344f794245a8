"""Judge the references of an event: what they name, and what of it they may name."""

from typing import Final

from msgspec import UNSET

from ledger.catalogue import CATALOGUE
from ledger.rules.context import refuse
from ledger.state import CANCELLED, EventSummary, StreamState
from signing.statement import Ref, Statement

_ORDER_RELATIONS: Final = frozenset({"answers", "replaces"})
_CORRECTIONS: Final = frozenset({"amends", "retracts"})


def check_references(stream: StreamState, statement: Statement) -> None:
    """Demand that every reference names an entry of this stream, by its text, that stands.

    Raises:
        CommandRefusedError: `reference-unknown`, `reference-mismatch`, `reference-retracted`,
            `reference-type` or `reference-not-newest`; the pointer says which reference.
    """
    if statement.refs is UNSET:
        return
    for index, ref in enumerate(statement.refs):
        pointer = f"/refs/{index}"
        summary = stream.events.get(ref.event_id)
        if summary is None:
            raise refuse("reference-unknown", f"{pointer}/event_id", "not an event of this stream")
        if summary.statement_digest.hex() != ref.statement:
            raise refuse("reference-mismatch", f"{pointer}/statement")
        _check_target(ref, stream.events[summary.root], pointer)


def target_of(stream: StreamState, statement: Statement, relation: str) -> EventSummary:
    """Return the root of the amendment chain that the reference of a relation names.

    Raises:
        CommandRefusedError: `reference-missing`.
    """
    for ref in () if statement.refs is UNSET else statement.refs:
        if ref.relation == relation and ref.event_id in stream.events:
            return stream.events[stream.events[ref.event_id].root]
    raise refuse("reference-missing", "/refs")


def _check_target(ref: Ref, root: EventSummary, pointer: str) -> None:
    if root.is_retracted:
        raise refuse("reference-retracted", f"{pointer}/event_id")
    if ref.relation in _ORDER_RELATIONS and root.type != "order-placed.v1":
        raise refuse("reference-type", f"{pointer}/event_id", "not an order")
    if ref.relation not in _CORRECTIONS:
        return
    kind = CATALOGUE[root.type]
    if not (kind.amendable if ref.relation == "amends" else kind.retractable):
        raise refuse("reference-type", f"{pointer}/event_id", "this type cannot be corrected so")
    if ref.event_id != root.newest:
        raise refuse("reference-not-newest", f"{pointer}/event_id")
    if root.status == CANCELLED:
        raise refuse("order-cancelled", f"{pointer}/event_id")
