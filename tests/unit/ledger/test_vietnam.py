"""Forms, record types, codes and identifiers of Vietnamese hospitals."""

import pytest

from ledger.vietnam import (
    CITIZEN_ID,
    FACILITY_FORM,
    FORMS,
    INSURANCE_NUMBER,
    PASSPORT,
    TEMPORARY_CODE,
    amenders_of_form,
    authors_of_form,
    is_icd_10_code,
    is_identifier_value,
    is_record_type,
)


def test_circular_32_of_2023_has_29_record_types_and_53_sheets() -> None:
    assert sum(is_record_type(code) for code in FORMS) == 29
    assert len(FORMS) == 82
    assert is_record_type("01/BV1")
    assert is_record_type("29/BV1")


@pytest.mark.parametrize("code", ["00/BV1", "30/BV1", "1/BV1", "01/BV2", "01/BV-01", "BV1", ""])
def test_other_codes_are_no_record_types(code: str) -> None:
    assert not is_record_type(code)


@pytest.mark.parametrize(
    ("code", "authors", "amenders"),
    [
        ("36/BV2", {"doctor"}, set[str]()),
        ("37/BV2", {"nurse", "doctor"}, {"doctor"}),
        ("11/BV2", {"imaging", "doctor"}, set[str]()),
        ("22/BV2", {"laboratory", "doctor"}, set[str]()),
        ("07/BV1", {"doctor"}, set[str]()),
        ("HD-01", {"doctor", "nurse", "pharmacist"}, set[str]()),
    ],
)
def test_the_form_says_who_writes_and_who_corrects_it(
    code: str, authors: set[str], amenders: set[str]
) -> None:
    assert authors_of_form(code) == authors
    assert amenders_of_form(code) == amenders


@pytest.mark.parametrize("code", ["J18", "J18.9", "A00.0", "U07.1", "M10.00", "E14†", "G63.2*"])
def test_icd_10_codes_have_three_to_five_characters(code: str) -> None:
    assert is_icd_10_code(code)


@pytest.mark.parametrize("code", ["J1", "J18.", "J189", "j18.9", "J18.999", "18.9", "J18.9 "])
def test_other_texts_are_no_icd_10_codes(code: str) -> None:
    assert not is_icd_10_code(code)


@pytest.mark.parametrize(
    ("system", "value"),
    [
        (CITIZEN_ID, "001080012345"),
        (INSURANCE_NUMBER, "GD4797912345678"),
        (INSURANCE_NUMBER, "7912345678"),
        (PASSPORT, "C1234567"),
        (TEMPORARY_CODE, "TE-26.000123"),
        (TEMPORARY_CODE, "0010800123456"),
        (FACILITY_FORM, "HD-01"),
        ("https://elsewhere.example/id", "anything at all"),
    ],
)
def test_identifiers_of_the_right_form_are_taken(system: str, value: str) -> None:
    assert is_identifier_value(system, value)


@pytest.mark.parametrize(
    ("system", "value"),
    [
        (CITIZEN_ID, "00108001234"),
        (CITIZEN_ID, "0010800123456"),
        (CITIZEN_ID, "00108001234A"),
        (CITIZEN_ID, "٠٠١٠٨٠٠١٢٣٤٥"),
        (INSURANCE_NUMBER, "GD479791234567"),
        (PASSPORT, "C123"),
        (TEMPORARY_CODE, "001080012345"),
        (TEMPORARY_CODE, "TE1"),
        (FACILITY_FORM, "36/BV2"),
        (FACILITY_FORM, "phiếu"),
    ],
)
def test_identifiers_of_another_form_are_not(system: str, value: str) -> None:
    assert not is_identifier_value(system, value)
