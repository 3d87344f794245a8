"""Read a patient across all of their records."""

from typing import Final

from ledger.errors import NotFoundError
from ledger.folds.patient import render_patient, restore_patient
from ledger.folds.record import restore_record
from projections.packing import unpack
from projections.reads import ViewReader, as_uuid

PATIENT_PAGE: Final = """
SELECT 0 AS part, patient AS owner, -1 AS place, body
FROM {views}.patient
WHERE patient = %(patient)s
UNION ALL
SELECT 0, patient, opened_position, body
FROM {views}.patient_item
WHERE patient = %(patient)s
UNION ALL
SELECT 1, record, -1, body
FROM {views}.record
WHERE patient = %(patient)s
UNION ALL
SELECT 1, i.record, i.opened_position, i.body
FROM {views}.record AS r JOIN {views}.record_item AS i USING (record)
WHERE r.patient = %(patient)s
ORDER BY part, owner, place
"""
_HEADER: Final = -1


def patient_page(views: ViewReader, patient: str) -> bytes:
    """Return the JSON of `GET /v1/patients/{id}`, as far as the views have come.

    Raises:
        NotFoundError: `patient-unknown`.
        ProjectionFailedError: the row of an item of a record is damaged.
    """
    key = as_uuid(patient)
    rows = [] if key is None else views.rows(PATIENT_PAGE, patient=key)
    if not rows or rows[0][0] != 0:
        raise NotFoundError("patient-unknown", "", "no such patient in this ledger")
    state = restore_patient(rows[0][3], [row[3] for row in rows[1:] if row[0] == 0])
    bodies: dict[object, list[bytes]] = {}
    for part, owner, place, body in rows:
        if part == 1:
            bodies.setdefault(owner, []).append(body if place == _HEADER else unpack(body))
    records = [restore_record(header, items) for header, *items in bodies.values()]
    return render_patient(state, records)
