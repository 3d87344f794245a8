"""Build a hospital's ledger once, and give each test a copy of its database to damage."""

from collections.abc import Generator
from contextlib import contextmanager

from ledger.database import Database
from tests.attack import Attack
from tests.hospital import Hospital, build_hospital
from tests.postgres import Server


@contextmanager
def built_hospital(server: Server, template_url: str, *, events: int) -> Generator[Hospital]:
    """Build a hospital of so many events; its database is only ever copied."""
    url = server.create_database(template_url)
    yield build_hospital(Database(url, "ledger"), events=events)
    server.drop_database(url)


@contextmanager
def copied(server: Server, hospital: Hospital) -> Generator[Attack]:
    """Open a superuser's session on a copy of the hospital's ledger."""
    url = server.create_database(hospital.builder.database.url)
    session = Attack(Database(url, "ledger"), hospital)
    yield session
    session.close()
    server.drop_database(url)
