"""Say what the hand-written rules read of generated structs, which import the rules.

The members are FHIR's elements, documented there.
"""
# ruff: noqa: D102, N802 - the names and their meaning are FHIR's

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from msgspec import UnsetType


class CodingLike(Protocol):
    """What the rules read of a Coding."""

    @property
    def system(self) -> str | UnsetType: ...
    @property
    def code(self) -> str | UnsetType: ...


class ConceptLike(Protocol):
    """What the rules read of a CodeableConcept."""

    @property
    def coding(self) -> Sequence[CodingLike] | UnsetType: ...


class ReferenceLike(Protocol):
    """What the rules read of a Reference."""

    @property
    def reference(self) -> str | UnsetType: ...
    @property
    def type(self) -> str | UnsetType: ...


class QuantityLike(Protocol):
    """What the rules read of a Quantity."""

    @property
    def value(self) -> Decimal | UnsetType: ...
    @property
    def comparator(self) -> str | UnsetType: ...
    @property
    def unit(self) -> str | UnsetType: ...
    @property
    def system(self) -> str | UnsetType: ...
    @property
    def code(self) -> str | UnsetType: ...


class MetaLike(Protocol):
    """What the rules read of a Meta."""

    @property
    def versionId(self) -> str | UnsetType: ...
    @property
    def lastUpdated(self) -> str | UnsetType: ...
    @property
    def security(self) -> Sequence[object] | UnsetType: ...


class ResourceLike(Protocol):
    """What the rules read of any resource."""

    @property
    def meta(self) -> MetaLike | UnsetType: ...


class EntryLike(Protocol):
    """What the rules read of a Bundle entry."""

    @property
    def fullUrl(self) -> str | UnsetType: ...
    @property
    def resource(self) -> ResourceLike | UnsetType: ...
    @property
    def search(self) -> object: ...
    @property
    def request(self) -> object: ...
    @property
    def response(self) -> object: ...


class IdentifierLike(Protocol):
    """What the rules read of an Identifier."""

    @property
    def system(self) -> str | UnsetType: ...
    @property
    def value(self) -> str | UnsetType: ...


class CodedLike(Protocol):
    """Something with a code, as an Observation component."""

    @property
    def code(self) -> ConceptLike: ...


class UsedLike(Protocol):
    """Something with a use, as an Address."""

    @property
    def use(self) -> str | UnsetType: ...
