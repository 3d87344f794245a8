"""What PostgreSQL itself refuses, role by role, and two ledgers in one database (A§6)."""

from collections.abc import Generator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from ledger.database import Database, Role
from ledger.errors import CommandRefusedError
from ledger.migrate import migrate
from ledger.rows import Outcome
from ledger.verify import verify_ledger
from tests.builders_resources import an_id, encounter
from tests.live import LiveHospital, LiveLedger

CHANGES: tuple[LiteralString, ...] = (
    "UPDATE ledger.entry SET version = version",
    "UPDATE ledger.sealed SET body = body",
    "UPDATE ledger.sealed_0 SET body = body",
    "UPDATE ledger.tile SET hash = hash",
    "UPDATE ledger.ledger SET origin = 'other.example/ledger'",
    "DELETE FROM ledger.entry",
    "DELETE FROM ledger.sealed",
    "DELETE FROM ledger.sealed_0",
    "DELETE FROM ledger.tile",
    "DELETE FROM ledger.ledger",
    "DELETE FROM ledger.head",
    "TRUNCATE ledger.entry",
    "TRUNCATE ledger.sealed",
    "TRUNCATE ledger.sealed_0",
    "TRUNCATE ledger.tile",
    "TRUNCATE ledger.ledger",
    "TRUNCATE ledger.head",
)
PRIVILEGES: tuple[tuple[Role, LiteralString], ...] = (
    ("writer", "UPDATE ledger.entry SET version = version"),
    ("writer", "DELETE FROM ledger.sealed"),
    ("writer", "TRUNCATE ledger.tile"),
    ("writer", "DELETE FROM ledger_keys.stream_key"),
    ("writer", "UPDATE ledger_keys.stream_key SET wrapped = wrapped"),
    ("writer", "DROP TABLE ledger.tile"),
    ("reader", "UPDATE ledger.head SET size = 0"),
    ("reader", "INSERT INTO ledger.tile (level, index, hash) VALUES (1, 0, '')"),
    ("projector", "UPDATE ledger.head SET size = 0"),
    ("auditor", "UPDATE ledger.head SET size = 0"),
    ("auditor", "SELECT wrapped FROM ledger_keys.stream_key"),
)


def test_triggers_refuse_changes_even_by_the_owner(hospital: LiveHospital) -> None:
    for change in CHANGES:
        with (
            hospital.live.database.connect("owner") as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"),
        ):
            connection.execute(change)


def test_every_role_may_do_what_it_needs_and_nothing_more(hospital: LiveHospital) -> None:
    for role, statement in PRIVILEGES:
        with (
            hospital.live.database.connect(role) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)
    assert hospital.live.submit(hospital.signed("note-written.v1", hospital.note())).created


@pytest.fixture
def neighbour(hospital: LiveHospital, tmp_path: Path) -> Generator[LiveHospital]:
    """Another hospital's ledger in a schema of its own of the same database."""
    database = Database(hospital.live.database.url, "neighbour")
    migrate(database)
    live = LiveLedger(database, tmp_path / "neighbour")
    yield LiveHospital(live)
    live.close()


def test_two_ledgers_in_one_database_know_nothing_of_each_other(
    hospital: LiveHospital, neighbour: LiveHospital
) -> None:
    """Even with the same origin and the same ids, nothing of one is taken by the other."""
    ours = hospital.signed("note-written.v1", hospital.note())
    theirs = neighbour.signed("note-written.v1", neighbour.note())
    with pytest.raises(CommandRefusedError, match="key-not-valid"):
        neighbour.live.submit(ours)
    record = an_id("record of a patient next door")
    hospital.patient = an_id("patient next door")
    opened = hospital.signed("record-opened.v1", encounter(record, hospital.patient), stream=record)
    with pytest.raises(CommandRefusedError, match="patient-unknown"):
        hospital.live.submit(opened)
    answers = [
        one.live.start_submitting(two) for one, two in ((hospital, ours), (neighbour, theirs))
    ]
    assert all(isinstance(answer.result(timeout=30), Outcome) for answer in answers)
    for one in (hospital, neighbour):
        assert verify_ledger(one.live.database, keyring=one.live.keyring).ok
