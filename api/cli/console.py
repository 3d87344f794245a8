"""Talk to the person at the terminal: results on stdout, everything else on stderr."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import msgspec
import typer

FOUND = 1
"""Exit code of a finding or a refusal."""

UNUSABLE = 2
"""Exit code of wrong usage or a wrong environment."""


def say(text: str) -> None:
    """Print a result for people on stdout, as it is."""
    typer.echo(text)


def note(text: str) -> None:
    """Print a remark on stderr, so that it never mixes with results."""
    typer.echo(text, err=True)


def say_json(value: object) -> None:
    """Print one line of JSON on stdout."""
    typer.echo(msgspec.json.encode(value).decode())


def say_json_bytes(data: bytes, *, pretty: bool) -> None:
    """Print JSON that is already encoded, with its digits as they are; indented for people."""
    typer.echo((msgspec.json.format(data, indent=2) if pretty else data).decode())


def fail(text: str, code: int) -> typer.Exit:
    """Print what is wrong and return the exit to raise."""
    note(f"clinledger: {text}")
    return typer.Exit(code)


@contextmanager
def progress_bar(title: str, *, quiet: bool = False) -> Generator[Callable[[int, int], None]]:
    """Show a progress bar on stderr while the block runs; yield `advance(done, total)`.

    Nothing is shown when stderr is not a terminal, or when asked to be quiet.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    with _bar(title) as advance:
        yield advance


@contextmanager
def _bar(title: str) -> Generator[Callable[[int, int], None]]:
    from rich.console import Console  # noqa: PLC0415 - slow to import, and seldom needed
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield advance
