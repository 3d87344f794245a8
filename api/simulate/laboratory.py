"""Order laboratory panels and report their results, as the analyser or a technician signs them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from api.simulate.analytes import ANALYTES, PANELS, Analyte, Panel
from api.simulate.chance import Chance, derived_id
from api.simulate.chart import Chart, Entry
from api.simulate.fhir import (
    LOINC,
    SNOMED,
    JsonObject,
    coding,
    collection,
    concept,
    local_time,
    quantity,
    scaled,
    terminology,
)
from api.simulate.names import Sex
from api.simulate.orders import LOCAL_CODES, Order, place_order
from api.simulate.scenario import Course, LabPlan

_LABORATORY: Final = f"{LOCAL_CODES}/laboratory"
_SPREAD_PERCENT: Final = 4


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken from whom, when, and what the illness makes of it.

    Attributes:
        course: of the analytes that the illness moves.
        share: share of the stay that is over.
        positive: analytes without a number that are positive.
    """

    panel: Panel
    sex: Sex
    course: Mapping[str, Course]
    share: Decimal
    positive: frozenset[str]
    taken_at_ms: int
    reported_at_ms: int


def order_panel(chart: Chart, plan: LabPlan, *, signer: str, at_ms: int, why: str) -> Entry:
    """Add the order of a panel."""
    panel = PANELS[plan.panel]
    codes = [coding(_LABORATORY, panel.key, panel.name)]
    if panel.loinc:
        codes.insert(0, coding(LOINC, panel.loinc))
    order = Order(category="laboratory", code=concept(*codes, text=panel.name), reason=why)
    return place_order(chart, order, signer=signer, at_ms=at_ms)


def report_panel(chart: Chart, order: Entry, sample: Sample, *, status: str) -> Entry:
    """Add the analyser's signed result with this FHIR status."""
    event_id = chart.new_id()
    observations = [
        _observation(chart, sample, ANALYTES[key], derived_id(event_id, key), status)
        for key in sample.panel.analytes
    ]
    report: JsonObject = {
        "resourceType": "DiagnosticReport",
        "id": event_id,
        "basedOn": [{"reference": f"ServiceRequest/{order.event.event_id}"}],
        "status": status,
        "category": [concept(coding(terminology("v2-0074"), "LAB", "Laboratory"))],
        "code": order.resource["code"],
        "subject": chart.patient,
        "encounter": chart.encounter,
        "effectiveDateTime": local_time(sample.taken_at_ms),
        "issued": local_time(sample.reported_at_ms),
        "performer": [{"display": "Khoa Xét nghiệm"}],
        "result": [{"reference": f"urn:uuid:{seen['id']}"} for seen in observations],
    }
    return chart.add(
        "result-reported.v1",
        collection([report, *observations]),
        signer=sample.panel.analyser,
        at_ms=sample.taken_at_ms,
        filed_ms=sample.reported_at_ms,
        refs=(("answers", order.event.event_id),),
        event_id=event_id,
    )


def _observation(
    chart: Chart, sample: Sample, analyte: Analyte, resource_id: str, status: str
) -> JsonObject:
    codes = [coding(_LABORATORY, analyte.key, analyte.name)]
    if analyte.loinc:
        codes.insert(0, coding(LOINC, analyte.loinc))
    return {
        "resourceType": "Observation",
        "id": resource_id,
        "status": status,
        "category": [concept(coding(terminology("observation-category"), "laboratory"))],
        "code": concept(*codes, text=analyte.name),
        "subject": chart.patient,
        "encounter": chart.encounter,
        "effectiveDateTime": local_time(sample.taken_at_ms),
        "issued": local_time(sample.reported_at_ms),
        "specimen": {"display": sample.panel.specimen},
        "device": chart.staff(sample.panel.analyser),
        **_value(chart.chance, sample, analyte),
    }


def _value(chance: Chance, sample: Sample, analyte: Analyte) -> JsonObject:
    if analyte.low is None or analyte.high is None:
        found = analyte.key in sample.positive
        code, word = ("10828004", "Dương tính") if found else ("260385009", "Âm tính")
        return {
            "valueCodeableConcept": concept(coding(SNOMED, code), text=word),
            "interpretation": [_interpretation("POS" if found else "NEG")],
        }
    low, high = analyte.low, analyte.high
    if analyte.female and sample.sex == "female":
        low, high = analyte.female
    value = draw_value(chance, sample, analyte, (low, high))
    return {
        "valueQuantity": quantity(value, analyte.unit, analyte.ucum),
        "interpretation": [_interpretation(flag(value, analyte, (low, high)))],
        "referenceRange": [
            {
                "low": quantity(low, analyte.unit, analyte.ucum),
                "high": quantity(high, analyte.unit, analyte.ucum),
            }
        ],
    }


def draw_value(
    chance: Chance, sample: Sample, analyte: Analyte, limits: tuple[Decimal, Decimal]
) -> Decimal:
    """Return a value on the illness's course, or a normal one, with the analyte's decimals."""
    course = sample.course.get(analyte.key)
    low, high = (int(limit.scaleb(analyte.places)) for limit in limits)
    if course is None:
        fifth = (high - low) // 5
        return scaled(chance.near_middle(low + fifth, high - fifth), analyte.places)
    units = int(course.at(sample.share).scaleb(analyte.places).to_integral_value())
    spread = 0 if analyte.key == "PH" else units * _SPREAD_PERCENT // 100
    return scaled(units + chance.between(-spread, spread), analyte.places)


def flag(value: Decimal, analyte: Analyte, limits: tuple[Decimal, Decimal]) -> str:
    """Return HL7's interpretation code: N, L, H, and LL, HH beyond the alarm limits."""
    if analyte.panic and value <= analyte.panic[0]:
        return "LL"
    if analyte.panic and value >= analyte.panic[1]:
        return "HH"
    if value < limits[0]:
        return "L"
    return "H" if value > limits[1] else "N"


def _interpretation(code: str) -> JsonObject:
    return concept(coding(terminology("v3-ObservationInterpretation"), code))
