"""The repository's own rules: short files, known folders, no registry host, packages whole."""

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CODE_FOLDERS = ("api", "ledger", "projections", "signing", "tests", "docs")
GENERATED = {"ledger/fhir/r4.py", "ledger/fhir/r4_quick.py"}
LONGEST_LINES = 600
STANDS_ALONE = {"ledger/evidence/verify_evidence.py"}  # one file, so that anyone can carry it
PACKAGE_SOURCE = re.compile(
    r"https?://(?!127\.0\.0\.1)\S*|--(?:extra-)?index-url|--find-links|--trusted-host",
    re.IGNORECASE,
)


def tracked_files() -> list[str]:
    """Return what git knows, or will know: a file just written counts before it is added."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listing.stdout.splitlines() if (REPOSITORY / name).is_file()]


def test_no_python_file_is_longer_than_600_lines() -> None:
    """A long file holds more than one idea; only generated code may be long."""
    too_long = [
        name
        for name in tracked_files()
        if name.endswith(".py")
        and name not in GENERATED | STANDS_ALONE
        and len((REPOSITORY / name).read_text().splitlines()) > LONGEST_LINES
    ]
    assert too_long == []


def test_python_files_lie_in_the_known_folders() -> None:
    """A newcomer can draw the system from `ls`."""
    strays = [
        name
        for name in tracked_files()
        if name.endswith(".py") and name.split("/")[0] not in CODE_FOLDERS
    ]
    assert strays == []


def test_every_folder_of_code_is_a_package() -> None:
    """Import rules do not see a folder without `__init__.py`."""
    names = [name for name in tracked_files() if name.endswith(".py")]
    folders = {Path(name).parent for name in names if not name.startswith(("tests/", "docs/"))}
    missing = [str(folder) for folder in folders if f"{folder}/__init__.py" not in names]
    assert missing == []


@pytest.mark.parametrize(
    "name",
    ["requirements.txt", "requirements-dev.txt", "pyproject.toml", "Makefile", ".ci/run"],
)
def test_no_registry_host_is_named(name: str) -> None:
    """Where packages come from is the site's choice."""
    assert PACKAGE_SOURCE.findall((REPOSITORY / name).read_text()) == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    """A changed package is noticed before it runs."""
    text = (REPOSITORY / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    loose = [line for line in lines if "==" not in line or "--hash=sha256:" not in line]
    assert len(lines) > 20
    assert loose == []


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """`make lock` was run after the last change of the dependencies."""
    project = (REPOSITORY / "pyproject.toml").read_text()
    asked = re.findall(r'^  "([a-z0-9-]+)(?:\[[a-z,]+\])?[=<>]', project, re.MULTILINE)
    lock = (REPOSITORY / "requirements-dev.txt").read_text()
    locked = re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==", lock, re.MULTILINE)
    assert len(asked) > 20
    assert sorted(set(asked) - set(locked)) == []


def test_both_locks_agree_on_every_version() -> None:
    """One environment serves running and development."""
    pins: dict[str, set[str]] = {}
    for name in ("requirements.txt", "requirements-dev.txt"):
        for package, version in re.findall(
            r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", (REPOSITORY / name).read_text(), re.MULTILINE
        ):
            pins.setdefault(package, set()).add(version)
    assert {package: versions for package, versions in pins.items() if len(versions) > 1} == {}


def test_make_help_lists_every_target() -> None:
    """The commands explain themselves."""
    makefile = (REPOSITORY / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    answer = subprocess.run(
        ["make", "--no-print-directory", "help"],  # noqa: S607
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    listed = {line.split()[1] for line in answer.stdout.splitlines()}
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert listed == targets == set(phony[1].split())


def test_the_ci_run_calls_the_commands_that_people_use() -> None:
    """Nothing is judged by other commands than those at hand."""
    script = (REPOSITORY / ".ci" / "run").read_text()
    used = set(re.findall(r"\bmake ([a-z-]+)", script))
    assert {"setup", "check", "test", "test-long"} <= used
    assert (REPOSITORY / ".ci" / "run").stat().st_mode & 0o100
