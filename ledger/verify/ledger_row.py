"""Compare the one row of `ledger` with what was signed, and with the facility key."""

from collections.abc import Sequence

from ledger.keyring import Keyring
from ledger.verify.report import Findings, Place
from ledger.verify.rows import LedgerRow


def check_ledger_row(
    rows: Sequence[LedgerRow],
    findings: Findings,
    *,
    place: Place,
    founded: str,
    keyring: Keyring | None,
) -> None:
    """Compare (1), (11) the ledger row with the founding event's origin and the facility key."""
    if len(rows) != 1 or not rows[0].one:
        findings.add("column-mismatch", place, "there must be one ledger row, marked so")
        return
    if founded and rows[0].origin != founded:
        findings.add(
            "column-mismatch", place, "the ledger row names another origin than the founding"
        )
    if keyring is not None and not names_key(rows, keyring):
        findings.add("column-mismatch", place, "the ledger row names another facility key")


def names_key(rows: Sequence[LedgerRow], keyring: Keyring) -> bool:
    """Tell whether the ledger row names this facility key."""
    return any(row.facility_key_id == keyring.facility_key_id for row in rows)
