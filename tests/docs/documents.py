"""Read the code blocks of our documents and run shell commands as a reader of them would."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"^```sh\n(?P<commands>.*?)^```\n(?:```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
_ANY = "…"


class Block(NamedTuple):
    """Commands of a document, and the output that it shows for them, if it shows any."""

    commands: str
    output: str | None


def blocks_of(document: Path) -> list[Block]:
    """Return the ```sh blocks of a document, each with the ```text block right after it."""
    return [Block(found["commands"], found["output"]) for found in _BLOCK.finditer(_read(document))]


def _read(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def outputs_of(text: str, marker: str) -> list[str]:
    """Return what was printed before each marker; the last part is what followed them all."""
    return [part.strip("\n") + "\n" for part in text.split(f"\n{marker}\n")]


def pattern_of(output: str) -> re.Pattern[str]:
    """Turn a shown output into a pattern: `…` stands for anything within a line.

    A line that is only `…` stands for any lines, or none.
    """
    lines = [
        "(?:.*\n)*?" if line == _ANY else ".*?".join(map(re.escape, line.split(_ANY))) + "\n"
        for line in output.splitlines()
    ]
    return re.compile("".join(lines))


def program_folder(folder: Path) -> Path:
    """Make a folder with the program `clinledger` of this source tree in it; return it."""
    folder.mkdir()
    program = folder / "clinledger"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -m api.cli.main "$@"\n'
    )
    program.chmod(0o755)
    return folder


def surroundings(*paths: Path) -> dict[str, str]:
    """Return a reader's environment: these folders first in PATH, none of our own settings."""
    kept = {name: value for name, value in os.environ.items() if "CLINLEDGER" not in name}
    return {**kept, "PATH": os.pathsep.join([*map(str, paths), os.environ["PATH"]])}


def run_bash(
    script: str, *, folder: Path, environment: dict[str, str], timeout_seconds: float = 500
) -> subprocess.CompletedProcess[str]:
    """Run a script in one bash session that stops at the first failure; stderr joins stdout."""
    return subprocess.run(  # noqa: S603 - the commands of our own documents
        ["bash", "-c", f"set -euo pipefail\n{script}"],  # noqa: S607 - the reader's bash
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=timeout_seconds,
    )


def joined(blocks: Sequence[Block], marker: str) -> str:
    """Return one script of all blocks, which prints a line with the marker after each of them."""
    return "".join(f"{block.commands}printf '\\n%s\\n' {marker}\n" for block in blocks)
