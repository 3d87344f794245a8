import re
import unicodedata

import pytest

from api.simulate.chance import Chance
from api.simulate.names import ETHNIC_FAMILIES, Sex, draw_name
from api.simulate.people import Person, PersonFrame, citizen_id, draw_person
from ledger.vietnam import (
    CITIZEN_ID,
    INSURANCE_NUMBER,
    PASSPORT,
    TEMPORARY_CODE,
    is_identifier_value,
)


def people(count: int, *, youngest: int = 1, oldest: int = 90) -> list[Person]:
    frame = PersonFrame(sex=None, youngest=youngest, oldest=oldest, year=2026)
    return [draw_person(Chance("people", str(number)), frame) for number in range(count)]


def test_names_are_nfc_and_nguyen_is_the_most_common() -> None:
    names = [person.name for person in people(500)]

    assert all(unicodedata.is_normalized("NFC", name.text) for name in names)
    families = [name.family for name in names]
    assert max(set(families), key=families.count) == "Nguyễn"
    assert 0.25 < families.count("Nguyễn") / len(families) < 0.45


@pytest.mark.parametrize("ethnicity", sorted(ETHNIC_FAMILIES))
@pytest.mark.parametrize("sex", ["male", "female"])
def test_no_name_repeats_a_part(ethnicity: str, sex: Sex) -> None:
    for number in range(200):
        name = draw_name(Chance("names", str(number)), sex, ethnicity)
        assert name.given not in name.middle.split()


@pytest.mark.parametrize(
    ("sex", "year", "fourth"),
    [("male", 1961, "0"), ("female", 1999, "1"), ("male", 2000, "2"), ("female", 2024, "3")],
)
def test_a_citizen_id_tells_province_century_sex_and_year(sex: Sex, year: int, fourth: str) -> None:
    number = citizen_id(Chance("id"), "022", sex=sex, birth_year=year)

    assert re.fullmatch(rf"022{fourth}{year % 100:02d}[0-9]{{6}}", number)


def test_all_identifiers_have_the_form_of_their_system() -> None:
    for person in people(600):
        for system, value in (
            (CITIZEN_ID, person.citizen_id),
            (INSURANCE_NUMBER, person.insurance_number),
            (PASSPORT, person.passport),
            (TEMPORARY_CODE, person.temporary_code),
        ):
            assert value is None or is_identifier_value(system, value)


def test_some_old_people_know_only_the_year_or_month_of_their_birth() -> None:
    lengths = {len(person.birth_date) for person in people(200, youngest=70, oldest=92)}

    assert lengths == {4, 7, 10}


def test_the_young_have_whole_birth_dates_and_a_parent_to_call() -> None:
    for person in people(100, youngest=1, oldest=6):
        assert len(person.birth_date) == 10
        assert person.contact.kinship in {"Bố", "Mẹ"}
        assert person.phone is None


def test_visitors_have_a_passport_and_no_citizen_id() -> None:
    visitors = [person for person in people(800, youngest=20) if person.nationality != "VN"]

    assert visitors
    assert all(one.passport and one.citizen_id is None for one in visitors)
    assert all(one.insurance_number is None and one.ethnicity is None for one in visitors)


def test_people_do_not_show_their_names_in_logs() -> None:
    assert repr(people(1)[0]) == "Person()"
