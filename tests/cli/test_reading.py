"""`show`, `history` and `search`."""

import json
import time
from datetime import UTC, datetime

import pytest

from tests.cli.facility import Facility, note
from tests.cli.shell import CITIZEN_ID, PATIENT_NAME

UNKNOWN = "01234567-89ab-7def-8123-456789abcdef"


def _corrected(facility: Facility) -> tuple[str, int]:
    """Write a note and correct it; return its id and the position before the correction."""
    written = facility.write_note()
    before = facility("show", facility.record, "--json").json["position"]
    again = {"reason": "Bổ sung", "resource": note("Đã đỡ sốt.", status="amended")}
    ref = ("--ref", f"amends={written}")
    assert facility.append(again, "entry-amended.v1", facility.doctor, *ref).code == 0
    return written, before


def test_a_record_is_shown_as_it_is_and_as_it_was(facility: Facility) -> None:
    """By position, and by time of receipt (promise of replay)."""
    written, before = _corrected(facility)
    now = facility("show", facility.record, "--json").json
    then = facility("show", facility.record, "--as-of", str(before), "--json").json
    (item,) = [item for item in now["items"] if item["event_id"] == written]
    (old,) = [item for item in then["items"] if item["event_id"] == written]
    assert (len(item["amendments"]), len(old["amendments"])) == (1, 0)
    assert then["position"] == before
    later = facility("show", facility.record, "--as-of", now["received_at"], "--json").json
    assert later == now


def test_for_people_the_same_document_is_indented(facility: Facility) -> None:
    """Nothing else differs."""
    shown = facility("show", facility.record).out
    assert shown.count("\n") > 20
    assert json.loads(shown) == facility("show", facility.record, "--json").json


def test_history_lists_every_event_by_position(facility: Facility) -> None:
    """What happened, by whom, referring to what."""
    written, _ = _corrected(facility)
    events = facility("history", facility.record, "--json").json["events"]
    lines = facility("history", facility.record).out.splitlines()
    assert len(lines) == len(events)
    assert events[0]["type"] == "record-opened.v1"
    assert lines[-1].endswith(f"amends:{written}")
    assert [event["version"] for event in events] == list(range(1, len(events) + 1))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", UNKNOWN), "record-unknown"),
        (("show", "BA-1"), "record-unknown"),
        (("show", "{patient}"), "record-unknown"),
        (("history", UNKNOWN), "record-unknown"),
        (("show", "{record}", "--as-of", "0"), "record-unknown"),
        (("show", "{record}", "--as-of", "999999999"), "as-of-ahead"),
        (("show", "{record}", "--as-of", "yesterday"), "as-of-malformed"),
        (("show", "{record}", "--as-of", "2026-02-31T00:00:00Z"), "as-of-malformed"),
    ],
)
def test_what_is_not_there_is_named(
    facility: Facility, arguments: tuple[str, ...], code: str
) -> None:
    """Exit 1 and a stable code."""
    names = {"record": facility.record, "patient": facility.patient}
    answer = facility(*(argument.format(**names) for argument in arguments))
    assert (answer.code, answer.out) == (1, "")
    assert f"refused: {code} at" in answer.err


def test_search_finds_by_any_part_of_the_name_and_any_identifier(facility: Facility) -> None:
    """With or without accents, in any order of words; birth date; identifier."""
    assert facility("projector", "--once").code == 0
    for text in ("huong vu", "Thanh Hương", "1985-03-14", CITIZEN_ID):
        line = facility("search", text).text
        assert line.startswith(facility.patient)
        assert PATIENT_NAME in line
    page = facility("search", "huong", "--json").json
    assert set(page) == {"patients", "next"}
    assert page["patients"][0]["patient"] == facility.patient


def test_nobody_found_is_no_error(facility: Facility) -> None:
    """It is an answer: nothing on stdout, exit 0."""
    answer = facility("search", "Xyz Không Có")
    assert (answer.code, answer.out) == (0, "")
    assert "nobody found" in answer.err


def test_search_says_when_the_views_are_behind(own_facility: Facility) -> None:
    """Without a server nobody projects: the remedy is named."""
    answer = own_facility("search", "huong")
    assert (answer.code, answer.out) == (0, "")
    assert "clinledger projector --once" in answer.err


def test_a_time_before_the_record_shows_nothing(facility: Facility) -> None:
    """As of a moment when there was no such record."""
    past = datetime.fromtimestamp(time.time() - 86_400, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = facility("show", facility.record, "--as-of", past)
    assert (answer.code, "record-unknown" in answer.err) == (1, True)
