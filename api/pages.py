"""Say what the answers look like that the folds and view queries spell (for OpenAPI and tests)."""

from typing import Literal

import msgspec

from ledger.folds.history import HistoryEntry
from ledger.folds.items import Item
from ledger.folds.patient import IdentifierPeriod
from ledger.folds.record import Moment, RecordHeader
from ledger.folds.results import LatestResult
from projections.record_queries import OrderHit, RecordHit
from projections.search_view import Hit


class RecordPage(RecordHeader, frozen=True, kw_only=True):
    """A record: its header, and every entry as it stands, by position of its first version."""

    items: tuple[Item, ...]


class RecordHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Every event of a record, in order."""

    record: str
    events: tuple[HistoryEntry, ...]


class PlacedItem(Item, frozen=True, kw_only=True):
    """An entry, and the record in which it stands."""

    record: str


class PatientPage(msgspec.Struct, frozen=True, kw_only=True):
    """A patient across all of their records.

    Attributes:
        identity: the entry that holds now; older and retracted ones are in `identity_history`.
        identifiers: all that ever were, with the positions between which they were given.
        open_orders: placed, not answered, cancelled, replaced or retracted, in open records.
        latest_results: the newest result of each code.
    """

    patient: str
    version: int
    position: int
    received_at: str
    registered: Moment | None
    identity: Item | None
    identity_history: tuple[Item, ...]
    identifiers: tuple[IdentifierPeriod, ...]
    allergies: tuple[Item, ...]
    records: tuple[RecordHeader, ...]
    diagnoses: tuple[PlacedItem, ...]
    vitals: tuple[PlacedItem, ...]
    notes: tuple[PlacedItem, ...]
    open_orders: tuple[PlacedItem, ...]
    latest_results: tuple[LatestResult, ...]


class RecordsFound(msgspec.Struct, frozen=True, kw_only=True):
    """Records that bear an identifier."""

    records: tuple[RecordHit, ...]


class OrdersFound(msgspec.Struct, frozen=True, kw_only=True):
    """Orders that bear an identifier."""

    orders: tuple[OrderHit, ...]


class PatientsFound(msgspec.Struct, frozen=True, kw_only=True):
    """Patients found, best match first; `next` continues after them, null at the end."""

    patients: tuple[Hit, ...]
    next: str | None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: Literal["ok"]


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether events can be appended and read."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, str]
