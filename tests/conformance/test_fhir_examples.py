"""HL7's own examples are accepted unaltered, and each small damage to them is located."""

from decimal import Decimal
from typing import Any

import fhirkit
import msgspec
import pytest

from ledger.errors import ContentRejectedError
from ledger.fhir.r4 import RESOURCES
from ledger.fhir.validation import decode_resource
from ledger.jsontext import check_json_text
from tests.fhir_examples import EXAMPLES, example_bytes, parse, places, write

ENCODER = msgspec.json.Encoder(enc_hook=Decimal, decimal_format="number")
each_example = pytest.mark.parametrize("name", EXAMPLES)


def refusal(document: Any) -> tuple[str, str]:  # noqa: ANN401 - plain JSON
    """Return code and pointer of the refusal of a damaged example."""
    with pytest.raises(ContentRejectedError) as caught:
        decode_resource(write(document), document["resourceType"])
    return caught.value.code, caught.value.pointer


def test_every_resource_type_has_an_example() -> None:
    assert {name.partition("-")[0] for name in EXAMPLES} == set(RESOURCES)


@each_example
def test_an_official_example_is_accepted_and_nothing_of_it_is_lost(name: str) -> None:
    data = example_bytes(name)
    check_json_text(data)
    resource = decode_resource(data, name.partition("-")[0])
    assert parse(ENCODER.encode(resource)) == parse(data)


@each_example
def test_an_independent_validator_agrees(name: str) -> None:
    issues = fhirkit.parse(example_bytes(name).decode()).issues
    assert [str(issue) for issue in issues if issue.severity == "error"] == []


@each_example
def test_an_unknown_element_anywhere_is_refused_at_its_place(name: str) -> None:
    document = parse(example_bytes(name))
    found = [("", document), *((place, child) for place, _, _, child in places(document))]
    for place, child in found:
        if isinstance(child, dict):
            child["unheardOf"] = "x"
            assert refusal(document) == ("fhir-unknown-element", f"{place}/unheardOf")
            del child["unheardOf"]


@each_example
def test_null_anywhere_is_refused_at_its_place(name: str) -> None:
    document = parse(example_bytes(name))
    for place, container, key, child in places(document):
        if key == "resourceType":
            continue
        container[key] = None
        assert refusal(document) == ("fhir-null", place)
        container[key] = child


@each_example
def test_an_empty_object_or_array_is_refused_at_its_place(name: str) -> None:
    document = parse(example_bytes(name))
    for place, container, key, child in places(document):
        if isinstance(child, dict | list):
            container[key] = {} if isinstance(child, dict) else []
            assert refusal(document) == ("fhir-empty", place)
            container[key] = child


@each_example
def test_a_value_of_another_json_type_is_refused_at_its_place(name: str) -> None:
    """Numbers as strings, strings as numbers, lists as single values, and so on."""
    document = parse(example_bytes(name))
    for place, container, key, child in places(document):
        if key == "resourceType":
            continue
        container[key] = {"x": 1} if isinstance(child, list) else [child]
        assert refusal(document) == ("fhir-type", place)
        if isinstance(child, int | Decimal):
            container[key] = str(child)
            assert refusal(document) == ("fhir-type", place)
        container[key] = child
