"""Fixtures only: facilities built by commands, shared where tests only add to them."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cli.facility import Facility
from tests.cli.shell import Shell
from tests.postgres import Server


@pytest.fixture(scope="session")
def facility(
    postgres_server: Server, template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Facility]:
    """A facility that all tests of the command line share; they only add to it."""
    url = postgres_server.create_database(template_url)
    yield Facility(tmp_path_factory.mktemp("facility") / "home", url)
    postgres_server.drop_database(url)


@pytest.fixture
def own_facility(database_url: str, tmp_path: Path) -> Facility:
    """A facility of the test's own, to be damaged at will."""
    return Facility(tmp_path / "home", database_url)


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    """A shell on a migrated database without a ledger."""
    return Shell(tmp_path / "home", database_url)
