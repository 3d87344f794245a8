"""docs/architecture.md names every module as the source describes it."""

import pytest

from tests.project.architecture import DOCUMENT, PACKAGES, modules, purpose, rendered


def test_the_document_lists_every_module_with_its_purpose() -> None:
    """`python -m tests.project.architecture` was run after the last change of modules."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert rendered(text) == text, "run python -m tests.project.architecture"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_is_for_in_one_line(package: str) -> None:
    """Long enough to tell something, short enough for a table."""
    found = {str(path): len(purpose(path)) for path in modules(package)}
    assert len(found) > 10
    assert [path for path, length in found.items() if not 15 < length < 200] == []
