"""Describe an illness as the hospital sees it: whom it strikes, how it runs, what is done."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from api.simulate.names import Sex


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """An ICD-10 code and the diagnosis in Vietnamese."""

    code: str
    text: str


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How one number runs: at admission, at the height of the illness, at discharge."""

    first: Decimal
    middle: Decimal
    last: Decimal

    def at(self, share: Decimal) -> Decimal:
        """Return the number when this share, 0 to 1, of the stay is over."""
        half = Decimal("0.5")
        if share <= half:
            return self.first + (self.middle - self.first) * share / half
        return self.middle + (self.last - self.middle) * (share - half) / half


class LabPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A panel and the days on which it is ordered; day -1 is the day before discharge.

    Attributes:
        positive: analytes without a number that turn out positive.
        preliminary: whether a preliminary result is signed first.
    """

    panel: str
    days: tuple[int, ...]
    positive: frozenset[str] = frozenset()
    preliminary: bool = False


class ImagingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """An examination, its day, and what it shows."""

    examination: str
    day: int
    indication: str
    findings: str
    impression: str


class DrugPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A drug, its first day, for how many days, and how it is to be given."""

    drug: str
    day: int
    days: int
    instruction: str


class ProcedurePlan(msgspec.Struct, frozen=True, kw_only=True):
    """A procedure ordered on a day, and the note that reports it."""

    day: int
    name: str
    reason: str
    report: tuple[tuple[str, str], ...]


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """What is written in one third of the stay; `{...}` are filled from the day's vital signs.

    Attributes:
        subjective: what the patient says, one of these a day.
        objective: what is found.
        assessment, plan: what it means and what follows.
        nursing: what the nurse writes, one of these a day.
    """

    subjective: tuple[str, ...]
    objective: str
    assessment: str
    plan: tuple[str, ...]
    nursing: tuple[str, ...]


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """An illness.

    Attributes:
        weight: how often, against the other scenarios.
        record_type: number of the record form, `01` to `29` (`NN/BV1`).
        shortest, longest: days of the stay.
        course: of vital signs and analytes, by key.
        phases: three: the beginning, the middle and the end of the stay.
    """

    key: str
    weight: int
    department: str
    record_type: str
    youngest: int
    oldest: int
    shortest: int
    longest: int
    sex: Sex | None = None
    admitted_with: Diagnosis
    discharged_with: Diagnosis
    comorbidities: tuple[Diagnosis, ...] = ()
    complaint: tuple[str, ...]
    history: tuple[str, ...]
    past: tuple[str, ...]
    examination: str
    course: Mapping[str, Course]
    labs: tuple[LabPlan, ...]
    imaging: tuple[ImagingPlan, ...]
    drugs: tuple[DrugPlan, ...]
    procedures: tuple[ProcedurePlan, ...] = ()
    nursing_order: str
    phases: tuple[Phase, Phase, Phase]
    outcome: str
    advice: tuple[str, ...]


def icd(code: str, text: str) -> Diagnosis:
    """Return a diagnosis."""
    return Diagnosis(code=code, text=text)


def courses(**rows: str) -> dict[str, Course]:
    """Return courses written as three numbers each: `TEMP="38.9 37.8 36.8"`."""
    return {key: _course(row) for key, row in rows.items()}


def _course(row: str) -> Course:
    first, middle, last = (Decimal(word) for word in row.split())
    return Course(first=first, middle=middle, last=last)


def lab(panel: str, *days: int, positive: str = "", preliminary: bool = False) -> LabPlan:
    """Return the plan of a panel on these days; `positive` lists analytes apart by spaces."""
    return LabPlan(
        panel=panel, days=days, positive=frozenset(positive.split()), preliminary=preliminary
    )


def image(
    examination: str, day: int, *, indication: str, findings: str, impression: str
) -> ImagingPlan:
    """Return the plan of an imaging examination."""
    return ImagingPlan(
        examination=examination,
        day=day,
        indication=indication,
        findings=findings,
        impression=impression,
    )


def drug(key: str, day: int, *, days: int, how: str) -> DrugPlan:
    """Return the plan of a drug."""
    return DrugPlan(drug=key, day=day, days=days, instruction=how)
