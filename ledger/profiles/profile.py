"""Describe a profile: what docs/events.md says of a type's content, and the function that checks.

The declared elements are checked first; the function checks agreement and codes and returns the
facts. A profile of a published tag may later allow more, never less: stored content is read by it
again whenever states are rebuilt.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from ledger.fhir import r4
from ledger.fhir.validation import decode_resource
from ledger.profiles.agreement import Claim, check_status, require
from ledger.profiles.facts import ResourceFacts


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a resource must be, as the content of one event type.

    Attributes:
        resource_type: of the resource; of a Bundle "Bundle".
        required: elements that must be there ("a|b": one of them), FHIR's own included.
        read: checks a decoded resource against the statement and returns the facts. Its first
            parameter is the struct of `resource_type`, as the decoder guarantees.
        statuses: that a new entry may have; empty where the profile asks for none.
        amended_statuses: that an amendment may have.
    """

    resource_type: str
    required: tuple[str, ...]
    read: Callable[[Any, Claim], ResourceFacts]
    statuses: frozenset[str] = frozenset()
    amended_statuses: frozenset[str] = frozenset()


def read_by(profile: Profile, content: bytes, claim: Claim) -> ResourceFacts:
    """Decode a resource and check it by a profile.

    Raises:
        ContentRejectedError: with a code of docs/events.md; the pointer points into the resource.
    """
    return read_decoded(profile, decode_resource(content, profile.resource_type), claim)


def read_decoded(profile: Profile, resource: r4.AnyResource, claim: Claim) -> ResourceFacts:
    """Check a decoded resource, which is of the profile's type, as `read_by` does."""
    require(resource, profile.required)
    if profile.statuses:
        status: str = getattr(resource, "status")  # noqa: B009  (not every resource has one)
        check_status(status, claim, allowed=profile.statuses, amended=profile.amended_statuses)
    return profile.read(resource, claim)
