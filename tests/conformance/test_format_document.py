"""docs/format.md shows what the golden vectors hold, and every code it names exists."""

import json
import re
from pathlib import Path
from typing import Any

import signing
from signing.algorithms import ALGORITHMS
from signing.statement import (
    MEDIA_TYPE_PATTERN,
    ORIGIN_PATTERN,
    TYPE_PATTERN,
    UUID_PATTERN,
    Statement,
)
from tests.vectors import generate

DOCUMENT = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")
GOLDEN: dict[str, Any] = json.loads(generate.GOLDEN.read_text(encoding="utf-8"))
EXAMPLE = re.compile(r"<!-- golden: ([\w.]+) -->\n```(?:json)?\n(.*?)\n```", re.DOTALL)


def golden(path: str) -> Any:  # noqa: ANN401 - a JSON value
    value: Any = GOLDEN
    for step in path.split("."):
        value = value[int(step)] if step.isdigit() else value[step]
    return value


def test_every_example_is_the_golden_value() -> None:
    examples = EXAMPLE.findall(DOCUMENT)
    for path, text in examples:
        value = golden(path)
        if isinstance(value, dict):
            shown = json.loads(text)
        else:  # long values are broken into lines, those of many lines are not
            shown = f"{text}\n" if "\n" in value else text.replace("\n", "")
        assert shown == value, path
    assert len(examples) == DOCUMENT.count("<!-- golden") == 28


def test_the_patterns_are_those_of_the_code() -> None:
    for pattern in (UUID_PATTERN, ORIGIN_PATTERN, TYPE_PATTERN, MEDIA_TYPE_PATTERN):
        assert pattern.removeprefix("^").removesuffix(r"$(?!\n)") in DOCUMENT


def test_the_members_of_a_statement_are_listed_in_their_order() -> None:
    section = DOCUMENT.split("## 4. Statement")[1].split("## 5.")[0]
    listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert listed == list(Statement.__struct_fields__) == sorted(listed)


def test_every_algorithm_has_its_row() -> None:
    section = DOCUMENT.split("## 2. Keys")[1].split("## 3.")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == ["alg", *ALGORITHMS]


def test_every_code_of_the_signing_package_is_documented_and_no_other() -> None:
    families = ("key", "statement", "container", "signature", "possession", "token")
    pattern = re.compile(rf"(?:{'|'.join(families)})-[a-z-]+")
    sources = Path(signing.__file__).parent.glob("*.py")
    raised = {
        code
        for source in sources
        for code in re.findall(r'Error\(\s*"([a-z-]+)"', source.read_text(encoding="utf-8"))
        if pattern.fullmatch(code)
    }
    documented = {code for code in re.findall(r"`([a-z-]+)`", DOCUMENT) if pattern.fullmatch(code)}
    assert documented == raised
