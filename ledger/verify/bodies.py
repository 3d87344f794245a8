"""Walk the stored bodies beside the entries, so that neither has one without the other."""

from collections.abc import Iterator
from typing import NamedTuple

from ledger.verify.report import Findings, Place


class StoredBody(NamedTuple):
    """A row of `sealed`, as stored."""

    position: int
    body: bytes


class Bodies:
    """Walks the bodies beside the entries, both by position."""

    def __init__(self, rows: Iterator[StoredBody], findings: Findings) -> None:
        self._rows = rows
        self._findings = findings
        self._next = next(rows, None)

    def at(self, position: int) -> bytes | None:
        """Return the body at a position, asked for in ascending order; None when there is none."""
        while self._next is not None and self._next.position < position:
            self._orphan(self._next)
        if self._next is None or self._next.position != position:
            return None
        body = self._next.body
        self._next = next(self._rows, None)
        return body

    def finish(self) -> None:
        """Report the bodies beyond the last entry."""
        while self._next is not None:
            self._orphan(self._next)

    def _orphan(self, row: StoredBody) -> None:
        self._findings.add(
            "position-gap", Place(position=row.position), "a body without an entry of its own"
        )
        self._next = next(self._rows, None)
