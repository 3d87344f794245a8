"""The smallest valid JSON of every type and backbone element, built from the definitions."""

import json
from typing import Any, Final, cast

from ledger.fhir.trimmer import DEFINITIONS

Json = dict[str, Any]

_LOADED: Final = json.loads(DEFINITIONS.read_text("utf-8"))
TYPES: Final = cast("dict[str, Json]", _LOADED["types"])
CODES: Final = cast("dict[str, dict[str, list[str]] | None]", _LOADED["codes"])
ELEMENTS: Final = {
    cast("str", element["path"]): cast("Json", element)
    for entry in TYPES.values()
    for element in entry["elements"]
}
OWNERS: Final = sorted({path.rpartition(".")[0] for path in ELEMENTS} - {""})
RESOURCES: Final = frozenset(name for name, entry in TYPES.items() if entry["kind"] == "resource")
# A resource and place in it for the data types that no extension can hold.
_PLACES: Final = {
    "Narrative": ("Patient", "text"),
    "Extension": ("Patient", "extension"),
    "Element": ("Patient", "_birthDate"),
}
# Elements that the invariants ask for, though each alone is optional.
_ASKED: Final[dict[str, Json]] = {
    "AllergyIntolerance": {"verificationStatus": {"coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
            "code": "entered-in-error",
        }
    ]}},
    "Extension": {"valueCode": "x"},
    "MedicationRequest": {"medicationReference": {"display": "x"}},
    "Organization": {"name": "x"},
}  # fmt: skip
_SAMPLES: Final = {
    "base64Binary": "YQ==", "boolean": True, "canonical": "urn:x", "code": "x", "date": "2026",
    "dateTime": "2026", "decimal": 1.5, "id": "x", "instant": "2026-11-22T00:00:00Z",
    "integer": 1, "markdown": "x", "oid": "urn:oid:1.2", "positiveInt": 1, "string": "x",
    "time": "08:00:00", "unsignedInt": 1, "uri": "urn:x", "url": "urn:x",
    "uuid": "urn:uuid:00000000-0000-4000-8000-000000000000", "System.String": "x",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>',
}  # fmt: skip


def is_primitive(code: str) -> bool:
    return code in _SAMPLES


def children(owner: str) -> list[Json]:
    return [item for path, item in ELEMENTS.items() if path.rpartition(".")[0] == owner]


def minimal(owner: str) -> Json:
    """Return the smallest object of a type or backbone element that keeps cardinalities."""
    found: Json = {"resourceType": owner} if owner in RESOURCES else {}
    for element in children(owner):
        name = element["path"].rpartition(".")[2]
        if element["min"] and not name.endswith("[x]"):
            found[name] = sample(element)
    return {**found, **_ASKED.get(owner, {})}


def sample(element: Json) -> object:
    """Return a valid value of an element, in a list where it repeats."""
    code = element["types"][0]["code"] if "types" in element else ""
    value: object
    if element.get("codes") and CODES[element["codes"]]:
        value = next(iter(cast("dict[str, list[str]]", CODES[element["codes"]]).values()))[0]
    elif element.get("codes"):
        value = {"currencies": "VND", "mimetypes": "text/plain"}[element["codes"]]
    elif code in _SAMPLES:
        value = _SAMPLES[code]
    elif code == "Reference":
        value = {"display": "x"}
    elif code in {"BackboneElement", "Element"}:
        value = minimal(element["path"])
    else:
        value = minimal(code) or {"extension": [{"url": "urn:x", "valueCode": "x"}]}
    return [value] if element["max"] == "*" else value


def hosted(owner: str, value: Json) -> tuple[Json, str]:
    """Return a resource that holds the object, and where; minimal all around it."""
    parent, _, name = owner.rpartition(".")
    if parent:
        many = ELEMENTS[owner]["max"] == "*"
        document, place = hosted(parent, {**minimal(parent), name: [value] if many else value})
        return document, f"{place}/{name}" + ("/0" if many else "")
    if owner in RESOURCES:
        return value, ""
    resource, element = _PLACES.get(owner, ("Patient", ""))
    if not element:
        member = f"value{owner}"
        held = {"extension": [{"url": "urn:x", member: value}]}
        return {**minimal("Patient"), **held}, f"/extension/0/{member}"
    if element == "extension":
        return {**minimal(resource), element: [value]}, "/extension/0"
    return {**minimal(resource), element: value}, f"/{element}"
