"""Fixtures only: a hospital's ledger, built once, and a copy of it with a signer for each test."""

from collections.abc import Generator
from pathlib import Path

import pytest

from ledger.database import Database
from tests.attack import Attack
from tests.checkpointed import Checkpointed
from tests.hospital import Hospital, build_hospital
from tests.postgres import Server

EVENTS = 40


@pytest.fixture(scope="session")
def small_hospital(postgres_server: Server, template_url: str) -> Generator[Hospital]:
    """A hospital of 40 events; its database is only ever copied."""
    url = postgres_server.create_database(template_url)
    yield build_hospital(Database(url, "ledger"), events=EVENTS)
    postgres_server.drop_database(url)


@pytest.fixture
def attack(postgres_server: Server, small_hospital: Hospital) -> Generator[Attack]:
    """A superuser's session on a copy of the hospital's ledger."""
    url = postgres_server.create_database(small_hospital.builder.database.url)
    session = Attack(Database(url, "ledger"), small_hospital)
    yield session
    session.close()
    postgres_server.drop_database(url)


@pytest.fixture
def signed(attack: Attack, tmp_path: Path) -> Generator[Checkpointed]:
    """The same copy, with the signer of its checkpoints; nothing is signed yet."""
    checkpointed = Checkpointed(attack.database, attack.hospital, tmp_path)
    yield checkpointed
    checkpointed.close()
