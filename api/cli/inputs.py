"""Take in what a command line names: files (`-` for standard input) of bounded size, and ids."""

import re
import sys
from pathlib import Path

import typer

from ledger.errors import EnvironmentRefusedError, SubmissionRejectedError
from signing.statement import UUID_PATTERN

STANDARD_INPUT = Path("-")


def read_input(path: Path, limit_bytes: int) -> bytes:
    """Return the bytes of a file or of standard input.

    Raises:
        EnvironmentRefusedError: there is no such file, or it may not be read.
        SubmissionRejectedError: `input-too-large`; no more than the limit was read.
    """
    if path == STANDARD_INPUT:
        data = sys.stdin.buffer.read(limit_bytes + 1)
    else:
        try:
            with path.open("rb") as file:
                data = file.read(limit_bytes + 1)
        except OSError as error:
            raise EnvironmentRefusedError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > limit_bytes:
        raise SubmissionRejectedError(
            "input-too-large", "", f"{describe(path)} has more than {limit_bytes} bytes"
        )
    return data


def describe(path: Path) -> str:
    """Name an input for people."""
    return "standard input" if path == STANDARD_INPUT else str(path)


def check_id(text: str) -> str:
    """Return an id as it is, when it is a UUID in its one spelling.

    Raises:
        typer.BadParameter: it is none.
    """
    if re.match(UUID_PATTERN, text) is None:
        raise typer.BadParameter("an id is a UUID such as 0198c0de-0000-7000-8000-00000000000a")
    return text


def check_optional_id(text: str | None) -> str | None:
    """Do as `check_id`, where nothing may be given."""
    return None if text is None else check_id(text)
