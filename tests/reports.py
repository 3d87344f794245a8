"""Reports of verifications that never were, for tests of how they are shown."""

from typing import Any

from api.report import Made
from ledger.verify import Anchor, Finding, FindingCode, Report
from ledger.verify.report import SELF_ONLY, Marks, Since

MADE = Made(at_ms=1_795_329_600_000, version="0.1.0")
STREAM = "398d6a53-9314-8bd1-95d0-b281a3dbd0ba"
EVENT = "ced92986-3fed-8fc9-bb91-d067cba7bd76"


def report(**members: Any) -> Report:  # noqa: ANN401 - members of all types
    """Return the report of a ledger of 1,000 entries in which nothing was found."""
    whole: dict[str, Any] = {
        "ok": not members.get("findings"),
        "origin": "bvdk.quangninh.example/ledger",
        "genesis": "0d5b4e59d6e491e205548ba249206966ef2e75e581e7469464bdb8d9b9a35fd6",
        "size": 1000,
        "root": "a89432f360c167a5bebce3d10ee6e4d41bd8ab8011a1869fb5647965797505f9",
        "entries_checked": 1000,
        "signatures_checked": 1000,
        "anchors": (),
        "findings": (),
        "seconds": 1.5,
        "views": True,
    }
    return Report(**{**whole, **members})


def finding(code: FindingCode, position: int | None, **members: Any) -> Finding:  # noqa: ANN401
    """Return a finding."""
    told: dict[str, Any] = {"stream": STREAM, "event_id": EVENT, "detail": "not what was signed"}
    return Finding(code=code, position=position, **{**told, **members})


def since(**members: Any) -> Since:  # noqa: ANN401 - members of all types
    """Return what a note of 640 entries told."""
    told: dict[str, Any] = {
        "size": 640,
        "root": "ab" * 32,
        "by": "so-y-te.example/auditor",
        "at": "2025-11-20T03:00:00.000Z",
        "signatures": True,
        "rules": True,
        "contents": True,
        "sampled": 64,
        "seed": "11" * 32,
        "seed_given": False,
    }
    return Since(**{**told, **members})


def busy() -> Report:
    """Return a report with something of everything."""
    return report(
        findings=(
            finding("head-mismatch", None, stream=None, event_id=None),
            finding("content-mismatch", 211),
            finding("acknowledged-missing", 1200, stream=None),
        ),
        anchors=(
            Anchor(kind="notes", count=1, size=640),
            Anchor(kind="receipts", count=12, size=1201),
        ),
        marks=Marks(stored=(1, 300, 900), given=(700,)),
        since=since(),
        notes=(SELF_ONLY, "a remark of a later version"),
    )
