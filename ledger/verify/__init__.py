"""Verify a ledger: everything is derived again from stored bytes (docs/trust.md).

`run` makes the one pass; `report` says what was found. Nothing here writes.
"""

from ledger.verify.report import FINDING_CODES, Anchor, Finding, FindingCode, Report, merge_findings
from ledger.verify.run import VerifyOptions, verify_ledger

__all__ = [
    "FINDING_CODES",
    "Anchor",
    "Finding",
    "FindingCode",
    "Report",
    "VerifyOptions",
    "merge_findings",
    "verify_ledger",
]
