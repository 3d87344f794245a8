"""Patient search: any part of a name, with or without accents, dates, identifiers, paging."""

from functools import cached_property
from itertools import product
from typing import Any, LiteralString

import msgspec
import pytest
from typing_extensions import override

from ledger.errors import RejectedError
from projections.reads import ViewReader
from projections.runner import Projector
from projections.search_queries import PatientQuery, search_patients
from projections.search_sql import SEARCH, SEARCH_BEST
from projections.tables import Row
from tests.builders_events import CITIZEN_ID, patient
from tests.viewed_ledger import ViewedLedger

PEOPLE = (
    ("Nguyễn Văn Hải", "1980-05-17", "012345678901"),
    ("Nguyễn Thị Hai", "1980-05", "012345678902"),
    ("Đỗ Hải Anh", "1975", "TT-00042"),
    ("Trần Hải Đăng", "2001-11-02", "098765432109"),
    ("Hồ Ngọc Hà", "1980-01-01", "012345678903"),
)
_GIVEN = ("An", "Hà", "Hải", "Vân", "Ha")


@pytest.fixture
def people(viewed: ViewedLedger, projector: Projector) -> ViewedLedger:
    """Views with five patients."""
    for name, birth, identifier in PEOPLE:
        viewed.world.register(name, birth=birth, identifiers=[(CITIZEN_ID, identifier)])
    viewed.save()
    projector.catch_up()
    return viewed


def names(viewed: ViewedLedger, **query: str) -> list[str]:
    page = search_patients(viewed.views, PatientQuery(**query))
    as_common = search_patients(viewed.views, PatientQuery(**query), common=1)
    assert as_common == page, "words that many patients have are searched to the same end"
    hits: list[dict[str, Any]] = [msgspec.json.decode(hit) for hit in page.patients]
    return [hit["name"] for hit in hits]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hải văn nguyễn", ["Nguyễn Văn Hải"]),
        ("NGUYEN VAN HAI", ["Nguyễn Văn Hải"]),
        ("ng v h", ["Nguyễn Văn Hải"]),
        ("do anh", ["Đỗ Hải Anh"]),
        ("dang", ["Trần Hải Đăng"]),
        ("zzz", []),
        ("hải zzz", []),
        ("nguyen 1980", ["Nguyễn Thị Hai", "Nguyễn Văn Hải"]),
        ("17/05/1980", ["Nguyễn Văn Hải", "Nguyễn Thị Hai"]),
        ("0123456789", ["Hồ Ngọc Hà", "Nguyễn Thị Hai", "Nguyễn Văn Hải"]),
        ("098765432109", ["Trần Hải Đăng"]),
        ("tt-00042", ["Đỗ Hải Anh"]),
        ("Nguye\u0302\u0303n Thị", ["Nguyễn Thị Hai"]),
        ("%", None),
    ],
)
def test_words_are_found_in_any_order_with_or_without_accents(
    people: ViewedLedger, text: str, expected: list[str] | None
) -> None:
    if expected is None:
        with pytest.raises(RejectedError, match="query-empty"):
            names(people, text=text)
    else:
        assert names(people, text=text) == expected


def test_accents_as_written_rank_before_others_and_whole_words_before_beginnings(
    people: ViewedLedger,
) -> None:
    assert names(people, text="hải") == [
        "Đỗ Hải Anh",
        "Nguyễn Văn Hải",
        "Trần Hải Đăng",
        "Nguyễn Thị Hai",
    ]
    assert names(people, text="hà") == [
        "Hồ Ngọc Hà",
        "Đỗ Hải Anh",
        "Nguyễn Thị Hai",
        "Nguyễn Văn Hải",
        "Trần Hải Đăng",
    ]


@pytest.mark.parametrize(
    ("birth_date", "expected"),
    [
        ("1980", ["Hồ Ngọc Hà", "Nguyễn Thị Hai", "Nguyễn Văn Hải"]),
        ("5/1980", ["Nguyễn Thị Hai", "Nguyễn Văn Hải"]),
        ("1980-05-17", ["Nguyễn Văn Hải", "Nguyễn Thị Hai"]),
        ("1975-06-01", ["Đỗ Hải Anh"]),
        ("1981", []),
    ],
)
def test_full_and_partial_birth_dates_meet_each_other(
    people: ViewedLedger, birth_date: str, expected: list[str]
) -> None:
    assert names(people, birth_date=birth_date) == expected


def test_an_identifier_is_found_whole_with_or_without_its_system(people: ViewedLedger) -> None:
    assert names(people, identifier="0123 4567 8901") == ["Nguyễn Văn Hải"]
    assert names(people, identifier=f"{CITIZEN_ID}|012345678901") == ["Nguyễn Văn Hải"]
    assert names(people, identifier="urn:other|012345678901") == []
    assert names(people, identifier="0123456789") == []


def test_everything_given_must_match(people: ViewedLedger) -> None:
    assert names(people, name="hải", birth_date="1975") == ["Đỗ Hải Anh"]
    assert names(people, name="hải", identifier="012345678903") == []


@pytest.mark.parametrize("common", [1, 1000])
def test_pages_continue_without_repeating_or_leaving_out(people: ViewedLedger, common: int) -> None:
    shown: list[str] = []
    after: str | None = None
    query = PatientQuery(text="h")
    for _ in range(3):
        page = search_patients(people.views, query, limit=2, after=after, common=common)
        shown += [msgspec.json.decode(hit)["name"] for hit in page.patients]
        after = page.next
    assert shown == names(people, text="h")
    assert len(shown) == len(PEOPLE)
    assert after is None


def test_a_cursor_names_no_person(people: ViewedLedger) -> None:
    page = search_patients(people.views, PatientQuery(text="nguyen"), limit=1)
    assert page.next is not None
    assert "nguyen" not in page.next.lower()


def test_a_renamed_patient_is_found_by_the_new_name_only(
    people: ViewedLedger, projector: Projector
) -> None:
    stream = people.world.events[4].stream
    people.world.add("patient-identity-updated.v1", stream, "patient", patient("Hồ Bảo Ngọc"))
    people.save()
    projector.catch_up()
    assert names(people, text="hồ") == ["Hồ Bảo Ngọc"]
    assert names(people, name="ha", identifier="012345678903") == []
    assert names(people, identifier="012345678903") == ["Hồ Bảo Ngọc"]


@pytest.mark.parametrize(
    ("query", "after", "code"),
    [
        (PatientQuery(), None, "query-empty"),
        (PatientQuery(text="a " * 13), None, "query-too-long"),
        (PatientQuery(birth_date="May"), None, "birth-date-malformed"),
        (PatientQuery(identifier="a\0|1"), None, "identifier-malformed"),
        (PatientQuery(text="a"), "x", "cursor-malformed"),
        (PatientQuery(text="a"), "3." + "-" * 36, "cursor-malformed"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(
    people: ViewedLedger, query: PatientQuery, after: str | None, code: str
) -> None:
    with pytest.raises(RejectedError) as raised:
        search_patients(people.views, query, after=after)
    assert raised.value.code == code


@pytest.mark.parametrize(
    "text", ["nguyen van", "nguyễn văn", "van", "a nguyen", "n v h", "Vân thi"]
)
def test_common_words_together_are_found_page_by_page_in_the_same_order(
    viewed: ViewedLedger, projector: Projector, text: str
) -> None:
    for number, name in enumerate(product(("Nguyễn", "Nguyen", "Ngô"), ("Văn", "Thị"), _GIVEN)):
        viewed.world.register(" ".join(name), birth="1980", identifiers=[(CITIZEN_ID, f"{number}")])
    viewed.save()
    projector.catch_up()
    query = PatientQuery(text=text)
    after: str | None = None
    for _ in range(6):
        page = search_patients(viewed.views, query, limit=2, after=after, common=1)
        assert page == search_patients(viewed.views, query, limit=2, after=after)
        after = page.next
        if after is None:
            break


class ToldReader(ViewReader):
    """Keeps the queries that it was asked."""

    @cached_property
    def asked(self) -> list[str]:
        """The queries, in their order."""
        return []

    @override
    def rows(
        self, text: LiteralString, *, prepare: bool | None = None, **parameters: object
    ) -> list[Row]:
        self.asked.append(text)
        return super().rows(text, prepare=prepare, **parameters)


def test_pages_of_common_words_are_shown_without_ranking_all_who_have_them(
    viewed: ViewedLedger, projector: Projector
) -> None:
    for number, given in enumerate(_GIVEN):
        viewed.world.register(f"Nguyễn Văn {given}", identifiers=[(CITIZEN_ID, f"{number}")])
    viewed.save()
    projector.catch_up()
    views = ToldReader(viewed.connection, viewed.database)
    query = PatientQuery(text="nguyen van")
    first = search_patients(views, query, limit=2, common=1)
    search_patients(views, query, limit=2, common=1, after=first.next)
    assert SEARCH_BEST in views.asked
    assert SEARCH not in views.asked
