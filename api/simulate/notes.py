"""Write notes as Compositions: record forms, treatment and care sheets, the facility's own."""

from typing import Final, cast

import msgspec

from api.simulate.chart import Chart, Entry, PlannedRef
from api.simulate.fhir import JsonObject, coding, concept, local_time, narrative
from ledger.vietnam import FACILITY_FORM, FORM

TREATMENT_SHEET: Final = "36/BV2"
CARE_SHEET: Final = "37/BV2"
OPERATION_REPORT: Final = "PHIEU-PTTT"
DISCHARGE_SUMMARY: Final = "TONG-KET-BA"
MEDICATION_REVIEW: Final = "DUOC-LAM-SANG"

_TITLES: Final = {
    TREATMENT_SHEET: "Tờ điều trị",
    CARE_SHEET: "Phiếu chăm sóc",
    OPERATION_REPORT: "Phiếu phẫu thuật, thủ thuật",
    DISCHARGE_SUMMARY: "Tổng kết bệnh án",
    MEDICATION_REVIEW: "Phiếu phân tích sử dụng thuốc",
}

Section = tuple[str, str]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A note: the code of its form, its title if the form has none of its own, its sections."""

    form: str
    sections: tuple[Section, ...]
    title: str | None = None

    def __repr__(self) -> str:
        return "<Note>"


def write_note(
    chart: Chart, note: Note, *, signer: str, at_ms: int, refs: tuple[PlannedRef, ...] = ()
) -> Entry:
    """Add a note of one author."""
    event_id = chart.new_id()
    title = note.title or _TITLES[note.form]
    system = FORM if note.form.endswith(("/BV1", "/BV2")) else FACILITY_FORM
    resource: JsonObject = {
        "resourceType": "Composition",
        "id": event_id,
        "status": "final",
        "type": concept(coding(system, note.form), text=title),
        "subject": chart.patient,
        "encounter": chart.encounter,
        "date": local_time(at_ms),
        "author": [chart.staff(signer)],
        "title": title,
        "section": sections(note.sections),
    }
    return chart.add(
        "note-written.v1", resource, signer=signer, at_ms=at_ms, event_id=event_id, refs=refs
    )


def sections(texts: tuple[Section, ...]) -> list[JsonObject]:
    """Return the sections of a Composition, one paragraph for each line of the text."""
    return [{"title": title, "text": narrative(text.split("\n"))} for title, text in texts]


def corrected(entry: Entry, title: str, addition: str) -> JsonObject:
    """Return a note's resource with one more section, as an amended version."""
    old = cast("list[JsonObject]", entry.resource["section"])
    return {
        **entry.resource,
        "status": "amended",
        "section": [*old, *sections(((title, addition),))],
    }
