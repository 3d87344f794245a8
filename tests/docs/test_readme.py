"""README.md and its neighbours: commands that run, links that lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.docs.documents import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_MODULE = re.compile(
    r"`((?:api|ledger|projections|signing|tests|docs)/[\w./-]+\.(?:py|md|sql|json))`"
)
_COMMAND = re.compile(r"^clinledger [^\n#]*[^\n# ]", re.MULTILINE)


def test_the_readme_opens_with_the_two_commands() -> None:
    """After saying what it is in two sentences (issue 2, item 1)."""
    before, _, rest = README.partition("```\n")
    block = rest.partition("```")[0].splitlines()
    assert [line.split("#")[0].strip() for line in block] == ["make run", "make test"]
    assert before.count(". ") + before.count(".\n") <= 3


@pytest.mark.parametrize("target", ["run", "test"])
def test_make_knows_the_two_commands(target: str) -> None:
    """And describes them."""
    makefile = (REPOSITORY / "Makefile").read_text()
    assert re.search(rf"^{target}: .*## \S+", makefile, re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_link_and_file_that_a_document_names_exists(document: Path) -> None:
    """A reader never ends in nothing."""
    text = document.read_text(encoding="utf-8")
    links = [link for link in _LINK.findall(text) if "://" not in link]
    lost = [link for link in links if not (document.parent / link).exists()]
    lost += [name for name in _MODULE.findall(text) if not (REPOSITORY / name).exists()]
    assert lost == []


def test_the_commands_of_the_readme_work(database_url: str, tmp_path: Path) -> None:
    """In the order in which they stand; `serve` is started by other tests."""
    shell = Shell(tmp_path / "home", database_url)
    commands = _COMMAND.findall(README)
    assert [command.split()[1] for command in commands] == ["init", "serve", "verify", "--help"]
    (tmp_path / "acks.jsonl").touch()
    for command in commands:
        words = re.findall(r'"([^"]*)"|(\S+)', command)
        arguments = [quoted or plain for quoted, plain in words][1:]
        if arguments[0] == "serve":
            arguments.append("--help")
        given = [str(tmp_path / word) if word == "acks.jsonl" else word for word in arguments]
        answer = shell(*given)
        assert answer.code == 0, answer.err


def test_the_exit_codes_that_the_readme_names_are_those_of_the_console() -> None:
    """0 whole, 1 findings, 2 could not run."""
    assert "exit 0 whole, 1 findings, 2 could not run" in README
