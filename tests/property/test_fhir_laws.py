"""Laws of the FHIR checks, over dates, damage and narratives that nobody chose."""

import base64
import datetime as dt
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import ContentRejectedError
from ledger.fhir.narrative import check_narrative
from ledger.fhir.primitives import (
    BASE64_PATTERN,
    DATE_PATTERN,
    DATE_TIME_PATTERN,
    INSTANT_PATTERN,
)
from ledger.fhir.rules import RuleBrokenError
from ledger.fhir.validation import decode_resource
from tests.fhir_examples import EXAMPLES, example_bytes

FRAGMENTS = [
    "<p>", "</p>", "<b>", "</b>", "<br/>", "<br />", "a", " ", "\n", "&lt;", "&#32;", "&#160;",
    "&nbsp;", "<script>", "</script>", '<p class="x">', '<p class="a > b">', '<p onclick="x">',
    '<a href="#x">', "</a>", '<a href="javascript:x">', '<img src="#x"/>', "<td colspan='2'>",
    "</td>", "<", ">", '"', "]]>", "</div>", '<div xmlns="urn:x">', "<x:p>", "</x:p>",
]  # fmt: skip


def real(year: int, month: int, day: int) -> bool:
    try:
        dt.date(year, month, day)
    except ValueError:
        return False
    return True


@given(st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32))
def test_a_date_is_accepted_exactly_when_the_calendar_has_it(
    year: int, month: int, day: int
) -> None:
    date = f"{year:04}-{month:02}-{day:02}"
    moment = date + "T23:59:59.123+07:00"
    expected = real(year, month, day)
    assert (re.search(DATE_PATTERN, date) is not None) == expected
    assert (re.search(DATE_TIME_PATTERN, date) is not None) == expected
    assert (re.search(DATE_TIME_PATTERN, moment) is not None) == expected
    assert (re.search(INSTANT_PATTERN, moment) is not None) == expected


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_every_moment_is_accepted_in_both_forms_of_utc(moment: dt.datetime) -> None:
    for text in (moment.isoformat(), moment.isoformat().replace("+00:00", "Z")):
        assert re.search(DATE_TIME_PATTERN, text)
        assert re.search(INSTANT_PATTERN, text)


@given(st.binary())
def test_base64_is_accepted_exactly_when_it_is_whole(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    assert re.search(BASE64_PATTERN, text)
    assert re.search(BASE64_PATTERN, text + "A") is None


@given(st.sampled_from(EXAMPLES), st.data())
def test_a_damaged_example_is_judged_and_never_a_crash(name: str, data: st.DataObject) -> None:
    """Whatever is done to the bytes, the answer is a resource or a rejection."""
    text = bytearray(example_bytes(name))
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(text) - 1))
        text[place : place + 1] = data.draw(
            st.sampled_from([b"", b"{}", b"[]", b"null", b'"', b"0", b"\\u0000", b"#", b"\xff"])
        )
    try:
        resource = decode_resource(bytes(text), name.partition("-")[0])
    except ContentRejectedError as error:
        assert re.fullmatch(r"(?:fhir|content)-[a-z0-9-]+", error.code)  # noqa: PT017 - both ends
        assert re.fullmatch(r"(?:/[A-Za-z0-9_\[\]]+)*", error.pointer)  # noqa: PT017
    else:
        assert json.loads(text)["resourceType"] == type(resource).__name__


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join))
def test_the_quick_look_at_a_narrative_gives_the_verdict_of_the_thorough_one(inside: str) -> None:
    """A comment forces the thorough way and changes nothing else."""

    def verdict(text: str) -> str:
        try:
            check_narrative(text)
        except RuleBrokenError as error:
            return error.code
        return "accepted"

    whole = f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'
    assert verdict(whole) == verdict(whole + "<!---->")
