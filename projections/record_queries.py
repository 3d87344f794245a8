"""Read current records, and find records and orders by identifier."""

from typing import Final

import msgspec

from ledger.errors import NotFoundError
from ledger.folds.record import join_record
from projections.packing import unpack
from projections.reads import ViewReader, as_uuid, split_identifier

RECORD_PAGE: Final = """
SELECT -1 AS place, body FROM {views}.record WHERE record = %(record)s
UNION ALL
SELECT opened_position, body FROM {views}.record_item WHERE record = %(record)s
ORDER BY place
"""
RECORDS_BY_IDENTIFIER: Final = """
SELECT r.record, r.patient, r.status, r.position, i.system, i.value
FROM {views}.record_identifier AS i JOIN {views}.record AS r USING (record)
WHERE i.value = %(value)s AND (%(system)s::text IS NULL OR i.system = %(system)s)
ORDER BY i.position, i.system
LIMIT %(limit)s
"""
ORDERS_BY_IDENTIFIER: Final = """
SELECT i.event_id, i.record, r.patient, o.status, o.position, i.system, i.value
FROM {views}.order_identifier AS i
JOIN {views}.record AS r USING (record)
JOIN {views}.record_item AS o ON o.record = i.record AND o.opened_position = i.position
WHERE i.value = %(value)s AND (%(system)s::text IS NULL OR i.system = %(system)s)
ORDER BY i.position, i.system
LIMIT %(limit)s
"""
_MOST_HITS: Final = 100


class RecordHit(msgspec.Struct, frozen=True, kw_only=True):
    """A record found by identifier; `position` is that of its newest event."""

    record: str
    patient: str | None
    status: str
    position: int
    system: str
    value: str


class OrderHit(msgspec.Struct, frozen=True, kw_only=True):
    """An order found by identifier; `position` is that of the newest event that changed it."""

    event_id: str
    record: str
    patient: str | None
    status: str
    position: int
    system: str
    value: str


def record_page(views: ViewReader, record: str) -> bytes:
    """Return the JSON of `GET /v1/records/{id}`, as far as the views have come.

    Raises:
        NotFoundError: `record-unknown`.
        ProjectionFailedError: an item's row is damaged.
    """
    key = as_uuid(record)
    rows = [] if key is None else views.rows(RECORD_PAGE, record=key)
    if not rows:
        raise NotFoundError("record-unknown", "", "no such record in this ledger")
    return join_record(rows[0][1], [unpack(row[1]) for row in rows[1:]])


def records_by_identifier(views: ViewReader, identifier: str) -> list[RecordHit]:
    """Return up to 100 records that bear an identifier, `system|value` or `value`.

    Raises:
        RejectedError: `identifier-malformed`.
    """
    system, value = split_identifier(identifier)
    rows = views.rows(RECORDS_BY_IDENTIFIER, system=system, value=value, limit=_MOST_HITS)
    return [
        RecordHit(
            record=str(record),
            patient=None if patient is None else str(patient),
            status=status,
            position=position,
            system=of,
            value=found,
        )
        for record, patient, status, position, of, found in rows
    ]


def orders_by_identifier(views: ViewReader, identifier: str) -> list[OrderHit]:
    """Return up to 100 orders that bear an identifier, `system|value` or `value`.

    Raises:
        RejectedError: `identifier-malformed`.
    """
    system, value = split_identifier(identifier)
    rows = views.rows(ORDERS_BY_IDENTIFIER, system=system, value=value, limit=_MOST_HITS)
    return [
        OrderHit(
            event_id=str(event_id),
            record=str(record),
            patient=None if patient is None else str(patient),
            status=status,
            position=position,
            system=of,
            value=found,
        )
        for event_id, record, patient, status, position, of, found in rows
    ]
