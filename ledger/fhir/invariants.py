"""Say how each invariant of the definitions is checked; read by the generator only.

A formula is written into the generated struct as Python, so that checking costs no call. Names in
formulas are FHIR element names; ``value[x]`` stands for a whole choice.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct


class AtLeastOne(Struct, frozen=True):
    """One of the elements must be there."""

    names: tuple[str, ...]


class ExactlyOne(Struct, frozen=True):
    """One of two elements must be there, but not both."""

    name: str
    other: str


class Needs(Struct, frozen=True):
    """``name`` may be there only with ``other``."""

    name: str
    other: str


class Excludes(Struct, frozen=True):
    """``name`` may not be there with ``other``."""

    name: str
    other: str


class NotNegative(Struct, frozen=True):
    """The number must not be below zero."""

    name: str


class Call(Struct, frozen=True):
    """Call a function when the element ``guard`` has a value.

    ``{choice}`` in the source stands for whether the choice element ``choice`` is there.
    """

    source: str
    guard: str | None = None
    choice: str | None = None


Formula = AtLeastOne | ExactlyOne | Needs | Excludes | NotNegative | Call

FORMULAS: Final[Mapping[str, Formula]] = {
    "age-1": Call("constraints.age_1(self.value, self.system, self.code)"),
    "ait-1": Call("constraints.ait_1(self.clinicalStatus, self.verificationStatus)"),
    "ait-2": Call("constraints.ait_2(self.clinicalStatus, self.verificationStatus)"),
    "att-1": Needs("data", "contentType"),
    "bdl-1": Call("constraints.bdl_1(self.type)", "total"),
    "bdl-2": Call("constraints.bdl_2(self.type, self.entry)", "entry"),
    "bdl-3": Call("constraints.bdl_3(self.type, self.entry)", "entry"),
    "bdl-4": Call("constraints.bdl_4(self.type, self.entry)", "entry"),
    "bdl-5": AtLeastOne(("resource", "request", "response")),
    "bdl-7": Call("constraints.bdl_7(self.type, self.entry)", "entry"),
    "bdl-8": Call("constraints.bdl_8(self.fullUrl)", "fullUrl"),
    "bdl-9": Call("constraints.bdl_9(self.type, self.identifier)"),
    "bdl-10": Call("constraints.bdl_10(self.type, self.timestamp)"),
    "bdl-11": Call("constraints.bdl_11(self.type, self.entry)"),
    "bdl-12": Call("constraints.bdl_12(self.type)"),
    "cmp-1": AtLeastOne(("text", "entry", "section")),
    "cmp-2": Excludes("emptyReason", "entry"),
    "cnt-3": Call("constraints.cnt_3(self.value, self.system, self.code)"),
    "con-1": AtLeastOne(("summary", "assessment")),
    "con-2": AtLeastOne(("code", "detail")),
    "con-4": Call("constraints.con_4(self.clinicalStatus)", "abatement[x]"),
    "con-5": Call("constraints.con_5(self.verificationStatus)", "clinicalStatus"),
    "cpt-2": Needs("value", "system"),
    "dis-1": Call("constraints.dis_1(self.value, self.system, self.code)"),
    "dom-2": Call("constraints.dom_2(self.contained)", "contained"),
    "dom-4": Call("constraints.dom_4(self.contained)", "contained"),
    "dom-5": Call("constraints.dom_5(self.contained)", "contained"),
    "drq-1": ExactlyOne("path", "searchParam"),
    "drq-2": ExactlyOne("path", "searchParam"),
    "drt-1": Call("constraints.drt_1(self.value, self.system)", "code"),
    "ext-1": ExactlyOne("extension", "value[x]"),
    "exp-1": AtLeastOne(("expression", "reference")),
    "obs-3": AtLeastOne(("low", "high", "text")),
    "obs-6": Excludes("dataAbsentReason", "value[x]"),
    "obs-7": Call("constraints.obs_7(self.code, self.component)", "value[x]"),
    "org-1": AtLeastOne(("name", "identifier")),
    "org-2": Call("constraints.org_2(self.address)", "address"),
    "org-3": Call("constraints.org_3(self.telecom)", "telecom"),
    "pat-1": AtLeastOne(("name", "telecom", "address", "organization")),
    "per-1": Call("constraints.per_1(self.start, self.end)"),
    "prr-1": Needs("orderDetail", "code"),
    "qty-3": Needs("code", "system"),
    "rat-1": Call("constraints.rat_1(self.numerator, self.denominator, self.extension)"),
    "rng-2": Call("constraints.rng_2(self.low, self.high)"),
    "tim-1": Needs("duration", "durationUnit"),
    "tim-2": Needs("period", "periodUnit"),
    "tim-4": NotNegative("duration"),
    "tim-5": NotNegative("period"),
    "tim-6": Needs("periodMax", "period"),
    "tim-7": Needs("durationMax", "duration"),
    "tim-8": Needs("countMax", "count"),
    "tim-9": Call("constraints.tim_9(self.when)", "offset"),
    "tim-10": Excludes("timeOfDay", "when"),
    "trd-1": Excludes("data", "timing[x]"),
    "trd-2": Needs("condition", "data"),
    "trd-3": Call(
        "constraints.trd_3(self.type, self.name, self.data, timing={timing[x]})",
        choice="timing[x]",
    ),
    "txt-1": Call("narrative.check_narrative(self.div)"),
}

# Checked on the whole resource by validation.py, because they look beyond one struct.
WHOLE_RESOURCE: Final = frozenset({"dom-3", "ref-1"})
# Checked together with txt-1.
JOINED: Final = frozenset({"txt-2"})
