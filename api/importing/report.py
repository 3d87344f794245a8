"""Say what an import did."""

import time

import msgspec


class Counts:
    """Counts what became of the lines, for the report."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.created = self.already_there = self.refused = 0


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did.

    Attributes:
        lines: that were not blank.
        created: events that this import added.
        already_there: lines whose event was in the ledger, by an earlier line or before.
        refused: lines that were refused.
        size: of the ledger afterwards.
    """

    lines: int
    created: int
    already_there: int
    refused: int
    seconds: float
    events_per_second: float
    size: int


def report_of(counts: Counts, size: int) -> ImportReport:
    """Return the report of an import that has ended."""
    seconds = time.monotonic() - counts.started
    return ImportReport(
        lines=counts.created + counts.already_there + counts.refused,
        created=counts.created,
        already_there=counts.already_there,
        refused=counts.refused,
        seconds=round(seconds, 3),
        events_per_second=round(counts.created / seconds, 1),
        size=size,
    )
