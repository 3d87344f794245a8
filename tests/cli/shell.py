"""Run the command line within the test's own process, as a shell would run the program."""

import contextlib
import io
import json
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

from api.cli.main import run

ORIGIN = "bvdk.halong.example/ledger"
PATIENT_NAME = "Vũ Thị Thanh Hương"
CITIZEN_ID = "022301004567"


class Answer(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """The only line that was printed on stdout."""
        assert self.code == 0, self.err
        assert self.out.count("\n") == 1, self.out
        return self.out.strip()

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is of any type
        """The only line that was printed on stdout, as JSON."""
        return json.loads(self.text)


class Shell:
    """A shell whose environment says where the ledger is."""

    def __init__(self, home: Path, database_url: str | None, schema: str = "ledger") -> None:
        self.home = home
        self.variables = {"CLINLEDGER_HOME": str(home), "CLINLEDGER_SCHEMA": schema}
        if database_url is not None:
            self.variables["CLINLEDGER_DATABASE_URL"] = database_url

    def __call__(self, *arguments: str | Path, stdin: bytes = b"") -> Answer:
        """Run one command and wait for its end."""
        out, err = _Stream(), _Stream()
        with (
            _environment(self.variables),
            _standard_input(stdin),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = 0
            try:
                run([str(argument) for argument in arguments])
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
        return Answer(code, out.text(), err.text())

    def file(self, name: str, content: object) -> Path:
        """Write a file beside the home: bytes as they are, anything else as JSON."""
        path = self.home.parent / name
        is_bytes = isinstance(content, bytes)
        path.write_bytes(content if is_bytes else json.dumps(content, ensure_ascii=False).encode())
        return path


class _Stream(io.TextIOWrapper):
    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, encoding="utf-8", write_through=True)

    def text(self) -> str:
        self.flush()
        return self._bytes.getvalue().decode()


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Generator[None]:
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("CLINLEDGER_")]:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _standard_input(data: bytes) -> Generator[None]:
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = before
