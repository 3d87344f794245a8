"""Trim the official FHIR 4.0.1 definitions to what the generator needs.

Run once per change of the subset, on an unpacked copy of HL7's own package (definitions/README.md
names it): ``python -m ledger.fhir.trimmer DIRECTORY``. Never run in production.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, cast

Json = dict[str, Any]  # the official files: read here, at development time, and nowhere else

FHIR_VERSION: Final = "4.0.1"
DEFINITIONS: Final = Path(__file__).parent / "definitions" / "r4.json"
RESOURCES: Final = (
    "AllergyIntolerance",
    "Bundle",
    "Composition",
    "Condition",
    "Device",
    "DiagnosticReport",
    "Encounter",
    "ImagingStudy",
    "Location",
    "Medication",
    "MedicationRequest",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "ServiceRequest",
    "Specimen",
)
_CANONICAL: Final = "http://hl7.org/fhir/StructureDefinition/"
# Enforced everywhere by construction.
_UNIVERSAL: Final = frozenset({"ele-1", "ext-1"})


class OfficialPackage:
    """Read an unpacked HL7 package by resource type and id."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def structure(self, name: str) -> Json:
        """Read the StructureDefinition of a type."""
        structure = self._read(f"StructureDefinition-{name}.json")
        if structure["version"] != FHIR_VERSION:
            raise ValueError(f"{name} is of version {structure['version']}")
        return structure

    def codes(self, value_set: str) -> dict[str, list[str]] | None:
        """Expand a value set to system → codes; None when it cannot be listed."""
        expansion: dict[str, list[str]] = {}
        resource = self._read(f"ValueSet-{value_set}.json")
        for part in cast("list[Json]", resource["compose"]["include"]):
            if "filter" in part or "system" not in part:
                return None
            listed = [str(item["code"]) for item in part.get("concept", [])]
            codes = listed or self._code_system(str(part["system"]))
            if not codes:
                return None
            expansion.setdefault(str(part["system"]), []).extend(codes)
        return expansion

    def _code_system(self, system: str) -> list[str]:
        path = self._directory / f"CodeSystem-{system.rsplit('/', 1)[-1]}.json"
        if not path.exists():
            return []
        resource = json.loads(path.read_text("utf-8"))
        if resource["url"] != system or resource["content"] != "complete":
            return []
        return list(_concept_codes(resource["concept"]))

    def _read(self, name: str) -> Json:
        return cast("Json", json.loads((self._directory / name).read_text("utf-8")))


def _concept_codes(concepts: list[Json]) -> Iterable[str]:
    for concept in concepts:
        yield str(concept["code"])
        yield from _concept_codes(concept.get("concept", []))


def _element(element: Json) -> Json:
    """Keep path, cardinality, types with their reference targets, binding and invariants."""
    trimmed: Json = {"path": element["path"], "min": element["min"], "max": element["max"]}
    if "contentReference" in element:
        trimmed["same"] = element["contentReference"].removeprefix("#")
    if "type" in element:
        trimmed["types"] = [_type(item) for item in element["type"]]
    binding = element.get("binding", {})
    if binding.get("strength") == "required":
        trimmed["codes"] = binding["valueSet"].split("|")[0].rsplit("/", 1)[-1]
    keys = [
        item["key"]
        for item in element.get("constraint", [])
        if item["severity"] == "error" and item["key"] not in _UNIVERSAL
    ]
    if keys:
        trimmed["rules"] = keys
    return trimmed


def _type(item: Json) -> Json:
    trimmed: Json = {"code": item["code"].removeprefix("http://hl7.org/fhirpath/")}
    if "targetProfile" in item:
        trimmed["targets"] = [name.removeprefix(_CANONICAL) for name in item["targetProfile"]]
    if "profile" in item:
        trimmed["profile"] = item["profile"][0].removeprefix(_CANONICAL)
    return trimmed


def trim(directory: Path, resources: Sequence[str] = RESOURCES) -> Json:
    """Return the definitions of resources and of every data type that they need."""
    package = OfficialPackage(directory)
    types: dict[str, Json] = {}
    bindings: set[str] = set()
    waiting = [*resources, "Element"]
    while waiting:
        name = waiting.pop()
        if name in types or name == "Resource":
            continue
        structure = package.structure(name)
        elements = [_element(element) for element in structure["snapshot"]["element"]]
        types[name] = {"kind": structure["kind"], "elements": elements}
        bindings.update(element["codes"] for element in elements if "codes" in element)
        codes = {item["code"] for element in elements for item in element.get("types", [])}
        waiting.extend(code for code in codes if not code.startswith("System."))
    return {
        "fhirVersion": FHIR_VERSION,
        "types": {
            name: types[name] for name in sorted(types) if types[name]["kind"] != "primitive-type"
        },
        "codes": {name: package.codes(name) for name in sorted(bindings)},
    }


def format_definitions(definitions: Json) -> str:
    """Write one element or value set per line, so that a difference can be read."""

    def compact(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    types = ",\n".join(
        f'{compact(name)}:{{"kind":{compact(entry["kind"])},"elements":[\n'
        + ",\n".join(compact(element) for element in entry["elements"])
        + "\n]}"
        for name, entry in definitions["types"].items()
    )
    codes = ",\n".join(f"{compact(k)}:{compact(v)}" for k, v in definitions["codes"].items())
    version = compact(definitions["fhirVersion"])
    return f'{{"fhirVersion":{version},\n"types":{{\n{types}\n}},\n"codes":{{\n{codes}\n}}}}\n'


if __name__ == "__main__":
    DEFINITIONS.write_text(format_definitions(trim(Path(sys.argv[1]))), "utf-8")
