"""Render the tables of docs/events.md from the catalogue and the profiles.

`python -m tests.events_document` writes them into the document between its markers; a test
compares them.
"""

import re
from pathlib import Path

from ledger import vietnam
from ledger.catalogue import CATALOGUE, EventType
from ledger.profiles import observations, people
from ledger.profiles.clinical import PROFILES
from ledger.profiles.profile import Profile
from ledger.vietnam import FORMS

DOCUMENT = Path(__file__).parent.parent / "docs" / "events.md"
_BLOCK = re.compile(r"<!-- facts of (\S+) -->\n.*?<!-- end -->", re.DOTALL)
_ENROLMENTS = {
    "practitioner-enrolled.v1": ("Practitioner", people.PRACTITIONER_REQUIRED),
    "device-enrolled.v1": ("Device", people.DEVICE_REQUIRED),
}
_INSIDE = {
    "vitals-recorded.v1": (("each Observation", observations.VITAL_REQUIRED),),
    "result-reported.v1": (
        ("DiagnosticReport", observations.REPORT_REQUIRED),
        ("each Observation", observations.FINDING_REQUIRED),
    ),
}


def rendered(text: str) -> str:
    """Return the document with every block rendered anew."""
    return _BLOCK.sub(lambda match: _block(match[1]), text)


def _block(tag: str) -> str:
    special = {"forms": _forms, "systems": _systems}
    body = special[tag]() if tag in special else _table(CATALOGUE[tag])
    return f"<!-- facts of {tag} -->\n{body}\n<!-- end -->"


def _table(kind: EventType) -> str:
    rows = {
        "stream": _codes(kind.stream_kinds) + (", the first event" if kind.opens_stream else ""),
        "content": f"{kind.content}, `{kind.media_type}`",
        **_elements(kind.tag),
        "may author": _codes(kind.authors) or "see below",
        "references": _references(kind),
        "correction": _correction(kind),
        "stored": "sealed" if kind.sealed else "in the open (directory)",
    }
    return "| | |\n|---|---|\n" + "\n".join(f"| {name} | {cell} |" for name, cell in rows.items())


def _elements(tag: str) -> dict[str, str]:
    if tag in _ENROLMENTS:
        name, required = _ENROLMENTS[tag]
        return {f"required in {name}": _required(required)}
    rows: dict[str, str] = {}
    for profile in PROFILES.get(tag, ()):
        rows[f"required in {profile.resource_type}"] = _required(profile.required)
        rows |= _statuses(profile)
    for name, required in _INSIDE.get(tag, ()):
        rows[f"required in {name}"] = _required(required)
    return rows


def _required(elements: tuple[str, ...]) -> str:
    return " ".join(" or ".join(f"`{name}`" for name in e.split("|")) for e in elements)


def _statuses(profile: Profile) -> dict[str, str]:
    if not profile.statuses:
        return {}
    amended = _codes(profile.amended_statuses)
    return {"status": f"{_codes(profile.statuses)}; when amended {amended}"}


def _references(kind: EventType) -> str:
    parts = [f"exactly one `{relation}`" for relation in sorted(kind.required)]
    parts += [f"optionally `{relation}`" for relation in sorted(kind.optional)]
    return ", ".join(parts) or "none"


def _correction(kind: EventType) -> str:
    if not kind.amendable:
        return "none"
    verbs = "amended or retracted" if kind.retractable else "amended, not retracted,"
    others = _codes(kind.amenders)
    return f"{verbs} by its author" + (f" or by {others}" if others else "")


def _forms() -> str:
    rows: dict[str, list[str]] = {}
    for form in FORMS.values():
        by = f"| {_codes(form.authors)} | {_codes(form.amenders) or 'its author only'} |"
        rows.setdefault(by, []).append(form.code)
    head = "| forms | may write | may correct besides the author |\n|---|---|---|\n"
    return head + "\n".join(f"| {' '.join(codes)} {by}" for by, codes in rows.items())


def _systems() -> str:
    rows = (
        ("citizen ID (số định danh cá nhân)", vietnam.CITIZEN_ID),
        ("health insurance (thẻ BHYT)", vietnam.INSURANCE_NUMBER),
        ("passport (hộ chiếu)", vietnam.PASSPORT),
        ("temporary code", vietnam.TEMPORARY_CODE),
        ("patient code (mã người bệnh)", vietnam.PATIENT_CODE),
        ("record number (mã hồ sơ bệnh án)", vietnam.RECORD_NUMBER),
        ("storage number (số lưu trữ)", vietnam.STORAGE_NUMBER),
        ("order number (số phiếu chỉ định)", vietnam.ORDER_NUMBER),
        ("practising licence (giấy phép hành nghề)", vietnam.LICENCE_NUMBER),
        ("staff code (mã nhân viên)", vietnam.STAFF_CODE),
        ("record type", vietnam.RECORD_TYPE),
        ("form", vietnam.FORM),
        ("form of the facility's own", vietnam.FACILITY_FORM),
        ("order category", vietnam.ORDER_CATEGORY),
        ("ICD-10", vietnam.ICD_10),
    )
    head = "| system | URI |\n|---|---|\n"
    return head + "\n".join(f"| {name} | `{uri}` |" for name, uri in rows)


def _codes(names: frozenset[str] | frozenset[object]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(map(str, names)))


if __name__ == "__main__":
    DOCUMENT.write_text(rendered(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
