"""Fixtures only: a hospital's ledger, built once, and a copy of it for each attack."""

from collections.abc import Generator

import pytest

from tests.attack import Attack
from tests.checkpointed import CHECKPOINT_SIZES, store_checkpoints
from tests.copied import built_hospital, copied
from tests.hospital import Hospital
from tests.postgres import Server

EVENTS = 260
"""So that one tile is complete and a few entries follow it."""


@pytest.fixture(scope="session")
def hospital(postgres_server: Server, template_url: str) -> Generator[Hospital]:
    """A hospital of 260 events; its database is only ever copied."""
    with built_hospital(postgres_server, template_url, events=EVENTS) as found:
        yield found


@pytest.fixture
def attack(postgres_server: Server, hospital: Hospital) -> Generator[Attack]:
    """A superuser's session on a copy of the hospital's ledger."""
    with copied(postgres_server, hospital) as session:
        yield session


@pytest.fixture(scope="module")
def disarmed(postgres_server: Server, hospital: Hospital) -> Generator[Attack]:
    """As `attack`, with checkpoints, without constraints, and with a copy of every table."""
    with copied(postgres_server, hospital) as session:
        store_checkpoints(session.hospital, CHECKPOINT_SIZES)
        session.disarm()
        yield session
