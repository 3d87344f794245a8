"""Pick from admitted content the few elements that folds need; everything else passes as bytes.

Admission judged the content once; stored bytes are never judged again. So these structs ignore
what they do not name, and content that does not fit them yields nothing instead of an error: a
fold is total. The resource itself is carried as raw JSON text, so decimals keep their digits.
"""

from typing import Final
from uuid import UUID

import msgspec

NO_RESOURCE: Final = msgspec.Raw(b"null")


def as_id(text: str) -> str | None:
    """Return the text if it is a UUID in canonical form, else None."""
    try:
        return text if str(UUID(text)) == text else None
    except ValueError:
        return None


class Identifier(msgspec.Struct, frozen=True, kw_only=True):
    """A FHIR Identifier reduced to what finds its bearer.

    Attributes:
        system: URI of the namespace, "" when the content names none.
        use: FHIR R4 Identifier.use, None when the content does not say.
    """

    value: str = ""
    system: str = ""
    use: str | None = None


class Coding(msgspec.Struct, frozen=True, kw_only=True):
    """FHIR R4 Coding."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(msgspec.Struct, frozen=True, kw_only=True):
    """FHIR R4 CodeableConcept."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """FHIR R4 Reference."""

    reference: str = ""


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """What an item shows of its content besides the content itself.

    Attributes:
        resource: exact JSON text of the content, or `null` when it was destroyed.
        resource_status: status element of the (leading) resource, None when it has none.
        identifiers: business identifiers of the resource, those with a value.
        reason: the reason of an amendment or of an administrative document.
    """

    resource: msgspec.Raw = NO_RESOURCE
    resource_status: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    reason: str | None = None


class _Plain(msgspec.Struct, frozen=True, kw_only=True):
    status: str | None = None
    identifier: tuple[Identifier, ...] = ()


class _Statused(msgspec.Struct, frozen=True, kw_only=True):
    status: str | None = None


class _Clinical(msgspec.Struct, frozen=True, kw_only=True):
    clinicalStatus: CodeableConcept | None = None  # noqa: N815 - the element's FHIR name


class _BundleEntry(msgspec.Struct, frozen=True, kw_only=True):
    resource: _Plain = _Plain()


class _Bundle(msgspec.Struct, frozen=True, kw_only=True):
    entry: tuple[_BundleEntry, ...] = ()


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    reason: str | None = None


class _Amendment(msgspec.Struct, frozen=True, kw_only=True):
    reason: str | None = None
    resource: str = ""


_PLAIN: Final = msgspec.json.Decoder(_Plain)
_STATUSED: Final = msgspec.json.Decoder(_Statused)
_CLINICAL: Final = msgspec.json.Decoder(_Clinical)
_BUNDLE: Final = msgspec.json.Decoder(_Bundle)
_DOCUMENT: Final = msgspec.json.Decoder(_Document)
_AMENDMENT: Final = msgspec.json.Decoder(_Amendment)


def glance(event_type: str, content: bytes | None) -> Glance:
    """Look at the content of an item's first or newest version.

    Args:
        event_type: type of the item's first event, which decides the content's shape.
        content: the resource's exact bytes, or None when they were destroyed.
    """
    if content is None:
        return Glance()
    try:
        return _LOOKS.get(event_type, _at_nothing)(content)
    except msgspec.DecodeError:
        return Glance(resource=msgspec.Raw(content) if _is_json(content) else NO_RESOURCE)


def open_amendment(content: bytes | None) -> tuple[str | None, bytes | None]:
    """Return the reason and the new resource's bytes of an `entry-amended` content."""
    if content is None:
        return None, None
    try:
        amendment = _AMENDMENT.decode(content)
    except msgspec.DecodeError:
        return None, None
    return amendment.reason, amendment.resource.encode()


def reason_of(content: bytes | None) -> str | None:
    """Return the reason of an administrative document, or None."""
    if content is None:
        return None
    try:
        return _DOCUMENT.decode(content).reason
    except msgspec.DecodeError:
        return None


def _at_plain(content: bytes) -> Glance:
    seen = _PLAIN.decode(content)
    found = tuple(identifier for identifier in seen.identifier if identifier.value)
    return Glance(resource=msgspec.Raw(content), resource_status=seen.status, identifiers=found)


def _at_statused(content: bytes) -> Glance:
    return Glance(resource=msgspec.Raw(content), resource_status=_STATUSED.decode(content).status)


def _at_clinical(content: bytes) -> Glance:
    concept = _CLINICAL.decode(content).clinicalStatus
    code = concept.coding[0].code if concept is not None and concept.coding else None
    return Glance(resource=msgspec.Raw(content), resource_status=code)


def _at_bundle(content: bytes) -> Glance:
    entries = _BUNDLE.decode(content).entry
    leading = entries[0].resource if entries else _Plain()
    found = tuple(identifier for identifier in leading.identifier if identifier.value)
    return Glance(resource=msgspec.Raw(content), resource_status=leading.status, identifiers=found)


def _at_document(content: bytes) -> Glance:
    return Glance(resource=msgspec.Raw(content), reason=_DOCUMENT.decode(content).reason)


def _at_nothing(content: bytes) -> Glance:
    return Glance(resource=msgspec.Raw(content) if _is_json(content) else NO_RESOURCE)


def _is_json(content: bytes) -> bool:
    try:
        msgspec.json.decode(content)
    except msgspec.DecodeError:
        return False
    return True


_LOOKS: Final = {
    "patient-registered.v1": _at_plain,
    "patient-identity-updated.v1": _at_plain,
    "allergy-recorded.v1": _at_clinical,
    "record-opened.v1": _at_plain,
    "record-closed.v1": _at_plain,
    "diagnosis-recorded.v1": _at_clinical,
    "note-written.v1": _at_statused,
    "order-placed.v1": _at_plain,
    "order-cancelled.v1": _at_document,
    "vitals-recorded.v1": _at_bundle,
    "result-reported.v1": _at_bundle,
}
