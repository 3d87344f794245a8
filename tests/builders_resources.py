"""FHIR resources and documents as plain JSON, valid as they are, to be changed at will."""

# ruff: noqa: ANN401 - elements of resources are of any type

import json
import uuid
from collections.abc import Mapping
from typing import Any, TypeAlias

from ledger.vietnam import (
    CITIZEN_ID,
    LICENCE_NUMBER,
    ORDER_NUMBER,
    PLACER_TYPE,
    PLACER_TYPE_SYSTEM,
    RECORD_NUMBER,
    RECORD_TYPE,
)

Json: TypeAlias = dict[str, Any]

OCCURRED_AT = "2026-11-20T03:00:00.000Z"
LOCAL_TIME = "2026-11-20T10:00:00+07:00"
LATER_LOCAL_TIME = "2026-11-20T10:30:00+07:00"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_NAMESPACE = uuid.UUID("01980000-0000-7000-8000-000000000000")


def an_id(name: str) -> str:
    """Return a UUID that stands for a name."""
    return str(uuid.uuid5(_NAMESPACE, name))


def encoded(document: Mapping[str, Any]) -> bytes:
    """Encode a document that is no resource."""
    return json.dumps(document).encode()


def amendment(resource: Mapping[str, Any]) -> bytes:
    """Encode an amendment."""
    return json.dumps({"reason": "Bổ sung", "resource": json.dumps(resource)}).encode()


def concept(system: str, code: str) -> Json:
    """Return a CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code}]}


def narrative(text: str) -> Json:
    """Return a Narrative of one paragraph."""
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{text}</p></div>'
    return {"status": "generated", "div": div}


def placer(name: str) -> Json:
    """Return the placer's number of an order."""
    return {
        "type": concept(PLACER_TYPE_SYSTEM, PLACER_TYPE),
        "system": ORDER_NUMBER,
        "value": f"CD-{name}",
    }


def bundle(*resources: Json) -> Json:
    """Return a collection."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": resource} for resource in resources],
    }


def patient(stream: str) -> Json:
    """Return a Patient."""
    return {
        "resourceType": "Patient",
        "id": stream,
        "identifier": [{"system": CITIZEN_ID, "value": "001080012345"}],
        "name": [{"text": "Nguyễn Thị Hồng Ánh"}],
        "gender": "female",
        "birthDate": "1980-05",
    }


def practitioner(stream: str) -> Json:
    """Return a Practitioner."""
    return {
        "resourceType": "Practitioner",
        "id": stream,
        "identifier": [{"system": LICENCE_NUMBER, "value": "001234/QNI-GPHN"}],
        "name": [{"text": "Trần Văn Bình"}],
    }


def device(stream: str) -> Json:
    """Return a Device."""
    return {
        "resourceType": "Device",
        "id": stream,
        "serialNumber": "SN-0001",
        "deviceName": [{"name": "Máy xét nghiệm huyết học", "type": "user-friendly-name"}],
    }


def encounter(record: str, patient_stream: str) -> Json:
    """Return an Encounter that opens a record."""
    return {
        "resourceType": "Encounter",
        "id": record,
        "identifier": [{"system": RECORD_NUMBER, "value": "26.000123"}],
        "status": "in-progress",
        "class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": "IMP"},
        "type": [concept(RECORD_TYPE, "01/BV1")],
        "subject": {"reference": f"Patient/{patient_stream}"},
        "period": {"start": LOCAL_TIME},
    }


def finished(resource: Json) -> Json:
    """Return the Encounter that closes a record."""
    return {
        **resource,
        "status": "finished",
        "period": {"start": "2026-11-18T08:00:00+07:00", "end": LOCAL_TIME},
    }


GONE: Any = object()
"""Stands for "leave it out" in `changed`."""


def changed(document: Json, pointer: str, value: Any) -> Json:
    """Return a copy in which the place that the pointer names has another value, or is gone."""
    copy = json.loads(json.dumps(document))
    *path, last = [int(part) if part.isdigit() else part for part in pointer.split("/")[1:]]
    place: Any = copy
    for part in path:
        place = place[part]
    if value is GONE:
        del place[last]
    elif isinstance(last, int) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return copy
