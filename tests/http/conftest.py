"""Fixtures only: a served ledger, spoken to in HTTP through the whole application."""

from collections.abc import Generator

import pytest

from ledger.database import Database
from tests.http.served import Served
from tests.live import FrozenClock, LiveHospital, LiveLedger
from tests.postgres import Server


@pytest.fixture
def served(hospital: LiveHospital) -> Generator[Served]:
    """A hospital of the test's own, served."""
    served = Served(hospital)
    yield served
    served.close()


@pytest.fixture(scope="session")
def shared(
    postgres_server: Server, template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Served]:
    """One served hospital for all tests that only read or are refused."""
    url = postgres_server.create_database(template_url)
    live = LiveLedger(Database(url, "ledger"), tmp_path_factory.mktemp("home"))
    served = Served(LiveHospital(live))
    yield served
    served.close()
    live.close()
    postgres_server.drop_database(url)


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands still at the time of the tests' tokens."""
    return FrozenClock(1_795_000_000_000)


@pytest.fixture
def frozen(shared: Served, clock: FrozenClock) -> Generator[Served]:
    """The shared hospital served a second time, by a server whose clock stands still."""
    served = Served(shared.hospital, clock=clock)
    yield served
    served.close()
