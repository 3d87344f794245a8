"""Fill views of their own with a great many patients, through the real fold and tables.

Nobody signed these: signing a million registrations would measure the signing. Each is folded by
the patient projection from a Patient resource, and its rows are written as a rebuild writes them.
"""

import random
from collections.abc import Iterator
from typing import Final

import msgspec

from api.simulate.chance import Chance
from api.simulate.names import draw_name
from ledger.database import Connection, Database
from ledger.ids import derived_id
from ledger.rows import BareEvent
from projections.loading import write_states
from projections.tables import NewRows
from projections.tracking import (
    create_generation,
    drop_generation,
    finish_loading,
    install_views,
)
from signing.statement import ContentClaim, Statement

_BATCH: Final = 5_000
_NAMES: Final = 20_000
_NAMESPACE: Final = "019a0000-0000-7000-8000-000000000000"
_TIME: Final = "2026-01-31T08:00:00.000Z"
_CITIZEN: Final = "https://clinledger.example/fhir/vn/sid/citizen-id"


def fill_patients(connection: Connection, database: Database, count: int) -> None:
    """Make views with so many patients, for a database schema that has no ledger."""
    number = install_views(connection, database)
    drop_generation(connection, database, number)
    with connection.transaction():
        create_generation(connection, database, number, indexes=False)
    rows = NewRows()
    for place, event in enumerate(_registrations(count), 1):
        write_states(rows, [event])
        if place % _BATCH == 0 or place == count:
            with connection.transaction():
                rows.flush(connection, database.views_schema(number))
    finish_loading(connection, database, number, position=count - 1, leaf_hash=bytes(32))


def _registrations(count: int) -> Iterator[BareEvent]:
    chance, drawn = random.Random(3), Chance("a million patients")  # noqa: S311 - synthetic people
    names = [draw_name(drawn, "female" if n % 2 else "male").text for n in range(_NAMES)]
    for position in range(count):
        year, day = chance.randint(1930, 2025), chance.randint(1, 28)
        resource = {
            "resourceType": "Patient",
            "name": [{"text": chance.choice(names)}],
            "birthDate": f"{year}-{chance.randint(1, 12):02d}-{day:02d}",
            "identifier": [
                {"system": _CITIZEN, "value": f"022{year % 1000:03d}{position:06d}"},
                {"value": f"BN{position:08d}"},
            ],
        }
        yield _registration(position, msgspec.json.encode(resource))


def _registration(position: int, content: bytes) -> BareEvent:
    stream = derived_id(_NAMESPACE, str(position))
    claim = ContentClaim(digest="", media_type="application/fhir+json", size=len(content))
    statement = Statement(
        alg="ES256",
        content=claim,
        event_id=stream,
        format="clinledger/statement/v1",
        key_id="",
        ledger="",
        occurred_at=_TIME,
        signed_at=_TIME,
        signer=_NAMESPACE,
        stream=stream,
        stream_kind="patient",
        type="patient-registered.v1",
    )
    return BareEvent(
        position=position,
        stream=stream,
        version=1,
        event_id=stream,
        received_at_ms=1_790_000_000_000 + position,
        statement=statement,
        content=content,
    )
