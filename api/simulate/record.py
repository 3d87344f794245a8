"""Open and close records, and record diagnoses: Encounter and Condition."""

from typing import Final

import msgspec

from api.simulate.chart import Chart, Entry
from api.simulate.departments import DEPARTMENTS, HOSPITAL_NAME
from api.simulate.fhir import JsonObject, coding, concept, local_time, terminology
from api.simulate.scenario import Diagnosis
from ledger.vietnam import ICD_10, RECORD_NUMBER, RECORD_TYPE, STORAGE_NUMBER

ICD_10_VERSION: Final = "TT06/2026"


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """What the cover of a record says.

    Attributes:
        record_type: `01` to `29`.
        department: our key of the ward.
        doctor: staff key of the doctor in charge.
        number: of the record at this facility.
        bed: number of the bed in the ward.
        opened_ms: when the patient was admitted.
    """

    record_type: str
    department: str
    doctor: str
    number: str
    bed: int
    opened_ms: int
    reason: str


def open_record(chart: Chart, stay: Stay, *, signer: str) -> Entry:
    """Add `record-opened`: the Encounter whose id is the record's stream."""
    resource = _encounter(chart, stay, status="in-progress")
    return chart.add("record-opened.v1", resource, signer=signer, at_ms=stay.opened_ms)


def close_record(chart: Chart, stay: Stay, *, signer: str, at_ms: int) -> Entry:
    """Add `record-closed`: the finished Encounter, with the number under which it is stored."""
    resource = _encounter(chart, stay, status="finished", closed_ms=at_ms)
    home = coding(terminology("discharge-disposition"), "home")
    resource["hospitalization"] = {"dischargeDisposition": concept(home, text="Ra viện")}
    return chart.add("record-closed.v1", resource, signer=signer, at_ms=at_ms)


def record_diagnosis(
    chart: Chart, diagnosis: Diagnosis, *, signer: str, at_ms: int, use: str
) -> Entry:
    """Add a diagnosis; `use` is HL7's diagnosis-role: AD on admission, DD at discharge, CM."""
    event_id = chart.new_id()
    active = coding(terminology("condition-clinical"), "active")
    certain = "provisional" if use == "AD" else "confirmed"
    coded = coding(ICD_10, diagnosis.code)
    coded["version"] = ICD_10_VERSION
    resource: JsonObject = {
        "resourceType": "Condition",
        "id": event_id,
        "clinicalStatus": concept(active),
        "verificationStatus": concept(coding(terminology("condition-ver-status"), certain)),
        "category": [
            concept(coding(terminology("condition-category"), "encounter-diagnosis")),
            concept(coding(terminology("diagnosis-role"), use)),
        ],
        "code": concept(coded, text=diagnosis.text),
        "subject": chart.patient,
        "encounter": chart.encounter,
        "recordedDate": local_time(at_ms),
        "recorder": chart.staff(signer),
    }
    return chart.add(
        "diagnosis-recorded.v1", resource, signer=signer, at_ms=at_ms, event_id=event_id
    )


def _encounter(
    chart: Chart, stay: Stay, *, status: str, closed_ms: int | None = None
) -> JsonObject:
    department = DEPARTMENTS[stay.department]
    identifiers = [{"system": RECORD_NUMBER, "value": stay.number}]
    period = {"start": local_time(stay.opened_ms)}
    if closed_ms is not None:
        identifiers.append({"system": STORAGE_NUMBER, "value": f"LT{stay.number[2:]}"})
        period["end"] = local_time(closed_ms)
    record_type = f"{stay.record_type}/BV1"
    return {
        "resourceType": "Encounter",
        "id": chart.subject.record,
        "identifier": identifiers,
        "status": status,
        "class": coding(terminology("v3-ActCode"), "IMP", "inpatient encounter"),
        "type": [concept(coding(RECORD_TYPE, record_type))],
        "serviceType": concept(text=department.name),
        "subject": chart.patient,
        "participant": [{"individual": chart.staff(stay.doctor)}],
        "period": period,
        "reasonCode": [concept(text=stay.reason)],
        "location": [
            {
                "location": {
                    "display": f"Giường {stay.bed:02d}, {department.name}, mã {department.code}"
                }
            }
        ],
        "serviceProvider": {"display": HOSPITAL_NAME},
    }
