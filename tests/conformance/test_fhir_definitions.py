"""What the definitions say of each element is enforced on each element."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from ledger.errors import ContentRejectedError
from ledger.fhir.validation import decode_resource
from tests.fhir_minimal import CODES, OWNERS, RESOURCES, children, hosted, is_primitive, minimal

Json = dict[str, Any]
each_owner = pytest.mark.parametrize(
    "owner",
    [owner for owner in OWNERS if owner != "BackboneElement"],  # which is abstract
)


def refusal(owner: str, change: Json) -> tuple[str, str]:
    """Return code and pointer, relative to the object, of its refusal after a change."""
    document, place = hosted(owner, {**minimal(owner), **change})
    with pytest.raises(ContentRejectedError) as caught:
        decode_resource(json.dumps(document).encode(), document["resourceType"])
    return caught.value.code, caught.value.pointer.removeprefix(place)


def members(owner: str) -> Iterator[tuple[str, str, Json]]:
    """Yield the name, type code and definition of each member that JSON may have."""
    for element in children(owner):
        name = element["path"].rpartition(".")[2]
        for kind in element.get("types", [{"code": ""}]):
            code = kind["code"]
            typed = name.removesuffix("[x]") + code[:1].upper() + code[1:]
            yield (typed if name.endswith("[x]") else name), code, {**element, "type": kind}


@each_owner
def test_a_number_is_no_object_and_an_object_no_primitive(owner: str) -> None:
    for name, code, element in members(owner):
        wrong: object = {"x": 1} if is_primitive(code) else 7
        many = element["max"] == "*"
        expected = ("fhir-type", f"/{name}/0" if many else f"/{name}")
        assert refusal(owner, {name: [wrong] if many else wrong}) == expected


@each_owner
def test_what_does_not_repeat_is_no_list_and_what_repeats_is_one(owner: str) -> None:
    for name, code, element in members(owner):
        single: object = "x" if is_primitive(code) else {"url": "x"}
        wrong = [single] if element["max"] == "1" else single
        assert refusal(owner, {name: wrong}) == ("fhir-type", f"/{name}")


@each_owner
def test_a_required_element_cannot_be_left_out(owner: str) -> None:
    whole = minimal(owner)
    for element in children(owner):
        name = element["path"].rpartition(".")[2]
        if element["min"] and name in whole and len(whole) > 1:
            document, place = hosted(owner, {k: v for k, v in whole.items() if k != name})
            with pytest.raises(ContentRejectedError) as caught:
                decode_resource(json.dumps(document).encode(), document["resourceType"])
            assert caught.value.code == "fhir-required-element"
            assert caught.value.pointer == f"{place}/{name}"


@each_owner
def test_a_reference_names_only_types_that_the_element_allows(owner: str) -> None:
    for name, code, element in members(owner):
        targets = element["type"].get("targets", ["Resource"])
        if code == "Reference" and "Resource" not in targets:
            wrong: Any = {"reference": "Claim/x"}
            assert "Claim" not in targets
            many = element["max"] == "*"
            place = f"/{name}/0/reference" if many else f"/{name}/reference"
            found = refusal(owner, {name: [wrong] if many else wrong})
            assert found == ("fhir-reference-target", place)


@each_owner
def test_a_code_comes_from_its_value_set(owner: str) -> None:
    for name, code, element in members(owner):
        if code == "code" and CODES.get(element.get("codes", "")):
            many = element["max"] == "*"
            expected = ("fhir-code", f"/{name}/0" if many else f"/{name}")
            assert refusal(owner, {name: ["no such"] if many else "no such"}) == expected


@each_owner
def test_only_one_type_of_a_choice_is_taken(owner: str) -> None:
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, code, element in members(owner):
        if element["path"].endswith("[x]"):
            groups.setdefault(element["path"], []).append((name, code))
    for choice in groups.values():
        extension = {"extension": [{"url": "urn:x", "valueCode": "x"}]}
        twins = [f"_{name}" for name, code in choice if is_primitive(code)]
        for one, other in itertools.pairwise(twins):
            found = refusal(owner, {one: extension, other: extension})
            assert found in {("fhir-choice-type", f"/{name}") for name in (one, other)}


@pytest.mark.parametrize("owner", sorted(RESOURCES - {"Bundle"}))
def test_no_resource_contains_a_resource_that_contains_one(owner: str) -> None:
    inner = {**minimal("Device"), "id": "inner"}
    nested = {**minimal("Patient"), "id": "outer", "contained": [inner]}
    found = refusal(owner, {"contained": [nested]})
    assert found == ("fhir-dom-2", "/contained/0/contained")


@pytest.mark.parametrize("owner", sorted(RESOURCES - {"Bundle"}))
def test_every_resource_may_contain_another_that_it_names(owner: str) -> None:
    document = {
        **minimal(owner),
        "contained": [{**minimal("Device"), "id": "inner", "meta": {"source": "urn:x"}}],
        "extension": [{"url": "urn:x", "valueReference": {"reference": "#inner"}}],
    }
    resource = decode_resource(json.dumps(document).encode(), owner)
    assert type(resource).__name__ == owner


@each_owner
def test_a_simple_quantity_has_no_comparator(owner: str) -> None:
    for name, _, element in members(owner):
        if element["type"].get("profile") == "SimpleQuantity":
            many = element["max"] == "*"
            wrong = {"value": 1, "comparator": "<"}
            place = f"/{name}/0/comparator" if many else f"/{name}/comparator"
            found = refusal(owner, {name: [wrong] if many else wrong})
            assert found == ("fhir-sqty-1", place)
