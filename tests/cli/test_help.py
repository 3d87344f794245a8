"""`--help` teaches: every command says what it does, every option and argument what it means."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from api.cli.main import app
from tests.cli.shell import Shell

SPECIFIED = (
    *("init", "serve", "stop", "migrate", "staff enrol", "staff grant", "staff withdraw"),
    *("key new", "key enrol", "key revoke", "key list", "token", "sign", "submit", "simulate"),
    *("show", "history", "search", "verify", "rebuild", "doctor"),
)


def _commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - untyped
    parts: dict[str, Any] = getattr(command, "commands", {})
    for part, inner in parts.items():
        yield from _commands(inner, f"{name} {part}".strip())
    if not parts:
        yield name, command


COMMANDS = dict(_commands(typer.main.get_command(app)))


def test_every_specified_command_is_there() -> None:
    """The command line of A§8, but for what is built later."""
    assert [name for name in SPECIFIED if name not in COMMANDS] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_describes_itself_and_each_of_its_parameters(name: str) -> None:
    """Whole sentences for the command, a few words for each parameter."""
    command = COMMANDS[name]
    assert len(command.help or "") > 30
    assert command.help.rstrip().endswith(".")
    silent = [
        parameter.name
        for parameter in command.params
        if parameter.name != "help" and not getattr(parameter, "help", None)
    ]
    assert silent == []


@pytest.mark.parametrize("name", ["", "staff", "key", *COMMANDS])
def test_help_needs_no_ledger(name: str, tmp_path: Path) -> None:
    """Exit 0, and the folder stays empty."""
    answer = Shell(tmp_path / "home", None)(*name.split(), "--help")
    assert answer.code == 0, answer.err
    assert f"Usage: clinledger {name}".strip() in answer.out
    assert list(tmp_path.iterdir()) == []
