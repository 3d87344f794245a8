"""Fixtures only: a live hospital whose connections can be cut, and a client that retries."""

from collections.abc import Generator
from pathlib import Path

import pytest

from ledger.database import Database
from tests.cutting_proxy import CuttingProxy
from tests.faulty import Client
from tests.live import LiveLedger


@pytest.fixture
def proxy(database_url: str) -> Generator[CuttingProxy]:
    """A proxy before the test's own database."""
    found = CuttingProxy(database_url)
    yield found
    found.close()


@pytest.fixture
def client(proxy: CuttingProxy, database_url: str, tmp_path: Path) -> Generator[Client]:
    """A client of a ledger behind the proxy, which looks at the truth past it."""
    live = LiveLedger(Database(proxy.url, "ledger"), tmp_path)
    yield Client(live, Database(database_url, "ledger"), tmp_path)
    live.close()
