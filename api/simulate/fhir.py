"""Write FHIR R4 (4.0.1) resources as JSON: the small pieces that every resource here shares."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from html import escape
from typing import Final, TypeAlias

import msgspec

JsonObject: TypeAlias = dict[str, object]
"""A JSON object under construction; decimals are `Decimal`, never float."""

FHIR_MEDIA_TYPE: Final = "application/fhir+json"
JSON_MEDIA_TYPE: Final = "application/json"
AMENDMENT_MEDIA_TYPE: Final = "application/vnd.clinledger.amendment+json"

HANOI: Final = timezone(timedelta(hours=7))
LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
SNOMED: Final = "http://snomed.info/sct"
_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"

_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(document: Mapping[str, object]) -> bytes:
    """Return the document as UTF-8 JSON, members in the order in which they were given."""
    return _encoder.encode(document)


def terminology(name: str) -> str:
    """Return the URI of a code system published by HL7."""
    return f"{_TERMINOLOGY}/{name}"


def coding(system: str, code: str, display: str | None = None) -> JsonObject:
    """Return a Coding."""
    parts: JsonObject = {"system": system, "code": code}
    return parts if display is None else {**parts, "display": display}


def concept(*codings: JsonObject, text: str | None = None) -> JsonObject:
    """Return a CodeableConcept of the codings, the text, or both."""
    parts: JsonObject = {"coding": list(codings)} if codings else {}
    return parts if text is None else {**parts, "text": text}


def reference(kind: str, resource_id: str) -> JsonObject:
    """Return a literal relative reference; it never carries a name."""
    return {"reference": f"{kind}/{resource_id}"}


def local_time(at_ms: int) -> str:
    """Return the FHIR dateTime in Hà Nội, whole seconds, of milliseconds since 1970."""
    return datetime.fromtimestamp(at_ms // 1000, tz=HANOI).isoformat()


def local_date(at_ms: int) -> str:
    """Return the calendar day in Hà Nội, `YYYY-MM-DD`."""
    return local_time(at_ms)[:10]


def quantity(value: Decimal, unit: str, code: str | None = None) -> JsonObject:
    """Return a Quantity in UCUM; `code` where the printed unit is not the UCUM code itself."""
    return {"value": value, "unit": unit, "system": UCUM, "code": code or unit}


def scaled(units: int, places: int) -> Decimal:
    """Return `units` of the last decimal place as a decimal that keeps all its digits."""
    return Decimal(units).scaleb(-places)


def narrative(paragraphs: Sequence[str]) -> JsonObject:
    """Return generated narrative of plain paragraphs, escaped."""
    body = "".join(f"<p>{escape(text, quote=False)}</p>" for text in paragraphs)
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>',
    }


def collection(resources: Sequence[JsonObject]) -> JsonObject:
    """Return a Bundle of type `collection`, in order."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
            for resource in resources
        ],
    }


def amendment(reason: str, resource: JsonObject) -> bytes:
    """Return the content of `entry-amended.v1`: why, and the whole new version as a string."""
    return encode({"reason": reason, "resource": encode(resource).decode()})
