"""`make run`: the demo starts, every line that it prints works, and a second start adds nothing."""

import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import TextIO

import pytest

from tests.docs.documents import REPOSITORY, outputs_of, program_folder, run_bash, surroundings
from tests.postgres import start_watchdog

MARKER = "@@end-of-line@@"
LAST_LINE = "API description:"


@pytest.fixture
def folder() -> Generator[Path]:
    """A folder for the program and a home, whose embedded server is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="clinledger-tour-") as name:
        path = Path(name)
        watchdog = start_watchdog(path / "home")
        program_folder(path / "bin")
        yield path
        watchdog.communicate(timeout=60)


class Demo:
    """A running `clinledger demo` of three patients on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = surroundings(folder / "bin")
        started = time.monotonic()
        with (folder / "demo.log").open("w", encoding="utf-8") as log:
            self.process = self._start(log)
        self.text = self._text()
        self.seconds = time.monotonic() - started

    def _start(self, log: TextIO) -> subprocess.Popen[str]:
        command = ["-m", "api.cli.main", "demo", "--patients", "3", "--port", "0"]
        return subprocess.Popen(  # noqa: S603 - our own interpreter and constants
            [sys.executable, *command, "--home", str(self.folder / "home")],
            cwd=REPOSITORY,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            encoding="utf-8",
        )

    def _text(self) -> str:
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:  # ends when the process does
            lines.append(line)
            if line.startswith(LAST_LINE):
                return "".join(lines)
        pytest.fail(f"the demo ended: {(self.folder / 'demo.log').read_text()[-2000:]}")

    @property
    def commands(self) -> list[str]:
        """The lines to paste; a line that goes on in the next one is one."""
        text = self.text.replace("\\\n", " ")
        return [line.strip() for line in text.splitlines() if line.startswith("  ")]

    @property
    def size(self) -> int:
        """How many entries the demo says that there are."""
        found = re.search(r"has (\d+) entries", self.text)
        assert found is not None
        return int(found[1])

    def stop(self) -> int:
        """Interrupt the demo as Ctrl-C does; return its exit code."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)
        return self.process.returncode


@pytest.mark.timeout(600)
def test_the_printed_lines_work_and_a_second_start_adds_nothing(folder: Path) -> None:
    """Each line that `make run` prints is pasted (issue 2, item 1)."""
    first = Demo(folder)
    # The program of this source tree stands before the one that the lines would find.
    path = f'export PATH={folder / "bin"}:"$PATH"\n'
    lines = [f"{line}\n{path}printf '\\n%s\\n' {MARKER}\n" for line in first.commands]
    try:
        done = run_bash("".join(lines), folder=folder, environment=first.environment)
    finally:
        assert first.stop() == 0
    *outputs, _ = outputs_of(done.stdout, MARKER)
    answers = dict(zip(first.commands, outputs, strict=False))
    assert list(answers) == first.commands, done.stdout
    asked = [command for command in answers if not command.startswith(("cd ", "export ", "TOKEN="))]
    assert len(asked) == 9
    for command in asked:
        assert answers[command].strip(), command
        assert '"status":4' not in answers[command], command
        assert "urn:clinledger:problem" not in answers[command], command
    assert "whole: nothing was found" in answers["clinledger verify"]
    second = Demo(folder)
    assert second.stop() == 0
    heads = 1  # published by the server meanwhile, or not yet
    assert second.size in {first.size, first.size + heads}
    assert "0 new" in (folder / "demo.log").read_text()
    assert second.seconds < 60
    done = run_bash(
        f"clinledger stop --home {folder / 'home'}", folder=folder, environment=second.environment
    )
    assert done.stdout == "stopped\n"
