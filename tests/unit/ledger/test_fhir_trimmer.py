"""Trimming keeps what the generator needs of an official package, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.fhir.generator import Generator
from ledger.fhir.trimmer import trim

Json = dict[str, Any]
BASE = "http://hl7.org/fhir/StructureDefinition/"
CODES = "http://hl7.org/fhir/colour"
CODE = [{"code": "code"}]
CONCEPT = [{"code": "CodeableConcept"}]


def element(path: str, *types: Json, **members: object) -> Json:
    return {"path": path, "min": 0, "max": "1", "type": list(types), "mapping": [], **members}


def structure(kind: str, *elements: Json, version: str = "4.0.1") -> Json:
    return {"version": version, "kind": kind, "snapshot": {"element": list(elements)}}


def bound(name: str) -> Json:
    return {"strength": "required", "valueSet": f"http://hl7.org/fhir/ValueSet/{name}|4.0.1"}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with one resource that uses two data types and three value sets."""
    reference = {"code": "Reference", "targetProfile": [BASE + "Patient", BASE + "Group"]}
    rules = [
        {"key": "thing-1", "severity": "error"},
        {"key": "thing-2", "severity": "warning"},
        {"key": "ele-1", "severity": "error"},
    ]
    files: dict[str, Json] = {
        "StructureDefinition-Thing": structure(
            "resource",
            {"path": "Thing", "min": 0, "max": "*", "constraint": rules},
            element("Thing.id", {"code": "http://hl7.org/fhirpath/System.String"}),
            element("Thing.contained", {"code": "Resource"}, max="*"),
            element("Thing.colour", {"code": "code"}, binding=bound("colour"), min=1),
            element("Thing.type", {"code": "code"}, binding=bound("all-types")),
            element("Thing.shade", {"code": "code"}, binding=bound("filtered")),
            element("Thing.hint", {"code": "code"}, binding={"strength": "example"}),
            element("Thing.owner", reference),
            element("Thing.class", {"code": "Element"}),
            element("Thing.class.amount", {"code": "Size", "profile": [BASE + "SimpleSize"]}),
            {"path": "Thing.other", "min": 0, "max": "*", "contentReference": "#Thing.class"},
        ),
        "StructureDefinition-Element": structure("complex-type"),
        "StructureDefinition-Reference": structure("complex-type"),
        "StructureDefinition-Size": structure("complex-type"),
        "StructureDefinition-code": structure("primitive-type"),
        "ValueSet-colour": {"compose": {"include": [{"system": CODES}]}},
        "CodeSystem-colour": {
            "url": CODES,
            "content": "complete",
            "concept": [{"code": "red", "concept": [{"code": "crimson"}]}, {"code": "blue"}],
        },
        "ValueSet-all-types": {
            "compose": {"include": [{"system": "urn:x", "concept": [{"code": "a"}]}]}
        },
        "ValueSet-filtered": {"compose": {"include": [{"system": CODES, "filter": []}]}},
    }
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content), "utf-8")
    return tmp_path


def test_elements_keep_cardinality_types_targets_and_invariants(package: Path) -> None:
    definitions = trim(package, ["Thing"])
    assert list(definitions["types"]) == ["Element", "Reference", "Size", "Thing"]
    assert definitions["types"]["Thing"]["elements"] == [
        {"path": "Thing", "min": 0, "max": "*", "rules": ["thing-1"]},
        {"path": "Thing.id", "min": 0, "max": "1", "types": [{"code": "System.String"}]},
        {"path": "Thing.contained", "min": 0, "max": "*", "types": [{"code": "Resource"}]},
        {"path": "Thing.colour", "min": 1, "max": "1", "types": CODE, "codes": "colour"},
        {"path": "Thing.type", "min": 0, "max": "1", "types": CODE, "codes": "all-types"},
        {"path": "Thing.shade", "min": 0, "max": "1", "types": CODE, "codes": "filtered"},
        {"path": "Thing.hint", "min": 0, "max": "1", "types": [{"code": "code"}]},
        {
            "path": "Thing.owner",
            "min": 0,
            "max": "1",
            "types": [{"code": "Reference", "targets": ["Patient", "Group"]}],
        },
        {"path": "Thing.class", "min": 0, "max": "1", "types": [{"code": "Element"}]},
        {
            "path": "Thing.class.amount",
            "min": 0,
            "max": "1",
            "types": [{"code": "Size", "profile": "SimpleSize"}],
        },
        {"path": "Thing.other", "min": 0, "max": "*", "same": "Thing.class"},
    ]


def test_value_sets_are_expanded_where_they_can_be_listed(package: Path) -> None:
    assert trim(package, ["Thing"])["codes"] == {
        "all-types": {"urn:x": ["a"]},
        "colour": {CODES: ["red", "crimson", "blue"]},
        "filtered": None,
    }


@pytest.mark.parametrize(
    "change",
    [{"content": "fragment"}, {"url": "http://a.example/colour"}, None],
    ids=["incomplete", "of another name", "absent"],
)
def test_a_code_system_that_is_not_whole_is_not_listed(package: Path, change: Json | None) -> None:
    path = package / "CodeSystem-colour.json"
    if change is None:
        path.unlink()
    else:
        path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **change}), "utf-8")
    assert trim(package, ["Thing"])["codes"]["colour"] is None


def test_another_version_of_fhir_is_refused(package: Path) -> None:
    newer = structure("complex-type", version="5.0.0")
    (package / "StructureDefinition-Size.json").write_text(json.dumps(newer), "utf-8")
    with pytest.raises(ValueError, match="Size is of version 5"):
        trim(package, ["Thing"])


def test_the_generator_refuses_a_bound_list_of_concepts() -> None:
    """None is in the subset; a careless extension of it must not go unchecked."""
    elements = [{"path": "Thing.a", "min": 0, "max": "*", "types": CONCEPT, "codes": "x"}]
    definitions = {
        "types": {"Thing": {"kind": "resource", "elements": elements}},
        "codes": {"x": {"urn:x": ["a"]}},
    }
    with pytest.raises(ValueError, match=r"Thing\.a"):
        Generator(definitions).write()
