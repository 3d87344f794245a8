"""Show a record as of any moment, and its history, straight from the ledger.

The folds are those of the live view: as of the head, the bytes are the same.
"""

from typing import Final
from uuid import UUID

from ledger.bare import BareReader
from ledger.errors import NotFoundError, RejectedError
from ledger.folds.history import HistoryEntry, fold_history, render_history
from ledger.folds.record import fold_record, render_record
from ledger.reader import LedgerReader
from ledger.rows import BareEvent
from ledger.store import LAST_POSITION
from signing.statement import parse_time_ms

_SECONDS: Final = len("2026-01-31T23:59:59Z")


def record_as_of(reader: LedgerReader, record: str, position: int | None = None) -> bytes:
    """Return the JSON of a record as it stood right after a position (None: now).

    Raises:
        NotFoundError: `record-unknown`, when there was no such record by then.
    """
    return render_record(fold_record(record, _events(reader, record, position)))


def history(reader: LedgerReader, record: str, position: int | None = None) -> list[HistoryEntry]:
    """Return every event of a record up to a position (None: all), and what each one did.

    Raises:
        NotFoundError: `record-unknown`.
    """
    return fold_history(record, _events(reader, record, position))


def history_page(reader: LedgerReader, record: str, position: int | None = None) -> bytes:
    """Return the JSON of `GET /v1/records/{id}/history`.

    Raises:
        NotFoundError: `record-unknown`.
    """
    return render_history(record, _events(reader, record, position))


def resolve_as_of(reader: LedgerReader, text: str) -> int:
    """Return the position that an `as_of` names: a position, or a received_at time, inclusive.

    -1 is before everything. A time is `YYYY-MM-DDTHH:MM:SS[.mmm]Z`.

    Raises:
        RejectedError: `as-of-malformed`; `as-of-ahead` for a position that is still to come.
    """
    if text.isascii() and text.isdigit():
        position = int(text)
        if position >= reader.head().size:
            raise RejectedError("as-of-ahead", "/as_of", "the ledger has no such position yet")
        return position
    try:
        # A whole second means all of it.
        full = f"{text[:-1]}.999Z" if len(text) == _SECONDS and text.endswith("Z") else text
        return reader.position_at(parse_time_ms(full))
    except ValueError:
        raise RejectedError(
            "as-of-malformed", "/as_of", "give a position or a time such as 2026-01-31T23:59:59Z"
        ) from None


def _events(reader: LedgerReader, record: str, position: int | None) -> list[BareEvent]:
    up_to = LAST_POSITION if position is None else position
    events = BareReader(reader).stream(record, up_to=up_to) if _is_uuid(record) else []
    if not events or events[0].statement.stream_kind != "record":
        raise NotFoundError("record-unknown", "", "no such record in this ledger by then")
    return events


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
