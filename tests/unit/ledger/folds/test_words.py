"""Words by which patients are found."""

import pytest

from ledger.folds.patient import fold_patient
from ledger.folds.words import birth_date, fold_identifier, fold_text, name_words, words_of
from tests.builders_events import CITIZEN_ID, World, patient


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Nguyễn Thị Ánh Nguyệt", "nguyen thi anh nguyet"),
        ("ĐẶNG  Quốc-Đạt", "dang quoc dat"),
        ("Nguye\u0302\u0303n", "nguyen"),
        ("Ưởng Ỷ Ợ", "uong y o"),
        ("", ""),
    ],
)
def test_accents_and_case_do_not_matter(written: str, folded: str) -> None:
    assert fold_text(written) == folded


def test_a_word_keeps_its_accents_beside_the_folded_form() -> None:
    words = [(word.token, word.exact) for word in name_words("Đỗ Hải")]
    assert words == [("do", "đỗ"), ("hai", "hải")]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1980", "1980"),
        ("1980-05", "1980-05"),
        ("1980-05-17", "1980-05-17"),
        ("17/05/1980", "1980-05-17"),
        ("7.5.1980", "1980-05-07"),
        ("5/1980", "1980-05"),
        ("12345", None),
        ("Lan", None),
    ],
)
def test_birth_dates_are_read_in_both_orders(written: str, expected: str | None) -> None:
    assert birth_date(written) == expected


def test_identifiers_lose_their_separators() -> None:
    assert fold_identifier(" HS 4-797 / 12 ") == "hs479712"


def test_words_are_cut_to_what_an_index_holds() -> None:
    world = World()
    identifiers = [("s" * 5000, "7" * 5000), *((str(n), str(n)) for n in range(500))]
    first = world.register("N" * 5000 + " \ufdfa" * 5000, identifiers=identifiers)
    words = words_of(fold_patient(first.stream, world.events))
    assert len(words) == 200
    assert max(len(word.token) for word in words) <= 200
    assert max(len(word.exact) for word in words) <= 200


def test_a_former_identifier_still_leads_to_the_patient_and_a_former_name_does_not() -> None:
    world = World()
    first = world.register("Lê Mai", identifiers=[(CITIZEN_ID, "012345678901")])
    content = patient("Lê Mây", identifiers=[(CITIZEN_ID, "098765432109")])
    world.add("patient-identity-updated.v1", first.stream, "patient", content)
    words = [(word.kind, word.token) for word in words_of(fold_patient(first.stream, world.events))]
    assert words == [
        ("birth", "1980-05-17"),
        ("identifier", "012345678901"),
        ("identifier", "098765432109"),
        ("name", "le"),
        ("name", "may"),
    ]
