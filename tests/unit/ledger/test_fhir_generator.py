"""The generated structs are what the generator writes, from definitions that say their source."""

import json

from ledger.fhir import generator, quick_generator
from ledger.fhir.invariants import FORMULAS, JOINED, WHOLE_RESOURCE
from ledger.fhir.trimmer import DEFINITIONS, RESOURCES, format_definitions


def test_generating_again_gives_the_same_bytes() -> None:
    for module in (generator, quick_generator):
        assert module.generate().encode() == module.OUTPUT.read_bytes()


def test_the_definitions_are_those_of_the_resources_named() -> None:
    definitions = json.loads(DEFINITIONS.read_text("utf-8"))
    resources = [k for k, v in definitions["types"].items() if v["kind"] == "resource"]
    assert definitions["fhirVersion"] == "4.0.1"
    assert tuple(resources) == RESOURCES
    assert format_definitions(definitions) == DEFINITIONS.read_text("utf-8")


def test_every_invariant_of_the_definitions_is_checked_somewhere() -> None:
    definitions = json.loads(DEFINITIONS.read_text("utf-8"))
    defined = {
        key
        for entry in definitions["types"].values()
        for element in entry["elements"]
        for key in element.get("rules", [])
    }
    assert defined - set(FORMULAS) - WHOLE_RESOURCE - JOINED == set()
    assert set(FORMULAS) - defined == {"ext-1"}


def test_the_source_of_the_definitions_is_stated() -> None:
    text = (DEFINITIONS.parent / "README.md").read_text("utf-8")
    assert "hl7.fhir.r4.examples" in text
    assert "CC0" in text
