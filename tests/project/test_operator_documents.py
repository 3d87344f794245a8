"""docs/operations.md and README.md tell operators of every command, metric and setting."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from api import settings
from api.cli.main import app
from api.metrics import Metrics
from ledger.catalogue import CATALOGUE
from ledger.server_programs import PROGRAMS_VARIABLE
from tests.project.architecture import REPOSITORY

DOCUMENTS = (REPOSITORY / "docs" / "operations.md", REPOSITORY / "README.md")
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)


def _commands(command: Any, name: str = "") -> Iterator[str]:  # noqa: ANN401 - untyped
    parts: dict[str, Any] = getattr(command, "commands", {})
    for part, inner in parts.items():
        yield from _commands(inner, f"{name} {part}")
    if not parts:
        yield name


def _metrics() -> list[str]:
    metrics = Metrics()
    metrics.watch(head_size=lambda: 0, waiting=lambda: 0, projected=lambda: 0)
    return sorted(
        family.name
        for family in metrics.registry.collect()
        if family.name.startswith("clinledger_")
    )


def test_every_command_is_named() -> None:
    """An operator learns of it before needing it."""
    names = list(_commands(typer.main.get_command(app)))
    assert len(names) > 20
    assert [name for name in names if f"`clinledger{name}`" not in TEXT] == []


def test_no_command_is_named_that_is_not_there() -> None:
    """Every `clinledger ...` in these documents begins with a command."""
    names = {name.split()[0] for name in _commands(typer.main.get_command(app))}
    named = re.findall(r"(?:`|    |^)clinledger ([a-z]+)", TEXT, re.MULTILINE)
    assert len(named) > 30
    assert sorted(set(named) - names) == []


def test_every_metric_is_described() -> None:
    """With what it tells, and when to look."""
    names = _metrics()
    assert len(names) > 5
    assert [name for name in names if f"`{name}`" not in TEXT] == []


def test_no_metric_is_described_that_is_not_there() -> None:
    """An alert on it would never fire."""
    named = re.findall(r"`(clinledger_[a-z_]+)`", TEXT)
    assert sorted(set(named) - set(_metrics())) == []


@pytest.mark.parametrize(
    "name",
    [
        settings.HOME_VARIABLE,
        settings.DATABASE_URL_VARIABLE,
        settings.SCHEMA_VARIABLE,
        PROGRAMS_VARIABLE,
    ],
)
def test_every_setting_is_described(name: str) -> None:
    """In a table, with its default."""
    assert re.search(rf"^\| `{name}`", TEXT, re.MULTILINE)


def test_no_setting_is_unknown_to_the_documents() -> None:
    """Every variable of this name that the code reads is one of those above, or internal."""
    internal = {"CLINLEDGER_WORKER_SECRET"}
    read = {
        name
        for folder in ("api", "ledger", "projections", "signing")
        for path in (REPOSITORY / folder).rglob("*.py")
        for name in re.findall(r"\"(CLINLEDGER_[A-Z_]+)\"", path.read_text(encoding="utf-8"))
    }
    assert len(read) >= 4
    assert [name for name in sorted(read - internal) if name not in TEXT] == []


def test_every_event_type_is_in_its_document() -> None:
    """docs/events.md has a section for each."""
    text = (REPOSITORY / "docs" / "events.md").read_text(encoding="utf-8")
    assert [tag for tag in CATALOGUE if f"### {tag}" not in text] == []
