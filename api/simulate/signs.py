"""Draw vital signs along an illness's course, and write them as a Bundle of Observations."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from api.simulate.chance import Chance, derived_id
from api.simulate.chart import Chart, Entry
from api.simulate.fhir import (
    LOINC,
    JsonObject,
    coding,
    collection,
    concept,
    local_time,
    quantity,
    scaled,
    terminology,
)
from api.simulate.scenario import Course
from api.simulate.staff import STAFF_BY_KEY

_SPREAD: Final = {"TEMP": 2, "HR": 4, "RR": 1, "SYS": 5, "DIA": 3, "SPO2": 1}
_FULL_SATURATION: Final = 100


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """One set of vital signs: °C with one decimal, beats and breaths a minute, mmHg, percent."""

    temperature: Decimal
    heart_rate: int
    breaths: int
    systolic: int
    diastolic: int
    saturation: int

    def words(self) -> dict[str, str]:
        """Return the signs as they are quoted in notes."""
        return {
            "temp": f"{self.temperature}".replace(".", ","),
            "hr": str(self.heart_rate),
            "rr": str(self.breaths),
            "bp": f"{self.systolic}/{self.diastolic}",
            "spo2": str(self.saturation),
        }


def draw_signs(chance: Chance, course: Mapping[str, Course], share: Decimal) -> Signs:
    """Return signs as they are when this share of the stay is over, with some spread."""

    def draw(key: str, places: int = 0) -> int:
        middle = int(course[key].at(share).scaleb(places).to_integral_value())
        return middle + chance.between(-_SPREAD[key], _SPREAD[key])

    return Signs(
        temperature=scaled(draw("TEMP", 1), 1),
        heart_rate=draw("HR"),
        breaths=draw("RR"),
        systolic=draw("SYS"),
        diastolic=draw("DIA"),
        saturation=min(_FULL_SATURATION, draw("SPO2")),
    )


def record_signs(chart: Chart, signs: Signs, *, signer: str, at_ms: int) -> Entry:
    """Add a `vitals-recorded` event, signed by a monitor or a nurse."""
    event_id = chart.new_id()
    rows = (
        ("8310-5", "Nhiệt độ cơ thể", quantity(signs.temperature, "°C", "Cel")),
        ("8867-4", "Mạch", quantity(Decimal(signs.heart_rate), "lần/phút", "/min")),
        ("9279-1", "Nhịp thở", quantity(Decimal(signs.breaths), "lần/phút", "/min")),
        ("59408-5", "SpO2", quantity(Decimal(signs.saturation), "%")),
    )
    resources = [_blood_pressure(signs)]
    resources += [
        {"code": concept(coding(LOINC, code), text=text), "valueQuantity": value}
        for code, text, value in rows
    ]
    whole = [
        {
            "resourceType": "Observation",
            "id": event_id if index == 0 else derived_id(event_id, str(index)),
            "status": "final",
            "category": [concept(coding(terminology("observation-category"), "vital-signs"))],
            "code": part.pop("code"),
            "subject": chart.patient,
            "encounter": chart.encounter,
            "effectiveDateTime": local_time(at_ms),
            **_by(chart, signer),
            **part,
        }
        for index, part in enumerate(resources)
    ]
    return chart.add(
        "vitals-recorded.v1", collection(whole), signer=signer, at_ms=at_ms, event_id=event_id
    )


def _by(chart: Chart, signer: str) -> JsonObject:
    """Name who measured; a Device cannot be a performer (FHIR R4 Observation.performer)."""
    staff = chart.staff(signer)
    return {"device": staff} if STAFF_BY_KEY[signer].is_device else {"performer": [staff]}


def _blood_pressure(signs: Signs) -> JsonObject:
    rows = (
        ("8480-6", "Huyết áp tâm thu", signs.systolic),
        ("8462-4", "Huyết áp tâm trương", signs.diastolic),
    )
    return {
        "code": concept(coding(LOINC, "85354-9"), text="Huyết áp"),
        "component": [
            {
                "code": concept(coding(LOINC, code), text=text),
                "valueQuantity": quantity(Decimal(value), "mmHg", "mm[Hg]"),
            }
            for code, text, value in rows
        ],
    }
