"""Check what a type alone cannot say; called by the generated structs as they are decoded.

Each function raises RuleBrokenError, whose pointer is relative to the struct being decoded;
validation.py adds the place of the struct. Messages never quote content.
"""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import astuple

from ledger.fhir.shapes import ConceptLike, QuantityLike, ReferenceLike


class RuleBrokenError(ValueError):
    """A rule of FHIR is broken inside the struct that is being decoded.

    Attributes:
        code: error code of the interface, e.g. ``fhir-pat-1``.
        pointer: RFC 6901 pointer relative to the struct.
    """

    def __init__(self, code: str, pointer: str) -> None:
        self.code = code
        self.pointer = pointer
        super().__init__(code)


def at_most_one(struct: Struct, start: int, stop: int) -> None:
    """Allow one type of a choice element, whose fields are start..stop-1."""
    values = astuple(struct)[start:stop]
    if values.count(UNSET) >= stop - start - 1:
        return
    fields = struct.__struct_encode_fields__[start:stop]
    present = [field for field, value in zip(fields, values, strict=True) if value is not UNSET]
    for field in present[1:]:
        if field.removeprefix("_") != present[0].removeprefix("_"):
            raise RuleBrokenError("fhir-choice-type", f"/{field}")


def one_required(struct: Struct, name: str, start: int, stop: int) -> None:
    """Demand one type of the choice element ``name``, whose fields are start..stop-1."""
    at_most_one(struct, start, stop)
    if astuple(struct)[start:stop].count(UNSET) == stop - start:
        raise RuleBrokenError("fhir-required-element", f"/{name}")


def has_any(struct: Struct, start: int, stop: int) -> bool:
    """Tell whether a choice element, whose fields are start..stop-1, is there."""
    return astuple(struct)[start:stop].count(UNSET) < stop - start


def aligned(
    values: Sequence[object] | UnsetType, elements: Sequence[object] | UnsetType, name: str
) -> None:
    """Allow null in a primitive array only where the other array has the element (FHIR JSON)."""
    if elements is UNSET:
        if values is not UNSET and None in values:
            raise RuleBrokenError("fhir-null", f"/{name}/{values.index(None)}")
    elif values is UNSET:
        if None in elements:
            raise RuleBrokenError("fhir-null", f"/_{name}/{elements.index(None)}")
    elif len(values) != len(elements):
        raise RuleBrokenError("fhir-unaligned-arrays", f"/_{name}")
    else:
        pairs = zip(values, elements, strict=True)
        for index, (value, element) in enumerate(pairs):
            if value is element is None:
                raise RuleBrokenError("fhir-null", f"/{name}/{index}")


def target(reference: ReferenceLike, pointer: str, targets: frozenset[str]) -> None:
    """Refuse a relative reference to a type that the element does not allow.

    Absolute, ``urn:`` and contained references do not tell their type. The form of the text is
    checked by ReferenceText.
    """
    text = reference.reference
    if text is not UNSET:
        name = text.partition("/")[0]
        if name not in targets and name[0].isupper():
            raise RuleBrokenError("fhir-reference-target", f"{pointer}/reference")
    if reference.type is not UNSET and reference.type not in targets:
        raise RuleBrokenError("fhir-reference-target", f"{pointer}/type")


def targets_of(references: Sequence[ReferenceLike], name: str, targets: frozenset[str]) -> None:
    """Check each reference of a list as ``target`` does."""
    for index, reference in enumerate(references):
        target(reference, f"/{name}/{index}", targets)


def bound(concept: ConceptLike, name: str, codes: Mapping[str, frozenset[str]]) -> None:
    """Demand a coding from a value set whose binding is required."""
    found = False
    for index, coding in enumerate(concept.coding or ()):
        if coding.system is not UNSET and coding.system in codes:
            if coding.code is UNSET or coding.code not in codes[coding.system]:
                raise RuleBrokenError("fhir-code", f"/{name}/coding/{index}/code")
            found = True
    if not found:
        raise RuleBrokenError("fhir-code", f"/{name}")


def no_comparator(quantity: QuantityLike, name: str) -> None:
    """sqty-1: a SimpleQuantity has no comparator."""
    if quantity.comparator is not UNSET:
        raise RuleBrokenError("fhir-sqty-1", f"/{name}/comparator")
