"""Build the Go programs that read what we write, where a Go toolchain is present."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_SECONDS = 900


def build_go(folder: Path, target: Path, *, package: str = ".") -> Path:
    """Build the program of a folder, or a package that its module requires; return the executable.

    Skips the test when there is no toolchain, or none of the modules can be had; a program that
    does not compile is a failure.
    """
    if shutil.which("go") is None:
        pytest.skip("no Go toolchain on this machine: what others' code reads is not tested here")
    fetched = _go(folder, "mod", "download")
    if fetched.returncode != 0:
        pytest.skip(f"the Go modules of {folder.name} cannot be had: {fetched.stderr[-300:]}")
    built = _go(folder, "build", "-o", str(target), package)
    assert built.returncode == 0, built.stderr
    return target


def _go(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    return subprocess.run(  # noqa: S603 - our own program
        ["go", *arguments],  # noqa: S607 - whichever Go is installed
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
