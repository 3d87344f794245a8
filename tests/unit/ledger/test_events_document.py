"""docs/events.md says what the catalogue, the profiles and the rules say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ledger.catalogue import CATALOGUE, RESERVED
from tests.events_document import DOCUMENT, rendered

ROOT = DOCUMENT.parent.parent
RAISING = {
    "reject",
    "refuse",
    "ContentRejectedError",
    "CommandRefusedError",
    "SubmissionRejectedError",
    "MalformedKeyError",
    "MalformedTokenError",
}
SOURCES = (
    *(ROOT / "ledger" / "profiles").glob("*.py"),
    *(ROOT / "ledger" / "rules").glob("*.py"),
    *(ROOT / "ledger" / f"{name}.py" for name in ("catalogue", "facts", "decide", "jsontext")),
    *(ROOT / "ledger" / "fhir").glob("*.py"),
    *(
        ROOT / "signing" / f"{name}.py"
        for name in ("keys", "edwards", "algorithms", "possession", "certificates")
    ),
)
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
INVARIANT = re.compile(r"fhir-[a-z]+-[0-9]+")
OTHER_CODES = {"signature-invalid", "signature-algorithm", "signature-key"}


def test_the_tables_are_those_of_the_catalogue_and_the_profiles() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert rendered(text) == text, "run: python -m tests.events_document"


def test_every_type_has_its_section_in_the_order_of_the_catalogue() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    sections = re.findall(r"^### (\S+\.v1)$", text, re.MULTILINE)
    assert sections == list(CATALOGUE)


def test_every_reserved_type_is_named() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text[text.index("## Reserved") : text.index("## Codes of refusal")]
    assert set(re.findall(r"`(\S+\.v1)`", section)) == RESERVED


def test_the_codes_of_refusal_are_exactly_those_that_the_source_raises() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text[text.index("## Codes of refusal") :]
    documented = {
        code
        for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
        for code in re.findall(r"`([a-z0-9-]+)`", row)
    }
    raised = {code for path in SOURCES for code in _codes_in(path)}
    assert documented == {c for c in raised if not INVARIANT.fullmatch(c)} - OTHER_CODES


def _codes_in(path: Path) -> Iterator[str]:
    source = path.read_text(encoding="utf-8")
    if path.parent.name == "fhir":
        yield from re.findall(r'"((?:fhir|content)-[a-z0-9-]+)"', source)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        codes = node.args[:1] if name in RAISING else []
        codes += [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        for code in codes:
            yield from (leaf for leaf in _strings(code) if CODE.fullmatch(leaf))


def _strings(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _strings(node.body)
        yield from _strings(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
