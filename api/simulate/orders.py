"""Place orders: laboratory, imaging, procedures, nursing and drugs, each with its order number."""

from typing import Final, Literal

import msgspec

from api.simulate.chance import derived_id
from api.simulate.chart import DAY_MS, Chart, Entry, PlannedRef
from api.simulate.drugs import ATC_SYSTEM, DRUGS
from api.simulate.fhir import (
    SNOMED,
    JsonObject,
    coding,
    concept,
    local_date,
    local_time,
    quantity,
)
from api.simulate.scenario import DrugPlan
from ledger.vietnam import ORDER_CATEGORY, ORDER_NUMBER, PLACER_TYPE, PLACER_TYPE_SYSTEM

LOCAL_CODES: Final = "https://clinledger.example/fhir/simulate/CodeSystem"

Category = Literal["laboratory", "imaging", "procedure", "nursing"]
_NUMBER_LETTERS: Final = {
    "laboratory": "XN", "imaging": "HA", "procedure": "PT", "nursing": "CS", "medication": "TH"
}  # fmt: skip


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, in which category, and why."""

    category: Category
    code: JsonObject
    reason: str


def place_order(chart: Chart, order: Order, *, signer: str, at_ms: int) -> Entry:
    """Add the order of a service."""
    event_id = chart.new_id()
    resource: JsonObject = {
        "resourceType": "ServiceRequest",
        "id": event_id,
        "identifier": [_number(event_id, order.category)],
        "status": "active",
        "intent": "order",
        "category": [concept(coding(ORDER_CATEGORY, order.category))],
        "priority": "routine",
        "code": order.code,
        "subject": chart.patient,
        "encounter": chart.encounter,
        "authoredOn": local_time(at_ms),
        "requester": chart.staff(signer),
        "reasonCode": [concept(text=order.reason)],
    }
    return chart.add("order-placed.v1", resource, signer=signer, at_ms=at_ms, event_id=event_id)


def order_drug(
    chart: Chart, plan: DrugPlan, *, signer: str, at_ms: int, refs: tuple[PlannedRef, ...] = ()
) -> Entry:
    """Add the order of a drug."""
    event_id = chart.new_id()
    drug = DRUGS[plan.drug]
    route_code, route_name = drug.route_code
    resource: JsonObject = {
        "resourceType": "MedicationRequest",
        "id": event_id,
        "identifier": [_number(event_id, "medication")],
        "status": "active",
        "intent": "order",
        "category": [concept(coding(ORDER_CATEGORY, "medication"))],
        "medicationCodeableConcept": concept(coding(ATC_SYSTEM, drug.atc), text=drug.name),
        "subject": chart.patient,
        "encounter": chart.encounter,
        "authoredOn": local_time(at_ms),
        "requester": chart.staff(signer),
        "dosageInstruction": [
            {
                "text": plan.instruction,
                "timing": {
                    "repeat": {
                        "boundsPeriod": {
                            "start": local_date(at_ms),
                            "end": local_date(at_ms + (plan.days - 1) * DAY_MS),
                        },
                        "frequency": drug.times,
                        "period": 1,
                        "periodUnit": "d",
                    }
                },
                "route": concept(coding(SNOMED, route_code, route_name), text=drug.route),
                "doseAndRate": [{"doseQuantity": quantity(drug.dose, drug.unit)}],
            }
        ],
    }
    return chart.add(
        "order-placed.v1", resource, signer=signer, at_ms=at_ms, event_id=event_id, refs=refs
    )


def _number(event_id: str, category: str) -> JsonObject:
    """Return the placer's number of the order, made from its id so that it never repeats."""
    digits = int(derived_id("order number", event_id)[:8], 16)
    return {
        "type": concept(coding(PLACER_TYPE_SYSTEM, PLACER_TYPE)),
        "system": ORDER_NUMBER,
        "value": f"{_NUMBER_LETTERS[category]}{digits:010d}",
    }
