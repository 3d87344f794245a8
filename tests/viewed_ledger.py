"""A small ledger in PostgreSQL whose events use every view table, and those tables' rows."""

import base64
from typing import Any

from psycopg import sql

from ledger.database import Connection, Database
from ledger.keyring import Keyring
from ledger.reader import LedgerReader
from ledger.rows import Event
from projections.catalogue import TABLES
from projections.reads import ViewReader
from projections.tracking import active_number
from tests.builders_events import CITIZEN_ID, DOCTOR, NURSE, PLAIN, World, encounter, note, patient
from tests.stored_events import store_events

FACILITY = "019a0000-0000-7000-a000-000000000001"
CLERK = "019a0000-0000-7000-a000-000000000002"


class ViewedLedger:
    """Writes built events to a database as they come."""

    def __init__(self, connection: Connection, database: Database, ring: Keyring) -> None:
        self.connection = connection
        self.database = database
        self.ring = ring
        self.world = World()
        self.views = ViewReader(connection, database)
        self.reader = LedgerReader(connection, database, ring)
        self._stored = 0

    def save(self, count: int | None = None) -> int:
        """Append what was built and not stored yet, at most `count`; return the last position."""
        events = self.world.events[self._stored :][:count]
        store_events(self.connection, self.database, self.ring, events)
        self._stored += len(events)
        return self._stored - 1

    def fill(self) -> str:
        """Build events that use every table; return the record."""
        world = self.world
        self._directory()
        first = world.register("Nguyễn Thị Hải", identifiers=[(CITIZEN_ID, "012345678901")])
        content = patient("Nguyễn Thị Hải Yến", identifiers=[(CITIZEN_ID, "098765432109")])
        world.add("patient-identity-updated.v1", first.stream, "patient", content, signer=NURSE)
        allergy = {"resourceType": "AllergyIntolerance", "code": {"text": "penicillin"}}
        world.add("allergy-recorded.v1", first.stream, "patient", allergy)
        record = world.admit(first.stream, "BA-1").stream
        written = world.note(record)
        world.amend(written, written, note("better"))
        world.retract(world.note(record))
        placed = world.order(record, "XN-1", "HIS-1")
        world.result(placed, "preliminary")
        world.result(placed)
        world.order(record, "XN-2")
        world.add("record-closed.v1", record, "record", encounter(first.stream))
        return record

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table of the active views, and the tracking, sorted."""
        schema = self.database.views_schema(active_number(self.connection, self.database))
        shown: dict[str, list[tuple[Any, ...]]] = {}
        for name in [*(table.name for table in TABLES), "tracking"]:
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, name))
            shown[name] = sorted(self.connection.execute(query).fetchall(), key=repr)
        return shown

    def event(self, position: int) -> Event:
        """Return the event at a position."""
        return self.world.events[position]

    def _directory(self) -> None:
        world = self.world
        keys = [_key(b"first", DOCTOR), _key(b"second", NURSE)]
        founding = {"origin": self.ring.origin, "registrars": keys}
        world.add("ledger-founded.v1", FACILITY, "facility", founding, media_type=PLAIN)
        person = {"resourceType": "Practitioner", "name": [{"text": "Vũ Thị Lan"}]}
        world.add("practitioner-enrolled.v1", CLERK, "staff", person)
        world.add("key-enrolled.v1", CLERK, "staff", _key(b"third", CLERK), media_type=PLAIN)
        world.add("role-granted.v1", CLERK, "staff", {"role": "registrar"}, media_type=PLAIN)
        world.add("practitioner-enrolled.v1", DOCTOR, "staff", person)


def _key(spki: bytes, staff: str) -> dict[str, str]:
    return {"alg": "ES256", "spki": base64.b64encode(spki).decode(), "staff": staff}
