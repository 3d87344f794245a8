"""Fixtures only: a hospital's ledger and who proves its events, built once, never changed."""

from collections.abc import Generator

import pytest

from ledger.database import Database
from tests.evidence_files import Prover
from tests.hospital import build_hospital
from tests.postgres import Server


@pytest.fixture(scope="session")
def prover(postgres_server: Server, template_url: str) -> Generator[Prover]:
    """A hospital of 300 events, so that proofs cross a tile."""
    url = postgres_server.create_database(template_url)
    found = Prover(build_hospital(Database(url, "ledger"), events=300))
    yield found
    found.close()
    postgres_server.drop_database(url)
