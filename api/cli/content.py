"""Fill into a content what the command line and the ledger say already, before it is signed.

Only members that are missing at the top of a resource are added; everything that the author
wrote stays as it is written, digits of decimals included.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain, repeat
from typing import Final

import msgspec

from ledger.catalogue import AMENDMENT_JSON, EventType
from ledger.errors import SubmissionRejectedError
from ledger.ids import new_id
from ledger.jsontext import check_json_text
from ledger.state import EventSummary, StreamState
from signing.statement import format_time_ms

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
_VITAL_SIGNS: Final = [
    {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                "code": "vital-signs",
            }
        ]
    }
]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the event beside its content.

    Attributes:
        event_id: of the new event.
        stream: its stream's id.
        type: its tag.
        author: FHIR reference to the signer.
        occurred_at_ms: when it was true for the patient.
        state: of the stream; empty for a new one.
        refs: (relation, event_id) of what it refers to.
    """

    event_id: str
    stream: str
    type: str
    author: str
    occurred_at_ms: int
    state: StreamState
    refs: tuple[tuple[str, str], ...]

    def target(self, relation: str) -> EventSummary | None:
        """Find the first version of the entry that a relation names."""
        named = next((event for name, event in self.refs if name == relation), "")
        return self.state.root_of(named)

    def order(self) -> EventSummary | None:
        """Find the order that a result answers, also when the result is being amended."""
        amended = self.target("amends")
        return self.state.root_of(amended.order) if amended else self.target("answers")


def complete(data: bytes, kind: EventType, known: Known) -> bytes:
    """Return the content with what was missing filled in.

    Raises:
        ContentRejectedError: it is not JSON of the kind that we store.
        SubmissionRejectedError: `content-not-an-object`.
    """
    members = read_members(data)
    if kind.media_type == AMENDMENT_JSON:
        resource = _inner(members)
        if resource is not None:
            text = _completed(resource, known, known.target("amends")).decode()
            members["resource"] = msgspec.Raw(msgspec.json.encode(text))
        return msgspec.json.encode(members)
    return _completed(members, known, None) if "resourceType" in members else data


def stated_time_ms(data: bytes) -> int | None:
    """Return the instant at which the content says that it was true, or None when it says none."""
    members = read_members(data)
    resource = _inner(members) or members
    kind = _text(resource.get("resourceType"))
    if kind == "Bundle":
        entries = _entries(resource)
        first = entries[0].get("resource") if entries else None
        resource = {} if first is None else _as_members(first)
        kind = _text(resource.get("resourceType"))
    if kind == "Encounter" and "period" in resource:
        resource = _as_members(resource["period"])
        name = "end" if "end" in resource else "start"
    else:
        name = _DATE.get(kind, "")
    return _instant_ms(_text(resource.get(name)))


def read_members(data: bytes) -> Members:
    """Return the members of a content, a JSON object.

    Raises:
        ContentRejectedError: it is not JSON of the kind that we store.
        SubmissionRejectedError: `content-not-an-object`.
    """
    check_json_text(data)
    if not data.lstrip().startswith(b"{"):
        raise SubmissionRejectedError("content-not-an-object", "/content")
    return msgspec.json.decode(data, type=Members)


def _completed(members: Members, known: Known, amended: EventSummary | None) -> bytes:
    ids: Iterator[str] = chain(
        (known.event_id,) if amended is None else (amended.resource_id, *amended.members),
        (new_id() for _ in repeat(None)),
    )
    if _text(members["resourceType"]) != "Bundle":
        return msgspec.json.encode(_resource(members, known, next(ids)))
    _add(members, "type", "collection")
    entries = _entries(members)
    resources = [
        _resource(_as_members(entry["resource"]), known, next(ids))
        for entry in entries
        if "resource" in entry
    ]
    _name_results(resources)
    written = map(msgspec.json.encode, resources)
    for entry in entries:
        if "resource" in entry:
            entry["resource"] = msgspec.Raw(next(written))
    members["entry"] = msgspec.Raw(msgspec.json.encode(entries))
    return msgspec.json.encode(members)


def _name_results(resources: list[Members]) -> None:
    """Let a report name the Observations that follow it."""
    if not resources or _text(resources[0].get("resourceType")) != "DiagnosticReport":
        return
    names = [_text(resource["id"]) for resource in resources[1:]]
    if names:
        _add(resources[0], "result", [_reference(f"Observation/{name}") for name in names])


def _resource(members: Members, known: Known, name: str) -> Members:
    kind = _text(members.get("resourceType"))
    moment = format_time_ms(known.occurred_at_ms)
    _add(members, "id", known.stream if kind in _STREAM_RESOURCES else name)
    if kind == "Encounter":
        if known.state.patient:
            _add(members, "subject", _reference(f"Patient/{known.state.patient}"))
        if known.type == "record-opened.v1":
            _add(members, "period", {"start": moment})
    if kind not in _DATE:
        return members
    if kind == "AllergyIntolerance":
        _add(members, "patient", _reference(f"Patient/{known.stream}"))
    elif known.state.patient:
        _add(members, "subject", _reference(f"Patient/{known.state.patient}"))
        _add(members, "encounter", _reference(f"Encounter/{known.stream}"))
    _add(members, _DATE[kind], moment)
    _add_author(members, kind, known.author)
    order = known.order()
    if kind == "DiagnosticReport":
        _add(members, "issued", moment)
        if order is not None:
            _add(members, "basedOn", [_reference(f"ServiceRequest/{order.resource_id}")])
    if kind == "Observation" and known.type == "vitals-recorded.v1":
        _add(members, "category", _VITAL_SIGNS)
    return members


def _add_author(members: Members, kind: str, author: str) -> None:
    if author.startswith("Device/") and kind in {"Observation", "DiagnosticReport"}:
        if kind == "Observation":  # R4 lets no device perform, and gives a report none
            _add(members, "device", _reference(author))
        return
    several = kind in _SEVERAL_AUTHORS
    _add(members, _AUTHOR[kind], [_reference(author)] if several else _reference(author))


def _inner(members: Members) -> Members | None:
    """Return the new version in an amendment that is written as an object, not yet as text."""
    resource = members.get("resource")
    found = None if resource is None else _as_members(resource)
    return found if found and "resourceType" in found else None


def _entries(bundle: Members) -> list[Members]:
    try:
        return msgspec.json.decode(bytes(bundle.get("entry", b"[]")), type=list[Members])
    except msgspec.DecodeError:
        return []  # the profile will say what is wrong with it


def _as_members(raw: msgspec.Raw) -> Members:
    try:
        return msgspec.json.decode(bytes(raw), type=Members)
    except msgspec.DecodeError:
        return {}


def _instant_ms(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else round(moment.timestamp() * 1000)


def _reference(text: str) -> dict[str, str]:
    return {"reference": text}


def _add(members: Members, name: str, value: object) -> None:
    if name not in members:
        members[name] = msgspec.Raw(msgspec.json.encode(value))


def _text(raw: msgspec.Raw | None) -> str:
    value = None if raw is None else msgspec.json.decode(bytes(raw))
    return value if isinstance(value, str) else ""
