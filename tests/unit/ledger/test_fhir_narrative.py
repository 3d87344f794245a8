"""Narrative is XHTML that can be shown in any page: nothing in it runs, fetches or misleads."""

import pytest

from ledger.fhir.narrative import check_narrative
from ledger.fhir.rules import RuleBrokenError

XHTML = "http://www.w3.org/1999/xhtml"


def div(inside: str) -> str:
    return f'<div xmlns="{XHTML}">{inside}</div>'


GOOD = {
    "text": div("Mạch 80 lần/phút"),
    "paragraphs": div("<p>a</p><p>b<br/>c<br />d</p>"),
    "lists": div("<ul><li>a</li></ul><ol><li>b</li></ol>"),
    "table": div('<table class="grid" border="1"><tr><td colspan="2">a</td></tr></table>'),
    "style": div('<p style="color: red; text-align: center">a</p>'),
    "web link": div('<a href="https://a.example/b?c=d&amp;e">a</a>'),
    "local link": div('<a href="#part">a</a><a name="part"/>'),
    "quotation": div('<blockquote cite="https://a.example/">a</blockquote>'),
    "language": div('<p lang="vi" xml:lang="vi">a</p>'),
    "inline image": div('<img src="data:image/png;base64,iVBORw0KGgo=" alt="ECG"/>'),
    "contained image": div('<img src="#pic" alt="x"/>'),
    "XML entities": div("a &lt; b &amp;&amp; c &gt; d &#160;"),
    "comment": div("<!-- a -->b"),
    "cdata": div("<![CDATA[a]]>"),
    "prefixed": f'<h:div xmlns:h="{XHTML}"><h:p>a</h:p></h:div>',
    "single quotes": f"<div xmlns='{XHTML}'>a</div>",
    "after white space": f"\n {div('a')}\n",
}

NOT_ALLOWED = {
    "script": div("<script>alert(1)</script>a"),
    "script in capitals": div("<SCRIPT>alert(1)</SCRIPT>a"),
    "event handler": div('<p onclick="alert(1)">a</p>'),
    "event handler on load": div('<img src="#a" onerror="alert(1)"/>'),
    "script link": div('<a href="javascript:alert(1)">a</a>'),
    "script link with white space": div('<a href=" java&#10;script:alert(1)">a</a>'),
    "script link in capitals": div('<a href="JaVaScRiPt:alert(1)">a</a>'),
    "script quotation": div('<blockquote cite="javascript:x">a</blockquote>'),
    "data link": div('<a href="data:text/html,x">a</a>'),
    "link without a scheme to another host": div('<a href="//a.example/x">a</a>'),
    "external image": div('<img src="https://a.example/x.png"/>'),
    "vector image": div('<img src="data:image/svg+xml;base64,AAAA"/>'),
    "external style": div('<p style="background: url(https://a.example/x)">a</p>'),
    "style expression": div('<p style="width: expression(alert(1))">a</p>'),
    "style escape": div('<p style="background: \\75rl(x)">a</p>'),
    "style element": div("<style>p {}</style>a"),
    "link element": div('<link href="x"/>a'),
    "frame": div('<iframe src="x"/>a'),
    "object": div('<object data="x"/>a'),
    "form": div('<form action="x"><input/></form>a'),
    "vector graphic": div('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>a'),
    "other namespace": div('<p xmlns="urn:x">a</p>'),
    "head": div("<head/>a"),
    "other root": f'<p xmlns="{XHTML}">a</p>',
    "no namespace": "<div>a</div>",
    "no markup": "a",
    "not closed": f'<div xmlns="{XHTML}"><p>a</div>',
    "two roots": div("a") + div("b"),
    "HTML entity": div("a&nbsp;b"),
    "attribute twice": div('<p id="a" id="b">a</p>'),
    "document type": f"<!DOCTYPE div>{div('a')}",
    "entity": f'<!DOCTYPE div [<!ENTITY e "a">]>{div("&e;")}',
    "external entity": f'<!DOCTYPE div [<!ENTITY e SYSTEM "file:///etc/passwd">]>{div("&e;")}',
    "processing instruction": div("<?php echo 1 ?>a"),
    "style sheet instruction": f'<?xml-stylesheet href="x"?>{div("a")}',
    "control character": div("a\x01"),
}

EMPTY = {
    "nothing": div(""),
    "white space": div(" \n\t "),
    "empty markup": div("<p> </p><br/>"),
    "white space by number": div("&#32;&#10;"),
    "comment only": div("<!-- a -->"),
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_plain_formatting_is_accepted(text: str) -> None:
    check_narrative(text)


@pytest.mark.parametrize("text", NOT_ALLOWED.values(), ids=NOT_ALLOWED)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(RuleBrokenError, match="fhir-txt-1"):
        check_narrative(text)


@pytest.mark.parametrize("text", EMPTY.values(), ids=EMPTY)
def test_a_narrative_that_shows_nothing_is_refused(text: str) -> None:
    with pytest.raises(RuleBrokenError, match="fhir-txt-2"):
        check_narrative(text)


def test_entities_are_refused_before_they_are_expanded() -> None:
    """A billion laughs takes no more than the time to see the DOCTYPE."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 30))
    with pytest.raises(RuleBrokenError, match="fhir-txt-1"):
        check_narrative(f'<!DOCTYPE d [<!ENTITY e0 "x">{entities}]>{div("&e29;")}')
