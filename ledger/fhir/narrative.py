"""Check the narrative of a resource: XHTML from FHIR's allow-list, with no active content.

FHIR R4 txt-1: "The narrative SHALL contain only the basic html formatting elements and attributes
described in chapters 7-11 (except section 4 of chapter 9) and 15 of the HTML 4.0 standard, <a>
elements (either name or href), images and internally contained style attributes". We are
narrower where a page could fetch or run something: no external image, no ``style`` that names a
url, links only to http(s), mailto, tel or the same document.
"""

import re
from typing import Final
from xml.parsers import expat

from ledger.fhir.rules import RuleBrokenError

XHTML: Final = "http://www.w3.org/1999/xhtml"
_ELEMENTS: Final = frozenset(
    """
    a abbr acronym address b big blockquote br caption cite code col colgroup dd del dfn div dl dt
    em h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p pre q samp small span strong sub sup table tbody
    td tfoot th thead tr tt u ul var
    """.split()  # noqa: SIM905 - a word list reads better as words
)
_ATTRIBUTES: Final = frozenset(
    """
    abbr align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff
    charset cite class colspan compact coords dir frame headers height href hreflang hspace id
    lang longdesc name nowrap rel rev rowspan rules scope shape span src start style summary
    tabindex title type valign value vspace width xml:lang xml:space
    """.split()  # noqa: SIM905 - as above
)
_LINK: Final = re.compile(r"(?:https?:|mailto:|tel:|#)\S*|(?!//)[A-Za-z0-9./_-]+(?:#\S*)?")
_IMAGE: Final = re.compile(r"#\S+|data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/=\s]+")
_UNSAFE_STYLE: Final = re.compile(
    r"url|import|expression|javascript|behavio|-moz|\\|/\*", re.IGNORECASE
)
_ROOT: Final = f'<div xmlns="{XHTML}">'
# Paragraphs of plain text, as most narratives are: well-formed as they stand, and allowed.
_CHARACTERS: Final = "[^<>&\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]++"
_PARAGRAPHS: Final = re.compile(
    f"{re.escape(_ROOT)}(?:<p>(?:{_CHARACTERS}|<br ?/>)*+</p>|{_CHARACTERS}|<br ?/>)*+</div>"
)
# A tag that needs no look at its attributes' meaning; everything else is parsed slowly.
_TAG: Final = re.compile(r"<([^>]*)>")
_SIMPLE_TAGS: Final = frozenset(
    form.format(name) for name in _ELEMENTS for form in ("{}", "/{}", "{}/", "{} /")
)
_TAG_WITH_ATTRIBUTES: Final = re.compile(
    r"([a-z]+[1-6]?)"
    r"(?: (?:align|border|class|colspan|id|lang|name|rowspan|title|valign|width)"
    r'="[^"&]*")* ?/?'
)
_VISIBLE: Final = re.compile(r">\s*[^<\s]")
_ODD_MARKUP: Final = re.compile("<[!?]|&#")


class _Checker:
    """Handlers for one run of the parser; each raises at what is not allowed."""

    def __init__(self) -> None:
        self.depth = 0
        self.visible = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, element = name.rpartition("|")
        if namespace != XHTML or element not in _ELEMENTS:
            raise RuleBrokenError("fhir-txt-1", "/div")
        if self.depth == 0 and element != "div":
            raise RuleBrokenError("fhir-txt-1", "/div")
        for attribute, value in attributes.items():
            _check_attribute(element, attribute, value)
        self.depth += 1
        self.visible = self.visible or element == "img"

    def end(self, _name: str) -> None:
        self.depth -= 1

    def text(self, text: str) -> None:
        self.visible = self.visible or not text.isspace()


def _check_attribute(element: str, attribute: str, value: str) -> None:
    name = attribute.replace("http://www.w3.org/XML/1998/namespace|", "xml:")
    allowed = name in _ATTRIBUTES
    if name == "href":
        allowed = element == "a" and _LINK.fullmatch(value.strip()) is not None
    elif name == "src":
        allowed = element == "img" and _IMAGE.fullmatch(value.strip()) is not None
    elif name == "style":
        allowed = _UNSAFE_STYLE.search(value) is None
    elif name in {"longdesc", "cite"}:
        allowed = _LINK.fullmatch(value.strip()) is not None
    if not allowed:
        raise RuleBrokenError("fhir-txt-1", "/div")


def _refuse(*_: object) -> None:
    raise RuleBrokenError("fhir-txt-1", "/div")


def check_narrative(div: str) -> None:
    """Accept a ``div`` element of FHIR's XHTML subset with visible content.

    A DOCTYPE, an entity declaration or a processing instruction is refused where it begins, so
    entities are never expanded. Named HTML entities are not XML's and are refused.

    Raises:
        RuleBrokenError: ``fhir-txt-1`` (not well-formed or not allowed), ``fhir-txt-2`` (empty).
    """
    if _PARAGRAPHS.fullmatch(div):
        if _VISIBLE.search(div) is None:
            raise RuleBrokenError("fhir-txt-2", "/div")
        return
    checker = None if _is_harmless(div) else _Checker()  # None: only well-formedness is left
    try:
        _parser(checker).Parse(div, True)
    except expat.ExpatError as error:
        raise RuleBrokenError("fhir-txt-1", "/div") from error
    if checker is not None and not checker.visible:
        raise RuleBrokenError("fhir-txt-2", "/div")


def _is_harmless(div: str) -> bool:
    """Tell from the text alone that every tag is allowed and something can be seen."""
    if not div.startswith(_ROOT) or _ODD_MARKUP.search(div):
        return False
    for tag in set(_TAG.findall(div, len(_ROOT))) - _SIMPLE_TAGS:
        match = _TAG_WITH_ATTRIBUTES.fullmatch(tag)
        if match is None or match[1] not in _ELEMENTS:
            return False
    return _VISIBLE.search(div) is not None


def _parser(checker: _Checker | None) -> expat.XMLParserType:
    if checker is None:
        return expat.ParserCreate()
    parser = expat.ParserCreate(namespace_separator="|")
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ProcessingInstructionHandler = _refuse
    parser.StartElementHandler = checker.start
    parser.EndElementHandler = checker.end
    parser.CharacterDataHandler = checker.text
    return parser
