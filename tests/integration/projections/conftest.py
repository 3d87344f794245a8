"""Fixtures only: a founded ledger with installed views, and events to put in it."""

from collections.abc import Generator

import pytest

from ledger.database import Connection, Database
from ledger.keyring import Keyring
from projections.runner import Projector
from projections.tracking import install_views
from tests.stored_events import found, keyring
from tests.viewed_ledger import ViewedLedger


@pytest.fixture
def ring() -> Keyring:
    """The facility's keyring."""
    return keyring()


@pytest.fixture
def owner(database: Database, ring: Keyring) -> Generator[Connection]:
    """The owner's connection to a ledger without events whose views are installed."""
    connection = database.connect("owner")
    found(connection, database, ring)
    install_views(connection, database)
    yield connection
    connection.close()


@pytest.fixture
def viewed(owner: Connection, database: Database, ring: Keyring) -> ViewedLedger:
    """A ledger without events; what is built in it is not projected yet."""
    return ViewedLedger(owner, database, ring)


@pytest.fixture
def projector(viewed: ViewedLedger) -> Generator[Projector]:
    """A projector of that ledger with a keyring of its own."""
    found = Projector(viewed.database, keyring())
    yield found
    found.close()
