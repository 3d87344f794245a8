"""Check the invariants of the FHIR definitions that need more than presence.

One function per invariant, named after its key; called by the generated structs as they are
decoded. Each raises RuleBrokenError with a pointer relative to the struct. The texts quoted are
the official ones (FHIR R4 StructureDefinitions).
"""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from msgspec import UNSET, UnsetType

from ledger.fhir.rules import RuleBrokenError
from ledger.fhir.shapes import (
    CodedLike,
    ConceptLike,
    EntryLike,
    IdentifierLike,
    QuantityLike,
    ResourceLike,
    UsedLike,
)

UCUM: Final = "http://unitsofmeasure.org"
_CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_CONDITION_STATUS: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_ALLERGY_STATUS: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_ABATED: Final = frozenset({"inactive", "resolved", "remission"})
_ERROR: Final = frozenset({"entered-in-error"})
_MEALS: Final = frozenset({"C", "CM", "CD", "CV"})
_ASKED: Final = frozenset({"batch", "transaction", "history"})
_ANSWERED: Final = frozenset({"batch-response", "transaction-response", "history"})
_DATE_LENGTH: Final = len("2026-01-01")
_LEAP_SECOND: Final = re.compile(r":60(?=[.Z+-])")
_FRACTION: Final = re.compile(r"(\.\d{6})\d+")


def _has_code(concept: ConceptLike | UnsetType, system: str, codes: frozenset[str]) -> bool:
    return concept is not UNSET and any(
        coding.system == system and coding.code in codes for coding in concept.coding or ()
    )


def _codes(concept: ConceptLike) -> set[tuple[str | UnsetType, str]]:
    codings = concept.coding or ()
    return {(item.system, item.code) for item in codings if item.code is not UNSET}


def _measured(
    key: str, value: Decimal | UnsetType, system: str | UnsetType, code: str | UnsetType
) -> None:
    if code is UNSET and value is not UNSET:
        raise RuleBrokenError(f"fhir-{key}", "/code")
    if system is not UNSET and system != UCUM:
        raise RuleBrokenError(f"fhir-{key}", "/system")


def age_1(value: Decimal | UnsetType, system: str | UnsetType, code: str | UnsetType) -> None:
    """Age: a code if there is a value, UCUM, positive."""
    _measured("age-1", value, system, code)
    if value is not UNSET and value <= 0:
        raise RuleBrokenError("fhir-age-1", "/value")


def cnt_3(value: Decimal | UnsetType, system: str | UnsetType, code: str | UnsetType) -> None:
    """Count: a code of "1" if there is a value, UCUM, a whole number."""
    _measured("cnt-3", value, system, code)
    if code is not UNSET and code != "1":
        raise RuleBrokenError("fhir-cnt-3", "/code")
    if value is not UNSET and "." in str(value):
        raise RuleBrokenError("fhir-cnt-3", "/value")


def dis_1(value: Decimal | UnsetType, system: str | UnsetType, code: str | UnsetType) -> None:
    """Distance: a code if there is a value, UCUM."""
    _measured("dis-1", value, system, code)


def drt_1(value: Decimal | UnsetType, system: str | UnsetType) -> None:
    """Duration: code implies UCUM and a value."""
    if system != UCUM:
        raise RuleBrokenError("fhir-drt-1", "/system")
    if value is UNSET:
        raise RuleBrokenError("fhir-drt-1", "/value")


def ait_1(clinical: ConceptLike | UnsetType, verification: ConceptLike | UnsetType) -> None:
    """The clinicalStatus SHALL be present if verificationStatus is not entered-in-error."""
    if clinical is UNSET and not _has_code(verification, _ALLERGY_STATUS, _ERROR):
        raise RuleBrokenError("fhir-ait-1", "/clinicalStatus")


def ait_2(clinical: ConceptLike | UnsetType, verification: ConceptLike | UnsetType) -> None:
    """The clinicalStatus SHALL NOT be present if verificationStatus is entered-in-error."""
    if clinical is not UNSET and _has_code(verification, _ALLERGY_STATUS, _ERROR):
        raise RuleBrokenError("fhir-ait-2", "/clinicalStatus")


def con_4(clinical: ConceptLike | UnsetType) -> None:
    """If condition is abated, then clinicalStatus must be inactive, resolved, or remission."""
    if not _has_code(clinical, _CONDITION_CLINICAL, _ABATED):
        raise RuleBrokenError("fhir-con-4", "/clinicalStatus")


def con_5(verification: ConceptLike | UnsetType) -> None:
    """The clinicalStatus SHALL NOT be present if verificationStatus is entered-in-error."""
    if _has_code(verification, _CONDITION_STATUS, _ERROR):
        raise RuleBrokenError("fhir-con-5", "/clinicalStatus")


def obs_7(code: ConceptLike, components: Sequence[CodedLike] | UnsetType) -> None:
    """No value where a component has the same code as the Observation."""
    if components is UNSET:
        return
    own = _codes(code)
    for index, component in enumerate(components):
        if not own.isdisjoint(_codes(component.code)):
            raise RuleBrokenError("fhir-obs-7", f"/component/{index}/code")


def org_2(addresses: Sequence[UsedLike]) -> None:
    """An address of an organization can never be of use 'home'."""
    for index, address in enumerate(addresses):
        if address.use == "home":
            raise RuleBrokenError("fhir-org-2", f"/address/{index}/use")


def org_3(telecoms: Sequence[UsedLike]) -> None:
    """The telecom of an organization can never be of use 'home'."""
    for index, telecom in enumerate(telecoms):
        if telecom.use == "home":
            raise RuleBrokenError("fhir-org-3", f"/telecom/{index}/use")


def per_1(start: str | UnsetType, end: str | UnsetType) -> None:
    """If present, start SHALL have a lower value than end (undecidable counts as kept)."""
    if start is UNSET or end is UNSET:
        return
    if "T" in start and "T" in end:
        wrong = _moment(start) > _moment(end)
    else:
        shared = min(len(start), len(end), _DATE_LENGTH)
        wrong = start[:shared] > end[:shared]
    if wrong:
        raise RuleBrokenError("fhir-per-1", "/end")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(_FRACTION.sub(r"\1", _LEAP_SECOND.sub(":59", text)))


def rat_1(numerator: object, denominator: object, extension: Sequence[object] | UnsetType) -> None:
    """Numerator and denominator SHALL both be present, or both absent with an extension."""
    if (numerator is UNSET) != (denominator is UNSET):
        raise RuleBrokenError("fhir-rat-1", "")
    if numerator is UNSET and extension is UNSET:
        raise RuleBrokenError("fhir-rat-1", "")


def rng_2(low: QuantityLike | UnsetType, high: QuantityLike | UnsetType) -> None:
    """The low SHALL have a lower value than high (where both are in the same unit)."""
    if low is UNSET or high is UNSET or low.value is UNSET or high.value is UNSET:
        return
    same_unit = low.system == high.system and low.code == high.code
    if low.code is UNSET:
        same_unit = same_unit and low.unit == high.unit
    if same_unit and low.value > high.value:
        raise RuleBrokenError("fhir-rng-2", "/high")


def tim_9(when: Sequence[str | None] | UnsetType) -> None:
    """If there's an offset, there must be a when (and not C, CM, CD, CV)."""
    if when is UNSET or not _MEALS.isdisjoint(when):
        raise RuleBrokenError("fhir-tim-9", "/when")


def trd_3(kind: str, name: object, data: object, *, timing: bool) -> None:
    """A named event requires a name, a periodic one timing, and a data event data."""
    if kind == "named-event" and name is UNSET:
        raise RuleBrokenError("fhir-trd-3", "/name")
    if kind == "periodic" and not timing:
        raise RuleBrokenError("fhir-trd-3", "/timing[x]")
    if kind.startswith("data-") and data is UNSET:
        raise RuleBrokenError("fhir-trd-3", "/data")


def dom_2(contained: Sequence[object]) -> None:
    """A contained resource SHALL NOT contain nested resources."""
    for index, resource in enumerate(contained):
        if getattr(resource, "contained", UNSET) is not UNSET:
            raise RuleBrokenError("fhir-dom-2", f"/contained/{index}/contained")


def dom_4(contained: Sequence[ResourceLike]) -> None:
    """A contained resource SHALL NOT have a meta.versionId or a meta.lastUpdated."""
    for index, resource in enumerate(contained):
        meta = resource.meta
        if meta is not UNSET and not (meta.versionId is meta.lastUpdated is UNSET):
            raise RuleBrokenError("fhir-dom-4", f"/contained/{index}/meta")


def dom_5(contained: Sequence[ResourceLike]) -> None:
    """A contained resource SHALL NOT have a security label."""
    for index, resource in enumerate(contained):
        if resource.meta is not UNSET and resource.meta.security is not UNSET:
            raise RuleBrokenError("fhir-dom-5", f"/contained/{index}/meta/security")


def bdl_1(kind: str) -> None:
    """Total only when a search or history."""
    if kind not in {"searchset", "history"}:
        raise RuleBrokenError("fhir-bdl-1", "/total")


def bdl_2(kind: str, entries: Sequence[EntryLike]) -> None:
    """entry.search only when a search."""
    if kind != "searchset":
        for index, entry in enumerate(entries):
            if entry.search is not UNSET:
                raise RuleBrokenError("fhir-bdl-2", f"/entry/{index}/search")


def bdl_3(kind: str, entries: Sequence[EntryLike]) -> None:
    """entry.request mandatory for batch/transaction/history, otherwise prohibited."""
    asked = kind in _ASKED
    for index, entry in enumerate(entries):
        if (entry.request is not UNSET) != asked:
            raise RuleBrokenError("fhir-bdl-3", f"/entry/{index}/request")


def bdl_4(kind: str, entries: Sequence[EntryLike]) -> None:
    """entry.response mandatory for responses and history, otherwise prohibited."""
    answered = kind in _ANSWERED
    for index, entry in enumerate(entries):
        if (entry.response is not UNSET) != answered:
            raise RuleBrokenError("fhir-bdl-4", f"/entry/{index}/response")


def bdl_7(kind: str, entries: Sequence[EntryLike]) -> None:
    """FullUrl must be unique, or else with different meta.versionId (except in history)."""
    if len({entry.fullUrl for entry in entries}) == len(entries):
        return
    seen: set[tuple[str, str | UnsetType]] = set()
    for index, entry in enumerate(entries):
        if entry.fullUrl is UNSET or kind == "history":
            continue
        meta = UNSET if entry.resource is UNSET else entry.resource.meta
        name = (entry.fullUrl, UNSET if meta is UNSET else meta.versionId)
        if name in seen:
            raise RuleBrokenError("fhir-bdl-7", f"/entry/{index}/fullUrl")
        seen.add(name)


def bdl_8(full_url: str) -> None:
    """FullUrl cannot be a version specific reference."""
    if "/_history/" in full_url:
        raise RuleBrokenError("fhir-bdl-8", "/fullUrl")


def bdl_9(kind: str, identifier: IdentifierLike | UnsetType) -> None:
    """A document must have an identifier with a system and a value."""
    if kind == "document" and (
        identifier is UNSET or identifier.system is UNSET or identifier.value is UNSET
    ):
        raise RuleBrokenError("fhir-bdl-9", "/identifier")


def bdl_10(kind: str, timestamp: str | UnsetType) -> None:
    """A document must have a date."""
    if kind == "document" and timestamp is UNSET:
        raise RuleBrokenError("fhir-bdl-10", "/timestamp")


def bdl_11(kind: str, entries: Sequence[EntryLike] | UnsetType) -> None:
    """A document must have a Composition as the first resource."""
    if kind == "document":
        first = entries[0].resource if entries else UNSET
        if type(first).__name__ != "Composition":
            raise RuleBrokenError("fhir-bdl-11", "/entry/0/resource")


def bdl_12(kind: str) -> None:
    """A message must have a MessageHeader as the first resource, which is not in our subset."""
    if kind == "message":
        raise RuleBrokenError("fhir-bdl-12", "/entry/0/resource")
