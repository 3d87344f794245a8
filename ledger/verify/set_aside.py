"""Compare what was set aside with the events that record it: each needs the other."""

from collections.abc import Iterable, Sequence

from ledger.merkle import CompactRange, peaks_at
from ledger.profiles.facts import SetAsideFacts
from ledger.set_aside import SetAside, SetAsideRows, describe
from ledger.verify.report import Findings, Place
from ledger.verify.tree import LedgerTree


class SetAsideChecker:
    """Knows what lies in the tables, and says what an event at a position must record."""

    def __init__(self, findings: Findings) -> None:
        """Report to `findings`; nothing was set aside until `expect` says so."""
        self._findings = findings
        self._rows: dict[int, SetAsideRows] = {}

    def expect(self, rows: Iterable[SetAsideRows]) -> None:
        """Take in what lies in the tables."""
        self._rows.update((one.size, one) for one in rows)

    def at(self, position: int, tree: LedgerTree) -> SetAside | None:
        """Return what the event at a position must record, None for nothing.

        Args:
            position: of the event.
            tree: of at least as many entries.
        """
        rows = self._rows.get(position)
        if rows is None:
            return None
        return describe(rows, CompactRange.from_peaks(position, peaks_at(tree, position)))

    def finish(self, recorded: Sequence[SetAsideFacts]) -> None:
        """Report what was set aside without a sound event that records it, and the reverse."""
        sizes = {facts.decided.size for facts in recorded}
        for size in sorted(self._rows.keys() - sizes):
            self._find(size, "entries were set aside here, and no event records it")
        for size in sorted(sizes - self._rows.keys()):
            self._find(size, "what was set aside here is missing")

    def _find(self, size: int, detail: str) -> None:
        self._findings.add("set-aside-mismatch", Place(position=size), detail)
