"""Name the code systems and identifiers of Vietnamese hospitals, and check their forms.

Sources: Circular 32/2023/TT-BYT, annexes XXVIII (29 record types) and XXIX (53 sheets); personal
identification numbers of 12 digits (Law 26/2023 on identification); insurance cards of 15
characters and social-insurance numbers of 10 digits. No national FHIR naming system is in force,
so the URIs below are this project's own; they are permanent because they stand in signed content.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from ledger.roles import Role

_OURS: Final = "https://clinledger.example/fhir/vn"

CITIZEN_ID: Final = f"{_OURS}/sid/citizen-id"
"""Personal identification number (số định danh cá nhân / CCCD): 12 digits, may be re-issued."""

INSURANCE_NUMBER: Final = f"{_OURS}/sid/health-insurance"
"""Health insurance: the card's 15 characters or the social-insurance number's 10 digits."""

PASSPORT: Final = f"{_OURS}/sid/passport"
"""Passport number: 5 to 20 capital letters and digits."""

TEMPORARY_CODE: Final = f"{_OURS}/sid/temporary-patient-code"
"""For newborns, unknown and foreign patients; must not look like a citizen ID."""

PATIENT_CODE: Final = f"{_OURS}/sid/patient-code"
"""The facility's code of the person (mã người bệnh)."""

RECORD_NUMBER: Final = f"{_OURS}/sid/record-number"
"""The facility's number of the medical record (mã hồ sơ bệnh án)."""

STORAGE_NUMBER: Final = f"{_OURS}/sid/storage-number"
"""The number under which the record is archived (số lưu trữ)."""

ORDER_NUMBER: Final = f"{_OURS}/sid/order-number"
"""The facility's number of an order (số phiếu chỉ định); other placers use systems of theirs."""

LICENCE_NUMBER: Final = f"{_OURS}/sid/practising-licence"
"""Practising licence of a practitioner (giấy phép hành nghề)."""

STAFF_CODE: Final = f"{_OURS}/sid/staff-code"
"""The facility's code of a member of staff (mã nhân viên)."""

RECORD_TYPE: Final = f"{_OURS}/CodeSystem/record-type"
"""Record types 01/BV1 to 29/BV1."""

FORM: Final = f"{_OURS}/CodeSystem/form"
"""Sheets 01/BV2 to 53/BV2, and record forms NN/BV1 used as the text of a record."""

FACILITY_FORM: Final = f"{_OURS}/CodeSystem/facility-form"
"""Forms of the facility's own, by codes of 1 to 40 capital letters, digits and `./-`."""

ORDER_CATEGORY: Final = f"{_OURS}/CodeSystem/order-category"
"""laboratory, imaging, procedure, nursing, medication."""

ICD_10: Final = "http://hl7.org/fhir/sid/icd-10"
"""ICD-10 as the Ministry of Health lists it; the version names the list, e.g. TT06/2026."""

PLACER_TYPE_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
PLACER_TYPE: Final = "PLAC"

_PATTERNS: Final = {
    CITIZEN_ID: re.compile(r"[0-9]{12}"),
    INSURANCE_NUMBER: re.compile(r"[A-Z]{2}[0-9]{13}|[0-9]{10}"),
    PASSPORT: re.compile(r"[A-Z0-9]{5,20}"),
    FACILITY_FORM: re.compile(r"(?![0-9]{2}/BV[12]$)[A-Z0-9][A-Z0-9./-]{0,39}"),
    TEMPORARY_CODE: re.compile(r"(?![0-9]{12}$)[A-Z0-9][A-Z0-9./-]{3,39}"),
}
_ICD_10_CODE: Final = re.compile(r"[A-Z][0-9]{2}(\.[0-9]{1,2})?[*†]?")
_RECORD_TYPES: Final = 29
_SHEETS: Final = 53
_SHEETS_ANNEX: Final = 2


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A sheet of annex XXIX.

    Attributes:
        code: e.g. "36/BV2".
        authors: roles whose holders may write it.
        amenders: roles whose holders may amend or retract it besides its author.
    """

    code: str
    authors: frozenset[Role]
    amenders: frozenset[Role] = frozenset()


_DOCTOR: Final[frozenset[Role]] = frozenset({"doctor"})
_BY_SHEET: Final[tuple[tuple[frozenset[int], frozenset[Role], frozenset[Role]], ...]] = (
    # 07 infusion chart, 37 and 38 care sheets, 39 emergency triage, 44 ward hand-over by nurses:
    # written by nurses, open to correction by doctors.
    (frozenset({7, 37, 38, 39, 44}), frozenset({"nurse", "doctor"}), _DOCTOR),
    # 08 X-ray to 15 lung function: read by the imaging and functional-test departments.
    (frozenset(range(8, 16)), frozenset({"imaging", "doctor"}), frozenset()),
    # 16 to 26: laboratory and pathology.
    (frozenset(range(16, 27)), frozenset({"laboratory", "doctor"}), frozenset()),
)


def _form(number: int, annex: int) -> Form:
    code = f"{number:02}/BV{annex}"
    for numbers, authors, amenders in _BY_SHEET if annex == _SHEETS_ANNEX else ():
        if number in numbers:
            return Form(code=code, authors=authors, amenders=amenders)
    return Form(code=code, authors=_DOCTOR)


FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        form.code: form
        for form in (
            *(_form(number, 1) for number in range(1, _RECORD_TYPES + 1)),
            *(_form(number, _SHEETS_ANNEX) for number in range(1, _SHEETS + 1)),
        )
    }
)
"""The 82 forms by code: 01/BV1 to 29/BV1 and 01/BV2 to 53/BV2."""

_OWN_FORM: Final = Form(code="", authors=frozenset({"doctor", "nurse", "pharmacist"}))


def authors_of_form(code: str) -> frozenset[Role]:
    """Tell whose roles may write a form; any other code is a form of the facility's own."""
    return FORMS.get(code, _OWN_FORM).authors


def amenders_of_form(code: str) -> frozenset[Role]:
    """Tell whose roles may amend or retract a form that they did not write."""
    return FORMS.get(code, _OWN_FORM).amenders


def is_record_type(code: str) -> bool:
    """Tell whether the code is one of 01/BV1 to 29/BV1."""
    return code.endswith("/BV1") and code in FORMS


def is_icd_10_code(code: str) -> bool:
    """Tell whether the code has ICD-10's form: 3 to 5 characters, with the dot, e.g. J18.9."""
    return _ICD_10_CODE.fullmatch(code) is not None


def is_identifier_value(system: str, value: str) -> bool:
    """Tell whether a value has the form of its system; systems not listed here have none."""
    pattern = _PATTERNS.get(system)
    return pattern is None or pattern.fullmatch(value) is not None


PATIENT_SYSTEMS: Final = frozenset(
    {CITIZEN_ID, INSURANCE_NUMBER, PASSPORT, TEMPORARY_CODE, PATIENT_CODE}
)
"""Identifier systems of which a registered patient must have at least one."""

PRACTITIONER_SYSTEMS: Final = frozenset({LICENCE_NUMBER, STAFF_CODE})
"""Identifier systems of which an enrolled practitioner must have at least one."""
