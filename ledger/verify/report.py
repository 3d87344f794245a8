"""Say what a verification found: findings with stable codes, gathered into one report.

Codes and report fields are part of the public interface (ARCHITECTURE §8); docs/trust.md says
what each code means. Details name no person and quote no content: a report may be published.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal, get_args

import msgspec

FindingCode = Literal[
    "position-gap",
    "version-gap",
    "entry-malformed",
    "leaf-mismatch",
    "link-broken",
    "statement-mismatch",
    "container-mismatch",
    "statement-malformed",
    "column-mismatch",
    "signature-invalid",
    "key-not-valid",
    "role-not-valid",
    "rule-broken",
    "seen-inconsistent",
    "reference-mismatch",
    "content-mismatch",
    "body-missing",
    "body-unreadable",
    "duplicate-event",
    "time-regression",
    "head-mismatch",
    "acknowledged-missing",
    "tile-mismatch",
    "checkpoint-inconsistent",
    "heads-mismatch",
    "view-mismatch",
]
FINDING_CODES: Final[tuple[FindingCode, ...]] = get_args(FindingCode)

SELF_ONLY: Final = (
    "consistent with itself only: no checkpoint, receipt or witness was given to compare with"
)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One contradiction between stored bytes and what they should be.

    Attributes:
        code: what kind, stable.
        position: where in the ledger; None when no position is concerned.
        stream: the stream column of that row, as stored, or None.
        event_id: the event_id column of that row, as stored, or None.
        detail: what contradicts what, without content or names.
    """

    code: FindingCode
    position: int | None
    stream: str | None
    event_id: str | None
    detail: str


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """Something kept outside the database that the ledger was compared with.

    Attributes:
        kind: what it is: `receipts` of a file of acknowledgements, or signed `checkpoints`.
        count: how many of them were compared.
        size: the ledger had at least this many entries according to it.
    """

    kind: Literal["receipts", "checkpoints"]
    count: int
    size: int


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one verification found.

    Attributes:
        ok: whether there is no finding.
        origin: of the ledger, as its founding event says; None when there is none to read.
        genesis: leaf hash at position 0, lower-case hex, or None.
        size: number of entries in the tree recomputed from the stored entries.
        root: its root, lower-case hex.
        entries_checked: rows looked at.
        signatures_checked: signatures looked at, valid or not.
        anchors: what outside the database it was compared with.
        findings: by position, those without one first.
        seconds: how long it took.
        notes: what was not looked at, and that there was no anchor; absent in JSON when empty.
    """

    ok: bool
    origin: str | None
    genesis: str | None
    size: int
    root: str
    entries_checked: int
    signatures_checked: int
    anchors: tuple[Anchor, ...]
    findings: tuple[Finding, ...]
    seconds: float
    notes: tuple[str, ...] = ()

    def as_json(self) -> bytes:
        """Return the report as one line of JSON (`verify --json`)."""
        return msgspec.json.encode(self)


def merge_findings(report: Report, findings: Iterable[Finding], *, seconds: float = 0.0) -> Report:
    """Return the report with further findings (of the views), which took so much longer."""
    merged = order(report.findings + tuple(findings))
    return msgspec.structs.replace(
        report, ok=not merged, findings=merged, seconds=round(report.seconds + seconds, 3)
    )


def order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by position, those without one first; otherwise as found."""
    return tuple(sorted(findings, key=lambda f: -1 if f.position is None else f.position))


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The row that is being looked at, as its columns name it."""

    position: int | None = None
    stream: str | None = None
    event_id: str | None = None


NOWHERE: Final = Place()


class Findings:
    """Gathers findings: one per code and position, and at most `limit` of a code.

    Whoever rewrites the past contradicts every later author's `seen`: a thousand proofs of that
    are enough, and the rest are only counted.
    """

    def __init__(self, *, limit: int = 1000) -> None:
        self._limit = limit
        self._found: list[Finding] = []
        self._counts: Counter[FindingCode] = Counter()
        self._last_of: dict[FindingCode, int | None] = {}

    def add(self, code: FindingCode, place: Place, detail: str) -> None:
        """Add a finding, unless this code was just found at this position."""
        if place.position is not None and self._last_of.get(code, -1) == place.position:
            return
        self._last_of[code] = place.position
        self._counts[code] += 1
        if self._counts[code] <= self._limit:
            self._found.append(
                Finding(
                    code=code,
                    position=place.position,
                    stream=place.stream,
                    event_id=place.event_id,
                    detail=detail,
                )
            )

    def result(self) -> tuple[Finding, ...]:
        """Return the findings by position, ending with how many of a code were only counted."""
        rest = [
            Finding(
                code=code,
                position=self._last_of[code],
                stream=None,
                event_id=None,
                detail=f"{count - self._limit} more of this kind, the last of them here",
            )
            for code, count in self._counts.items()
            if count > self._limit
        ]
        return order([*self._found, *rest])
