"""Fixtures only: a hospital's ledger, built once, and a copy of it with a signer for each test."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.attack import Attack
from tests.checkpointed import Checkpointed
from tests.copied import built_hospital, copied
from tests.hospital import Hospital
from tests.postgres import Server

EVENTS = 40


@pytest.fixture(scope="session")
def small_hospital(postgres_server: Server, template_url: str) -> Generator[Hospital]:
    """A hospital of 40 events; its database is only ever copied."""
    with built_hospital(postgres_server, template_url, events=EVENTS) as found:
        yield found


@pytest.fixture
def attack(postgres_server: Server, small_hospital: Hospital) -> Generator[Attack]:
    """A superuser's session on a copy of the hospital's ledger."""
    with copied(postgres_server, small_hospital) as session:
        yield session


@pytest.fixture
def signed(attack: Attack, tmp_path: Path) -> Generator[Checkpointed]:
    """The same copy, with the signer of its checkpoints; nothing is signed yet."""
    checkpointed = Checkpointed(attack.database, attack.hospital, tmp_path)
    yield checkpointed
    checkpointed.close()
