"""Rows of `entry` that nobody but a superuser could have written are told, whatever they hold."""

from ledger.verify.entries import SpanChecker
from ledger.verify.report import Findings
from ledger.verify.rows import StoredEntry

_HASH = bytes(32)


def test_versions_below_one_are_gaps_also_where_they_follow_one_another() -> None:
    """No link is defined for them (docs/format.md): the number has no sign there."""
    rows = [
        StoredEntry(at, bytes(16), at - 4, at.to_bytes(16), bytes(108), _HASH, _HASH)
        for at in range(4)
    ]
    findings = Findings()

    span = SpanChecker(findings, start=0).check(rows)

    gaps = [f.position for f in findings.result() if f.code == "version-gap"]
    assert gaps == [1, 2, 3]
    assert [opening.version for opening in span.openings] == [-4]
