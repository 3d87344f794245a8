"""Find codes and identifiers of the systems that the profiles ask for."""

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET, UnsetType

from ledger.fhir import r4
from ledger.profiles.agreement import reject
from ledger.vietnam import (
    CITIZEN_ID,
    ICD_10,
    PLACER_TYPE,
    PLACER_TYPE_SYSTEM,
    is_icd_10_code,
    is_identifier_value,
)

_OLD: Final = "old"


def one_code(
    concepts: Sequence[r4.CodeableConcept] | UnsetType, systems: frozenset[str], pointer: str
) -> r4.Coding:
    """Demand exactly one coding of the systems, with a code (`code-missing`, `code-ambiguous`)."""
    found = [
        coding
        for concept in concepts or ()
        for coding in concept.coding or ()
        if coding.system in systems
    ]
    if not found or found[0].code is UNSET:
        raise reject("code-missing", pointer, "a code of the required system")
    if len(found) > 1:
        raise reject("code-ambiguous", pointer, "more than one code of the required system")
    return found[0]


def has_code(concepts: Sequence[r4.CodeableConcept] | UnsetType, system: str, code: str) -> bool:
    """Tell whether the concepts hold a certain code."""
    for concept in concepts or ():
        for coding in concept.coding or ():
            if coding.code == code and coding.system == system:
                return True
    return False


def check_icd_10(concept: r4.CodeableConcept | UnsetType, pointer: str) -> None:
    """Demand one ICD-10 code with the version of its list (`code-…`)."""
    coding = one_code(() if concept is UNSET else (concept,), frozenset({ICD_10}), pointer)
    if coding.code is UNSET or not is_icd_10_code(coding.code):
        raise reject("code-unknown", pointer, "not of ICD-10's form")
    if coding.version is UNSET:
        raise reject("code-version", pointer, "an ICD-10 code needs the version of its list")


def check_identifiers(identifiers: Sequence[r4.Identifier] | UnsetType) -> frozenset[str]:
    """Check system, value and form of each identifier; return the systems that occur.

    Raises:
        ContentRejectedError: `identifier-form` (no system, no value, wrong form), or
            `identifier-duplicate`: more than one citizen ID that is not marked as old.
    """
    systems: set[str] = set()
    citizen = False
    for index, identifier in enumerate(identifiers or ()):
        if identifier.system is UNSET or identifier.value is UNSET:
            raise reject("identifier-form", f"/identifier/{index}", "system and value are required")
        if not is_identifier_value(identifier.system, identifier.value):
            raise reject(
                "identifier-form", f"/identifier/{index}/value", "not of its system's form"
            )
        if identifier.system == CITIZEN_ID and identifier.use != _OLD:
            if citizen:
                raise reject(
                    "identifier-duplicate", f"/identifier/{index}", "mark re-issued ones as old"
                )
            citizen = True
        systems.add(identifier.system)
    return frozenset(systems)


def check_one_of(identifiers: Sequence[r4.Identifier] | UnsetType, system: str) -> None:
    """Demand exactly one identifier of a system (`identifier-missing`, `identifier-duplicate`)."""
    count = sum(identifier.system == system for identifier in identifiers or ())
    if count == 0:
        raise reject("identifier-missing", "/identifier")
    if count > 1:
        raise reject("identifier-duplicate", "/identifier")


def check_placer(identifiers: Sequence[r4.Identifier] | UnsetType) -> None:
    """Demand exactly one identifier of type PLAC: the order's number at its placer."""
    count = sum(
        identifier.type is not UNSET
        and has_code((identifier.type,), PLACER_TYPE_SYSTEM, PLACER_TYPE)
        for identifier in identifiers or ()
    )
    if count == 0:
        raise reject("identifier-missing", "/identifier", "the placer's number, type PLAC")
    if count > 1:
        raise reject("identifier-duplicate", "/identifier", "more than one placer's number")
