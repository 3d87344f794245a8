"""The report of a verification: order, limits, and its public JSON."""

import json

from ledger.verify import Finding, Report, merge_findings
from ledger.verify.report import NOWHERE, Findings, Place


def _report(*findings: Finding) -> Report:
    return Report(
        ok=not findings,
        origin="a.example/ledger",
        genesis=None,
        size=0,
        root="00",
        entries_checked=0,
        signatures_checked=0,
        anchors=(),
        findings=findings,
        seconds=1.0,
    )


def _finding(position: int | None) -> Finding:
    return Finding(
        code="view-mismatch", position=position, stream=None, event_id=None, detail="differs"
    )


def test_the_json_has_the_published_fields_in_their_order() -> None:
    """ARCHITECTURE §8; notes only where there are any."""
    document = json.loads(_report(_finding(3)).as_json())

    assert list(document) == [
        "ok",
        "origin",
        "genesis",
        "size",
        "root",
        "entries_checked",
        "signatures_checked",
        "anchors",
        "findings",
        "seconds",
    ]
    assert document["findings"] == [
        {
            "code": "view-mismatch",
            "position": 3,
            "stream": None,
            "event_id": None,
            "detail": "differs",
        }
    ]


def test_findings_of_the_views_make_a_good_report_bad() -> None:
    """They are put in their places by position."""
    merged = merge_findings(_report(_finding(5)), [_finding(9), _finding(None)], seconds=0.5)

    assert not merged.ok
    assert [finding.position for finding in merged.findings] == [None, 5, 9]
    assert merged.seconds == 1.5
    assert merge_findings(_report(), []).ok


def test_a_code_is_reported_once_a_position() -> None:
    """Two steps may find the same."""
    findings = Findings()
    findings.add("key-not-valid", Place(position=4), "first")
    findings.add("key-not-valid", Place(position=4), "second")
    findings.add("rule-broken", Place(position=4), "third")
    findings.add("body-unreadable", NOWHERE, "fourth")
    findings.add("body-unreadable", NOWHERE, "fifth")

    details = [finding.detail for finding in findings.result()]

    assert details == ["fourth", "fifth", "first", "third"]


def test_beyond_the_limit_findings_are_counted() -> None:
    """So that a rewritten past does not fill the memory."""
    findings = Findings(limit=2)
    for position in range(10):
        findings.add("seen-inconsistent", Place(position=position), "saw another")

    result = findings.result()

    assert [finding.position for finding in result] == [0, 1, 9]
    assert result[-1].detail == "8 more of this kind, the last of them here"
