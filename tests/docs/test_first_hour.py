"""docs/first-hour.md: every command is run, in one session, and its output compared."""

import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.docs.documents import (
    REPOSITORY,
    Block,
    blocks_of,
    joined,
    outputs_of,
    pattern_of,
    program_folder,
    run_bash,
    surroundings,
)
from tests.ports import free_port
from tests.postgres import start_watchdog

DOCUMENT = REPOSITORY / "docs" / "first-hour.md"
MARKER = "@@end-of-block@@"
PORT = "8080"


@pytest.fixture
def folder() -> Generator[Path]:
    """An empty folder whose embedded server, if one is started, is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="clinledger-first-hour-") as name:
        path = Path(name)
        watchdog = start_watchdog(path / "hour" / ".clinledger")
        yield path
        watchdog.communicate(timeout=60)


def _on_port(blocks: list[Block], port: int) -> list[Block]:
    served = "clinledger serve"
    return [
        Block(
            block.commands.replace(f":{PORT}", f":{port}").replace(
                f"{served} ", f"{served} --port {port} "
            ),
            block.output,
        )
        for block in blocks
    ]


@pytest.mark.timeout(600)
def test_every_command_of_the_first_hour_works_as_shown(folder: Path) -> None:
    """A newcomer who pastes the document gets what it shows (issue 2, item 11)."""
    blocks = blocks_of(DOCUMENT)
    assert len(blocks) > 20
    work = folder / "hour"
    work.mkdir()
    environment = surroundings(program_folder(folder / "bin"))
    try:
        done = run_bash(
            joined(_on_port(blocks, free_port()), MARKER), folder=work, environment=environment
        )
    finally:
        run_bash("clinledger stop", folder=work, environment=environment)
    *outputs, rest = outputs_of(done.stdout, MARKER)
    if len(outputs) < len(blocks):
        pytest.fail(f"{blocks[len(outputs)].commands}\nfailed and printed\n{rest}")
    wrong = [
        f"{block.commands}\nprinted\n{output}\ninstead of\n{block.output}"
        for block, output in zip(blocks, outputs, strict=True)
        if block.output is not None and not pattern_of(block.output).fullmatch(output)
    ]
    assert not wrong, "\n\n".join(wrong)
    assert done.returncode == 0


def test_the_first_hour_uses_every_command_that_a_small_facility_needs() -> None:
    """From `init` to `stop`: nothing of the way is left to guess."""
    commands = "".join(block.commands for block in blocks_of(DOCUMENT))
    needed = (
        *("init", "staff enrol", "staff list", "key new", "key enrol", "key revoke", "key list"),
        *("sign", "submit", "show", "history", "search", "projector", "doctor", "verify"),
        *("serve", "token", "stop"),
    )
    assert [name for name in needed if f"clinledger {name}" not in commands] == []


def test_a_shown_output_is_compared_word_by_word() -> None:
    """`…` stands for anything within a line, a line of it for any lines; all else is itself."""
    pattern = pattern_of("position … of 7\n…\nend\n")
    assert pattern.fullmatch("position 3 of 7\nend\n")
    assert pattern.fullmatch("position 3 of 7\na line\nanother\nend\n")
    assert not pattern.fullmatch("position 3 of 8\nend\n")
    assert not pattern.fullmatch("position 3 of 7\nend\nmore\n")
    assert not pattern.fullmatch("position 3\n of 7\nend\n")
