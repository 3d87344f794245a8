"""The report for people: what it says, and that nothing in it comes from elsewhere."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from typing_extensions import override

from api.report import render_report
from api.report.meanings import MEANINGS
from api.report.style import STYLE
from ledger.verify import FINDING_CODES, Report
from tests import reports
from tests.reports import MADE, busy, finding, report, since

GOLDEN = Path(__file__).with_name("report.html")
TRUST = Path(__file__).parents[4] / "docs" / "trust.md"
HOSTILE = "\"><script>alert('x')</script><img src=x onerror=y>&amp;\u202e\x00</title></svg>-->"


class _Tags(HTMLParser):
    """Gathers the elements of a page, and whether they are closed in order."""

    _VOID = frozenset({"meta", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self._VOID:
            self._open.append(tag)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def _tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    return _Tags(text).found


def test_the_page_is_the_golden_one() -> None:
    """Made anew by `python -m tests.unit.api.report.test_page`, and looked at in a browser."""
    assert render_report(busy(), MADE) == GOLDEN.read_text(encoding="utf-8")


def test_the_page_says_which_ledger_when_by_what_and_what_was_found() -> None:
    text = render_report(busy(), MADE)
    shown = busy()
    for words in (shown.origin, shown.genesis, shown.root, "clinledger 0.1.0"):
        assert f">{words}</code>" in text
    assert "2026-11-22 13:40:00 (UTC+7), 06:40:00 UTC" in text
    assert "KHÔNG TOÀN VẸN: 3 phát hiện" in text
    assert "NOT WHOLE: 3 findings" in text
    for one in shown.findings:
        assert f"<code>{one.code}</code>" in text
        assert MEANINGS[one.code].en in text
        assert MEANINGS[one.code].vi in text


def test_a_whole_ledger_is_called_whole_as_far_as_it_was_checked() -> None:
    text = render_report(report(), MADE)
    assert "Whole as far as it was checked: nothing was found" in text
    assert "NOT WHOLE" not in text
    assert "Không có." in text


def test_text_from_the_database_stays_text() -> None:
    """Columns can hold anything once somebody has altered their type."""
    hostile = report(
        origin=HOSTILE,
        genesis=HOSTILE,
        root=HOSTILE,
        findings=(
            finding("rule-broken", 3, stream=HOSTILE, event_id=HOSTILE, detail=HOSTILE * 100),
        ),
        notes=(HOSTILE,),
        since=since(by=HOSTILE, at=HOSTILE),
    )
    clean, text = render_report(busy(), MADE), render_report(hostile, MADE)
    assert {tag for tag, _ in _tags(text)} <= {tag for tag, _ in _tags(clean)}
    names = {name for _, attributes in _tags(text) for name in attributes}
    assert names <= {name for _, attributes in _tags(clean) for name in attributes}
    assert "\u202e" not in text
    assert "\x00" not in text
    assert "\\u202e" in text
    assert len(text) < 60_000


def test_ids_that_are_none_are_not_shown() -> None:
    """A column could hold a name by then."""
    text = render_report(
        report(findings=(finding("column-mismatch", 3, stream="Trần Văn Mẫu", event_id="x"),)), MADE
    )
    assert "Mẫu" not in text
    assert text.count("(not an id)") == 2


def test_the_page_needs_nothing_from_elsewhere_and_no_script() -> None:
    text = render_report(busy(), MADE)
    tags = _tags(text)
    assert not {"script", "link", "img", "iframe", "object", "a", "image", "use"} & {
        tag for tag, _ in tags
    }
    assert not [attributes for _, attributes in tags if {"src", "href", "style"} & set(attributes)]
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
    assert set(re.findall(r"url\(([^)]+)\)", text)) == {"#note", "#missing"}
    assert "@import" not in text
    assert "default-src 'none'" in text


def test_the_page_can_be_read_by_those_who_do_not_see_it() -> None:
    """Language of each part, headings in order, table headers with their scope, a described SVG."""
    text = render_report(busy(), MADE)
    tags = _tags(text)
    assert ("html", {"lang": "vi"}) in tags
    assert {attributes.get("lang") for _, attributes in tags} >= {"vi", "en"}
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    headers = [attributes for tag, attributes in tags if tag == "th"]
    assert {attributes.get("scope") for attributes in headers} == {"row", "col"}
    [svg] = [attributes for tag, attributes in tags if tag == "svg"]
    assert (svg["role"], svg["aria-labelledby"]) == ("img", "picture-title picture-words")
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert {"picture-title", "picture-words"} <= set(ids)
    assert len(ids) == len(set(ids))
    assert "360 of 1000 entries verified now" in text


def test_text_stands_out_from_its_ground() -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1, on white and on the grounds of the verdicts."""
    inks = set(re.findall(r"(?<!-)color: (#[0-9a-f]{6})", STYLE))
    assert len(inks) >= 5
    grounds = ("#ffffff", *re.findall(r"background: (#[0-9a-f]{6})", STYLE))
    for ink in inks:
        for ground in grounds:
            assert _contrast(ink, ground) >= 4.5, (ink, ground)


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_code_is_explained_as_in_the_trust_document() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \|", TRUST.read_text("utf-8"), re.MULTILINE)
    meant = {
        code: " ".join(words.replace("`", "").replace("*", "").split()) for code, words in rows
    }
    assert {code: MEANINGS[code].en for code in FINDING_CODES} == meant
    assert len({meaning.vi for meaning in MEANINGS.values()}) == len(FINDING_CODES)


@pytest.mark.parametrize(
    ("shown", "answers"),
    [
        (report(), ["yes", "yes", "yes", "yes", "yes", "yes", "no", "no", "no", "no", "no"]),
        (
            report(opened="directory", views=False),
            ["yes", "yes", "partly", "partly", "partly", "no", "no", "no", "no", "no", "no"],
        ),
        (
            busy(),
            ["yes", "yes", *("partly",) * 3, "yes", "partly", "yes", "no", "yes", "yes", "no"],
        ),
    ],
    ids=["all", "directory", "since"],
)
def test_what_was_not_checked_is_not_called_checked(shown: Report, answers: list[str]) -> None:
    """Entries, tree, signatures, rules, contents, views, sample, anchors, cosignatures."""
    text = render_report(shown, MADE)
    assert re.findall(r'<td class="(yes|partly|no)">', text) == answers


def test_what_rests_on_a_note_is_told() -> None:
    text = render_report(report(since=since(rules=False)), MADE)
    assert "by the note of so-y-te.example/auditor (2025-11-20T03:00:00.000Z)" in text
    assert "64 of 640 old events; meets with 95 % probability an alteration of 29" in text
    assert text.count("the earlier note did not check this") == 1
    assert reports.since().seed in text


if __name__ == "__main__":
    GOLDEN.write_text(render_report(busy(), MADE), encoding="utf-8")
