"""Fixtures only: a hospital's ledger, built once, and a copy of it for each attack."""

from collections.abc import Generator

import pytest

from ledger.database import Database
from tests.attack import Attack
from tests.checkpointed import CHECKPOINT_SIZES, store_checkpoints
from tests.hospital import Hospital, build_hospital
from tests.postgres import Server

EVENTS = 260
"""So that one tile is complete and a few entries follow it."""


@pytest.fixture(scope="session")
def hospital(postgres_server: Server, template_url: str) -> Generator[Hospital]:
    """A hospital of 260 events; its database is only ever copied."""
    url = postgres_server.create_database(template_url)
    yield build_hospital(Database(url, "ledger"), events=EVENTS)
    postgres_server.drop_database(url)


@pytest.fixture
def attack(postgres_server: Server, hospital: Hospital) -> Generator[Attack]:
    """A superuser's session on a copy of the hospital's ledger."""
    url = postgres_server.create_database(hospital.builder.database.url)
    session = Attack(Database(url, "ledger"), hospital)
    yield session
    session.close()
    postgres_server.drop_database(url)


@pytest.fixture(scope="module")
def disarmed(postgres_server: Server, hospital: Hospital) -> Generator[Attack]:
    """As `attack`, with checkpoints, without constraints, and with a copy of every table."""
    url = postgres_server.create_database(hospital.builder.database.url)
    session = Attack(Database(url, "ledger"), hospital)
    store_checkpoints(session.hospital, CHECKPOINT_SIZES)
    session.disarm()
    yield session
    session.close()
    postgres_server.drop_database(url)
