"""`import`: every line is admitted as a POST would be, once, and no refusal quotes it."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.ids import new_id
from tests import contents
from tests.cli.facility import Facility
from tests.cli.histories import Historian, lines_of
from tests.cli.shell import CITIZEN_ID, PATIENT_NAME, Answer

TWO = ("--processes", "2", "--json")


def _import(facility: Facility, data: bytes, *options: str | Path) -> Answer:
    return facility("import", facility.file("import.jsonl", data), *TWO, *options)


def _refusals(path: Path) -> list[tuple[int, str]]:
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert all(set(one) == {"line", "code"} for one in found)
    return [(one["line"], one["code"]) for one in found]


@pytest.fixture
def history(facility: Facility) -> list[dict[str, Any]]:
    """A signed history that is not in the ledger yet."""
    return Historian(facility).history()


def test_a_history_is_appended_in_order_and_verifies(
    facility: Facility, history: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Streams that did not exist are opened, keys made, receipts kept."""
    acks = tmp_path / "acks.jsonl"
    done = _import(facility, lines_of(history), "--acks", acks).json
    assert (done["lines"], done["created"], done["refused"]) == (6, 6, 0)
    kept = [json.loads(line) for line in acks.read_text().splitlines()]
    positions = [one["position"] for one in kept]
    assert positions == list(range(done["size"] - 6, done["size"]))
    report = facility("verify", "--acks", acks, "--json").json
    assert report["ok"], report["findings"]
    assert report["anchors"][0]["count"] == 6


def test_repeating_an_import_adds_nothing_and_keeps_the_first_receipts(
    facility: Facility, history: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Also a file that went only halfway in before."""
    first, again = tmp_path / "first.jsonl", tmp_path / "again.jsonl"
    assert _import(facility, lines_of(history[:3]), "--acks", first).json["created"] == 3
    done = _import(facility, lines_of(history), "--acks", again).json
    assert (done["created"], done["already_there"]) == (3, 3)
    assert again.read_text().startswith(first.read_text())
    last = _import(facility, lines_of(history)).json
    assert (last["created"], last["already_there"]) == (0, 6)


def test_lines_in_the_middle_that_are_there_are_recognised_as_well(
    facility: Facility, tmp_path: Path
) -> None:
    """Or refused, when another statement, of this stream or another, has their event_id."""
    historian, patient = Historian(facility), contents.Ward(record=new_id(), patient=new_id())
    there = historian.note()
    taken = json.loads(there["statement"])["event_id"]
    first, again = tmp_path / "first.jsonl", tmp_path / "again.jsonl"
    assert _import(facility, lines_of([there]), "--acks", first).json["created"] == 1
    done = _import(
        facility, lines_of([historian.note(), there, historian.note()]), "--acks", again
    ).json
    assert (done["created"], done["already_there"]) == (2, 1)
    assert first.read_text() in again.read_text().splitlines(keepends=True)
    refused = tmp_path / "refused.jsonl"
    opened = historian.history(notes=0, ward=patient)
    lines = [
        *opened,
        historian.note(event_id=taken, text="Hai."),
        historian.note(patient, event_id=taken),
        historian.note(patient),
    ]
    answer = _import(facility, lines_of(lines), "--refused", refused)
    assert _refusals(refused) == [(3, "event-id-taken"), (4, "event-id-taken")]
    assert json.loads(answer.out)["created"] == 3


def test_a_line_that_stands_twice_is_added_once(
    facility: Facility, history: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Both get the same receipt."""
    acks = tmp_path / "acks.jsonl"
    doubled = [body for body in history for _ in range(2)]
    done = _import(facility, lines_of(doubled), "--acks", acks).json
    assert (done["created"], done["already_there"], done["refused"]) == (6, 6, 0)
    lines = acks.read_text().splitlines()
    assert len(lines) == 12
    assert len(set(lines)) == 6


def test_what_an_import_appended_a_post_would_answer_alike(
    facility: Facility, history: list[dict[str, Any]], tmp_path: Path
) -> None:
    """`submit` of the same bytes returns the receipts of the import."""
    acks = tmp_path / "acks.jsonl"
    assert _import(facility, lines_of(history), "--acks", acks).code == 0
    answer = facility("submit", "-", "--json", stdin=lines_of(history))
    receipts = [json.loads(line) for line in answer.out.splitlines()]
    kept = [json.loads(line) for line in acks.read_text().splitlines()]
    assert [{key: one[key] for key in kept[0]} for one in receipts] == kept


def test_hostile_lines_are_refused_by_number_and_the_others_appended(
    facility: Facility, tmp_path: Path
) -> None:
    """Nothing of a line is repeated, on the screen or in the file."""
    historian = Historian(facility)
    good, other = historian.note(), historian.note(text="Hết sốt.")
    unsigned = {**historian.note(), "signature": "{}"}
    swapped = {**historian.note(), "content": other["content"]}
    elsewhere = historian.note()
    elsewhere["statement"] = elsewhere["statement"].replace("halong", "hanoi12")[:-1]
    lines = [
        lines_of([good]),
        b"\n",
        lines_of([good]).replace("Sốt".encode(), b"S\xff"),
        f'{{"name": "{PATIENT_NAME}"}}\n'.encode(),
        f"{CITIZEN_ID} {PATIENT_NAME}\n".encode(),
        b"[" * 100_000 + b"\n",
        b" " * (4 * 1024 * 1024) + lines_of([good]),
        lines_of([unsigned, swapped, elsewhere, other]),
        lines_of([good])[:-40],
    ]
    refused = tmp_path / "refused.jsonl"
    answer = _import(facility, b"".join(lines), "--refused", refused)
    assert answer.code == 1
    done = json.loads(answer.out)
    assert (done["created"], done["already_there"], done["refused"]) == (2, 0, 9)
    found = _refusals(refused)
    assert [line for line, _ in found] == [3, 4, 5, 6, 7, 8, 9, 10, 12]
    codes = dict(found)
    assert codes[3] == "body-not-utf8"
    assert codes[5] == "body-not-json"
    assert codes[7] == "body-too-large"
    assert codes[8] == "container-malformed"
    assert codes[12] == "body-truncated"
    for secret in (PATIENT_NAME, CITIZEN_ID, "Sốt"):
        assert secret not in answer.out + answer.err + refused.read_text()


def test_another_statement_under_a_known_event_id_is_refused_by_its_line(
    facility: Facility, tmp_path: Path
) -> None:
    """Whether the first one was there before, or stands earlier in the same file."""
    historian = Historian(facility)
    before, within = (
        [historian.note(event_id=event_id, text=text) for text in ("Một.", "Hai.")]
        for event_id in (new_id(), new_id())
    )
    assert _import(facility, lines_of(before[:1])).code == 0
    refused = tmp_path / "refused.jsonl"
    answer = _import(facility, lines_of([before[1], *within]), "--refused", refused)
    assert answer.code == 1
    assert _refusals(refused) == [(1, "event-id-taken"), (3, "event-id-taken")]


def test_a_line_is_judged_after_the_lines_before_it(facility: Facility, tmp_path: Path) -> None:
    """A key revoked on one line signs nothing on the next; a stream never opened takes nothing."""
    stray = Historian(facility).history()
    refused = tmp_path / "refused.jsonl"
    answer = _import(facility, lines_of(stray[1:3]), "--refused", refused)
    assert answer.code == 1
    assert [line for line, _ in _refusals(refused)] == [1, 2]
    assert json.loads(answer.out)["created"] == 0


def test_an_empty_file_is_refused_and_a_missing_one_named(
    facility: Facility, tmp_path: Path
) -> None:
    """Neither is an import of nothing."""
    assert _import(facility, b"\n \n").code == 1
    missing = facility("import", tmp_path / "nowhere.jsonl")
    assert (missing.code, "nowhere.jsonl" in missing.err) == (2, True)


def test_standard_input_is_read_as_a_file_is(
    facility: Facility, history: list[dict[str, Any]]
) -> None:
    """A generator at the other end of a pipe needs no file of terabytes."""
    answer = facility("import", "-", "--json", stdin=lines_of(history))
    assert answer.json["created"] == 6
