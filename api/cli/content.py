"""Fill into a content what the command line says already, before it is signed.

Only members that are missing at the top of a resource are added; everything that the author
wrote stays as it is written, digits of decimals included.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from ledger.catalogue import AMENDMENT_JSON, EventType
from ledger.errors import SubmissionRejectedError
from ledger.ids import new_id
from ledger.state import StreamState
from signing.statement import format_time_ms, parse_time_ms

Members = dict[str, msgspec.Raw]

_STREAM_RESOURCES: Final = frozenset({"Patient", "Encounter", "Practitioner", "Device"})
_DATE: Final[Mapping[str, str]] = {
    "Composition": "date",
    "Condition": "recordedDate",
    "AllergyIntolerance": "recordedDate",
    "ServiceRequest": "authoredOn",
    "MedicationRequest": "authoredOn",
    "Observation": "effectiveDateTime",
    "DiagnosticReport": "effectiveDateTime",
}
_AUTHOR: Final[Mapping[str, str]] = {
    "Composition": "author",
    "Condition": "recorder",
    "AllergyIntolerance": "recorder",
    "ServiceRequest": "requester",
    "MedicationRequest": "requester",
    "Observation": "performer",
    "DiagnosticReport": "performer",
}
_SEVERAL_AUTHORS: Final = frozenset({"Composition", "Observation", "DiagnosticReport"})


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says of the event.

    Attributes:
        event_id: of the new event.
        stream: its stream's id.
        author: FHIR reference to the signer.
        occurred_at_ms: given, or now.
        state: of the stream; empty for a new one.
        refs: (relation, event_id) of what it refers to.
    """

    event_id: str
    stream: str
    author: str
    occurred_at_ms: int
    state: StreamState
    refs: tuple[tuple[str, str], ...]


def complete(data: bytes, kind: EventType, known: Known) -> bytes:
    """Return the content with what was missing filled in.

    Raises:
        SubmissionRejectedError: `content-not-json`, when it is no JSON object.
    """
    members = _members(data)
    if kind.media_type == AMENDMENT_JSON:
        return _amendment(members, known)
    if "resourceType" not in members:
        return data
    if _text(members["resourceType"]) == "Bundle":
        return _bundle(members, known)
    return _encode(_resource(members, known, known.event_id))


def occurred_at(draft_content: bytes, default_ms: int) -> int:
    """Return the moment that a resource's own date states, in milliseconds, else the default."""
    members = _members(draft_content)
    date = members.get(_DATE.get(_text(members.get("resourceType")), ""))
    try:
        return default_ms if date is None else parse_time_ms(_text(date))
    except ValueError:
        return default_ms


def _amendment(members: Members, known: Known) -> bytes:
    resource = members.get("resource")
    if resource is not None and bytes(resource).lstrip().startswith(b"{"):
        target = next((event for relation, event in known.refs if relation == "amends"), "")
        root = known.state.root_of(target)
        name = known.event_id if root is None else root.resource_id
        inner = _encode(_resource(_members(bytes(resource)), known, name))
        members["resource"] = msgspec.Raw(msgspec.json.encode(inner.decode()))
    return _encode(members)


def _bundle(members: Members, known: Known) -> bytes:
    _add(members, "type", "collection")
    entries = msgspec.json.decode(
        bytes(members.get("entry", msgspec.Raw(b"[]"))), type=list[Members]
    )
    name = known.event_id
    for entry in entries:
        if "resource" in entry:
            resource = _resource(_members(bytes(entry["resource"])), known, name)
            entry["resource"] = msgspec.Raw(_encode(resource))
            name = new_id()
    members["entry"] = msgspec.Raw(msgspec.json.encode(entries))
    return _encode(members)


def _resource(members: Members, known: Known, name: str) -> Members:
    kind = _text(members.get("resourceType"))
    _add(members, "id", known.stream if kind in _STREAM_RESOURCES else name)
    if kind == "AllergyIntolerance":
        _add(members, "patient", _reference(f"Patient/{known.stream}"))
    elif kind in _DATE and known.state.patient:
        _add(members, "subject", _reference(f"Patient/{known.state.patient}"))
        _add(members, "encounter", _reference(f"Encounter/{known.stream}"))
    elif kind == "Encounter" and known.state.patient:
        _add(members, "subject", _reference(f"Patient/{known.state.patient}"))
    if kind in _DATE:
        moment = format_time_ms(known.occurred_at_ms)
        _add(members, _DATE[kind], moment)
        author = _reference(known.author)
        _add(members, _AUTHOR[kind], [author] if kind in _SEVERAL_AUTHORS else author)
        if kind == "DiagnosticReport":
            _add(members, "issued", moment)
            orders = [event for relation, event in known.refs if relation == "answers"]
            if orders:
                _add(members, "basedOn", [_reference(f"ServiceRequest/{orders[0]}")])
    return members


def _reference(text: str) -> dict[str, str]:
    return {"reference": text}


def _add(members: Members, name: str, value: object) -> None:
    if name not in members:
        members[name] = msgspec.Raw(msgspec.json.encode(value))


def _members(data: bytes) -> Members:
    try:
        return msgspec.json.decode(data, type=Members)
    except msgspec.DecodeError:
        raise SubmissionRejectedError(
            "content-not-json", "/content", "the content is not a JSON object"
        ) from None


def _encode(members: Members) -> bytes:
    return msgspec.json.encode(members)


def _text(raw: msgspec.Raw | None) -> str:
    value = None if raw is None else msgspec.json.decode(bytes(raw))
    return value if isinstance(value, str) else ""
