"""List the projections of this version, and the layout that marks their tables."""

import hashlib
from collections.abc import Collection
from typing import Final

from ledger.folds.patient import PatientState, evolve_patient
from projections import key_directory, patient_view, record_view, search_view
from projections.packing import DICTIONARY_DIGEST
from projections.projection import AnyProjection, Projection
from projections.tables import RowSink, Table

# Raised when the same events would yield other rows although the tables look the same.
_FOLDS: Final = 1


def _write_patient(changes: RowSink, state: PatientState, touched: Collection[str] | None) -> None:
    patient_view.write(changes, state, touched)
    search_view.write(changes, state, touched)


_PATIENT: Final = Projection(
    tables=patient_view.TABLES + search_view.TABLES,
    kinds=frozenset({"patient"}),
    owners=patient_view.owners,
    empty=patient_view.empty,
    evolve=evolve_patient,
    load=patient_view.load,
    write=_write_patient,
    weight=patient_view.weight,
)

PROJECTIONS: Final[tuple[AnyProjection, ...]] = (
    record_view.PROJECTION,
    _PATIENT,
    key_directory.PROJECTION,
)
TABLES: Final[tuple[Table, ...]] = tuple(
    table for projection in PROJECTIONS for table in projection.tables
)
LAYOUT: Final = hashlib.sha256(repr((_FOLDS, DICTIONARY_DIGEST, TABLES)).encode()).hexdigest()
"""Views of another layout were made by another version of the program: they are rebuilt."""
