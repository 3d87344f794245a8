"""Say what a verification found: findings with stable codes, gathered into one report.

Codes and report fields are part of the public interface (ARCHITECTURE §8); docs/trust.md says
what each code means. Details name no person and quote no content: a report may be published.
"""

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
    "set-aside-mismatch",
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
        kind: what it is: `receipts` of a file of acknowledgements, signed `checkpoints`, or
            `notes`: what an auditor signed of an earlier verification.
        count: how many of them were compared.
        size: the ledger had at least this many entries according to it.
    """

    kind: Literal["receipts", "checkpoints", "notes"]
    count: int
    size: int


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier verification, as an auditor's signed note tells it, spared this one.

    Attributes:
        size: number of entries of the tree that was verified then.
        root: of that tree, lower-case hex.
        by: name of the auditor's key.
        at: when, by the auditor's clock.
        signatures: whether all signatures below that size were checked then.
        rules: whether the rules were applied to all events below it.
        contents: whether all contents below it were compared with what was signed.
        sampled: number of events below it that were derived again this time, drawn at random.
        seed: from which they were drawn, hex: who knows it can tell which (docs/format.md §15).
        seed_given: whether the seed was given, so that somebody may have known the draw before.
    """

    size: int
    root: str
    by: str
    at: str
    signatures: bool
    rules: bool
    contents: bool
    sampled: int
    seed: str
    seed_given: bool


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """Where checkpoints stood that were compared: sizes, of many only some, evenly chosen.

    Attributes:
        stored: of those that the ledger stores.
        given: of those that somebody kept.
    """

    stored: tuple[int, ...] = ()
    given: tuple[int, ...] = ()


OpenedBodies = Literal["all", "record", "directory"]
"""Whose bodies were opened: every stream's, one record's and the directory's, or the latter's."""


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
        opened: whose signatures, rules and contents were checked.
        rules: whether contents were held against their profiles, and events against the rules.
        views: whether the views were compared.
        marks: where the checkpoints stood that were compared.
        since: what was not looked at because a note told that it had been; None without one.
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
    opened: OpenedBodies = "all"
    rules: bool = True
    views: bool = False
    marks: Marks = Marks()
    since: Since | None = None

    def as_json(self) -> bytes:
        """Return the report as one line of JSON (`verify --json`)."""
        return msgspec.json.encode(self)


def merge_findings(report: Report, findings: Iterable[Finding], *, seconds: float = 0.0) -> Report:
    """Return the report with the findings of the views, which took so much longer."""
    merged = order(report.findings + tuple(findings))
    return msgspec.structs.replace(
        report,
        ok=not merged,
        findings=merged,
        seconds=round(report.seconds + seconds, 3),
        views=True,
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
    """Gathers findings: one per code and position, and of each code the first `limit` by position.

    Whoever rewrites the past contradicts every later author's `seen`: a thousand proofs of that
    are enough, and the rest are only counted. In whatever order findings are added or parts of
    them merged, the result is the same.
    """

    def __init__(self, *, limit: int = 1000) -> None:
        self._limit = limit
        self._found: dict[FindingCode, list[Finding]] = {}
        self._rest: dict[FindingCode, tuple[int, int | None]] = {}

    def add(self, code: FindingCode, place: Place, detail: str) -> None:
        """Add a finding, unless this code was found at this position before."""
        found = self._found.setdefault(code, [])
        if found and place.position is not None and found[-1].position == place.position:
            return
        found.append(
            Finding(
                code=code,
                position=place.position,
                stream=place.stream,
                event_id=place.event_id,
                detail=detail,
            )
        )
        if len(found) >= 2 * self._limit:
            self._trim(code)

    def take(self) -> "FoundPart":
        """Return what was found since the last call, to be merged elsewhere, and forget it."""
        for code in self._found:
            self._trim(code)
        part = FoundPart(
            found=tuple(finding for found in self._found.values() for finding in found),
            rest=self._rest,
        )
        self._found, self._rest = {}, {}
        return part

    def merge(self, part: "FoundPart") -> None:
        """Add what was found elsewhere."""
        for finding in part.found:
            self._found.setdefault(finding.code, []).append(finding)
        for code, (count, last) in part.rest.items():
            self._count(code, count, last)
        codes: set[FindingCode] = {finding.code for finding in part.found}
        for code in codes:
            if len(self._found[code]) >= 2 * self._limit:
                self._trim(code)

    def result(self) -> tuple[Finding, ...]:
        """Return the findings by position, ending with how many of a code were only counted."""
        part = self.take()
        self.merge(part)
        rest = [
            Finding(
                code=code,
                position=last,
                stream=None,
                event_id=None,
                detail=f"{count} more of this kind, the last of them here",
            )
            for code, (count, last) in part.rest.items()
        ]
        return order([*sorted(part.found, key=lambda f: _CODE_ORDER[f.code]), *rest])

    def _trim(self, code: FindingCode) -> None:
        kept: list[Finding] = []
        for finding in order(self._found[code]):
            repeated = kept and finding.position is not None
            if not (repeated and kept[-1].position == finding.position):
                kept.append(finding)
        self._found[code] = kept[: self._limit]
        if len(kept) > self._limit:
            self._count(code, len(kept) - self._limit, kept[-1].position)

    def _count(self, code: FindingCode, count: int, last: int | None) -> None:
        before, position = self._rest.get(code, (0, None))
        places = [place for place in (position, last) if place is not None]
        self._rest[code] = (before + count, max(places, default=None))


class FoundPart(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of one part of a ledger, on their way from the process that made them.

    Attributes:
        found: the findings, by code and position.
        rest: by code how many more there were, and the position of the last.
    """

    found: tuple[Finding, ...]
    rest: dict[FindingCode, tuple[int, int | None]]


_CODE_ORDER: Final = {code: number for number, code in enumerate(FINDING_CODES)}
