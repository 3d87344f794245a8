"""Choose the profile for the content of a clinical event."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from ledger.errors import ContentRejectedError
from ledger.fhir import r4
from ledger.fhir.quick import decode_quickly
from ledger.profiles import observations, orders, people, record
from ledger.profiles.agreement import Claim, claim_of, reject
from ledger.profiles.facts import ResourceFacts
from ledger.profiles.profile import Profile, read_by, read_decoded
from signing.statement import Statement

PROFILES: Final[Mapping[str, tuple[Profile, ...]]] = MappingProxyType(
    {
        "patient-registered.v1": (people.PATIENT,),
        "patient-identity-updated.v1": (people.PATIENT,),
        "allergy-recorded.v1": (people.ALLERGY,),
        "record-opened.v1": (record.OPENED,),
        "record-closed.v1": (record.CLOSED,),
        "diagnosis-recorded.v1": (record.DIAGNOSIS,),
        "note-written.v1": (record.NOTE,),
        "order-placed.v1": (orders.SERVICE_ORDER, orders.MEDICATION_ORDER),
        "vitals-recorded.v1": (observations.VITALS,),
        "result-reported.v1": (observations.RESULT,),
    }
)
"""The profiles of each clinical event type; more than one where several resources are possible."""


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    """The least of a resource that tells its type; the rest is skipped."""

    resourceType: str = ""  # noqa: N815  (FHIR's name)
    status: object = None


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    resource: _Named = _Named()


class _Outline(_Named, frozen=True, kw_only=True):
    entry: tuple[_Entry, ...] = ()


_AMENDABLE: Final[Mapping[str, str]] = {
    "Encounter": "record-opened.v1",
    "Condition": "diagnosis-recorded.v1",
    "Composition": "note-written.v1",
    "ServiceRequest": "order-placed.v1",
    "MedicationRequest": "order-placed.v1",
    "AllergyIntolerance": "allergy-recorded.v1",
    "Bundle of Observation": "vitals-recorded.v1",
    "Bundle of DiagnosticReport": "result-reported.v1",
}
_OUTLINE: Final = msgspec.json.Decoder(_Outline)


def read_resource(
    statement: Statement, content: bytes, resource: r4.AnyResource | None
) -> ResourceFacts:
    """Read the content of a new clinical entry.

    Args:
        statement: of the event.
        content: exact bytes.
        resource: what `decode_quickly` made of them, if that was tried already.

    Raises:
        ContentRejectedError: with a code of docs/events.md.
    """
    return _read(content, claim_of(statement), statement.type, resource)


def read_new_version(
    statement: Statement, content: bytes, resource: r4.AnyResource | None
) -> tuple[str, ResourceFacts]:
    """Read the whole new version of an earlier entry; tell the event type that it fits.

    Arguments are as of `read_resource`.

    Raises:
        ContentRejectedError: `amendment-type` for a resource that no amendable type has.
    """
    tag = _type_of(_outline(content) if resource is None else _outline_of(resource))
    return tag, _read(content, claim_of(statement, amends=True), tag, resource)


def _read(content: bytes, claim: Claim, tag: str, resource: r4.AnyResource | None) -> ResourceFacts:
    profiles = PROFILES[tag]
    found = decode_quickly(content) if resource is None else resource
    if found is not None:
        for profile in profiles:
            if profile.resource_type == type(found).__name__:
                return read_decoded(profile, found, claim)
    profile = profiles[0]
    if len(profiles) > 1:
        found = _outline(content).resourceType
        profile = next((p for p in profiles if p.resource_type == found), profile)
    return read_by(profile, content, claim)


def _outline(content: bytes) -> _Outline:
    try:
        return _OUTLINE.decode(content)
    except msgspec.ValidationError:
        raise ContentRejectedError("fhir-resource-type", "/resourceType") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ContentRejectedError("content-not-json") from None


def _outline_of(resource: r4.AnyResource) -> _Outline:
    entries = resource.entry or () if isinstance(resource, r4.Bundle) else ()
    return _Outline(
        resourceType=type(resource).__name__,
        status=getattr(resource, "status", None),
        entry=tuple(
            _Entry(resource=_Named(resourceType=type(entry.resource).__name__))
            for entry in entries[:1]
        ),
    )


def _type_of(outline: _Outline) -> str:
    """Find the event type whose entry this resource is a version of."""
    name = outline.resourceType
    if name == "Bundle" and outline.entry:
        name = f"Bundle of {outline.entry[0].resource.resourceType}"
    if name == "Encounter" and outline.status == "finished":
        return "record-closed.v1"
    tag = _AMENDABLE.get(name)
    if tag is None:
        raise reject("amendment-type", "/resourceType", "no type that can be amended")
    return tag
