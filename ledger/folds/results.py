"""Find the latest result of each code across a patient's records."""

from collections.abc import Iterable
from typing import Final

import msgspec

from ledger.folds.contents import CodeableConcept
from ledger.folds.item import Item, StreamItems

# FHIR R4 ObservationStatus and DiagnosticReport.status: not a result one may act on.
_VOID: Final = frozenset({"cancelled", "entered-in-error"})


class LatestResult(msgspec.Struct, frozen=True, kw_only=True):
    """The newest result of one code, and where it stands.

    Attributes:
        system: code system, "" when the code has none; `code` is then its text.
        event_id: root event of the result; `current_event_id` holds the content shown.
        position: of the current event.
        status: of the result as an item; `resource_status` is FHIR's.
        resource: exact JSON text of the Observation, or of a report without any.
    """

    system: str
    code: str
    display: str | None
    record: str
    event_id: str
    current_event_id: str
    position: int
    signer: str
    occurred_at: str
    status: str
    resource_status: str | None
    resource: msgspec.Raw

    def __repr__(self) -> str:
        """Show the place only: the rest is about a patient."""
        return f"LatestResult(position={self.position})"


class _Resource(msgspec.Struct, frozen=True, kw_only=True):
    resourceType: str = ""  # noqa: N815 - the element's FHIR name
    status: str | None = None
    code: CodeableConcept = CodeableConcept()


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    resource: msgspec.Raw = msgspec.Raw(b"{}")


class _Bundle(msgspec.Struct, frozen=True, kw_only=True):
    entry: tuple[_Entry, ...] = ()


_BUNDLE: Final = msgspec.json.Decoder(_Bundle)
_RESOURCE: Final = msgspec.json.Decoder(_Resource)


def latest_results(records: Iterable[StreamItems]) -> list[LatestResult]:
    """Return the latest result of each code, newest first.

    Latest by `occurred_at`, then by position. Of a report with observations each observation
    counts under its own code; a report without any (imaging) counts under the report's.
    """
    found: dict[tuple[str, str], LatestResult] = {}
    placed = [
        (item.occurred_at, item.position, record.stream, item)
        for record in records
        for item in record.section("results")
        if item.retraction is None
    ]
    for _, _, record, item in sorted(placed, key=lambda place: place[:2]):
        for result in _results_of(record, item):
            found[result.system, result.code] = result
    return sorted(found.values(), key=lambda r: (r.occurred_at, r.position), reverse=True)


def _results_of(record: str, item: Item) -> list[LatestResult]:
    try:
        raws = [entry.resource for entry in _BUNDLE.decode(item.resource).entry]
        seen = [(_RESOURCE.decode(raw), raw) for raw in raws]
    except msgspec.DecodeError:  # destroyed: its resource is null
        return []
    counted = [pair for pair in seen if pair[0].resourceType == "Observation"]
    results: list[LatestResult] = []
    for resource, raw in counted or seen:
        system, code, display = _name_of(resource.code)
        if not code or resource.status in _VOID:
            continue
        results.append(
            LatestResult(
                system=system,
                code=code,
                display=display,
                record=record,
                event_id=item.event_id,
                current_event_id=item.current_event_id,
                position=item.current_position,
                signer=item.signer,
                occurred_at=item.occurred_at,
                status=item.status,
                resource_status=resource.status,
                resource=raw,
            )
        )
    return results


def _name_of(concept: CodeableConcept) -> tuple[str, str, str | None]:
    for coding in concept.coding:
        if coding.code:
            return coding.system or "", coding.code, coding.display or concept.text
    return "", concept.text or "", concept.text
