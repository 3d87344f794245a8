"""Commands that begin a ledger: init."""

import secrets
from typing import Annotated

import typer

from api.author import Author
from api.cli.access import settings
from api.cli.client import run, writing
from api.cli.console import note, say, say_json
from api.directory_documents import founding_document, practitioner_resource
from api.keystore import KeyStore
from api.settings import Settings
from ledger.errors import EnvironmentRefusedError
from ledger.founding import claim_schema
from ledger.ids import new_id
from ledger.migrate import migrate
from ledger.store import EntryStore
from projections.tracking import install_views
from signing.keys import SoftKey

CHECKPOINT_KEY = "checkpoint"
_MIN_REGISTRARS = 2


def init(
    origin: Annotated[
        str,
        typer.Argument(help="Name of the ledger for ever, e.g. bvdk.quangninh.example/ledger."),
    ],
    registrar: Annotated[
        list[str],
        typer.Option(help='Full name of a first registrar, e.g. "Trần Thị Bình"; give two.'),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the ids as JSON.")] = False,
) -> None:
    """Found the ledger of a facility: its keys, its first event, its first two registrars.

    Writes under CLINLEDGER_HOME: the facility key (wraps every stream key: back it up apart), the
    checkpoint key, and one key per registrar. Take the second registrar's key off this machine:
    it is the one that can help when the first is lost.
    """
    if len(registrar) < _MIN_REGISTRARS:
        raise typer.BadParameter("a ledger has at least two registrars", param_hint="--registrar")
    chosen = settings()
    database = chosen.open_database()
    migrate(database)
    with database.connect("owner") as connection:
        install_views(connection, database)
        if EntryStore(connection, database).head().size:
            raise EnvironmentRefusedError("this schema holds a ledger already")
        claim_schema(connection, database, origin=origin, home=chosen.home)
    staff = [(new_id(), name) for name in registrar]
    run(lambda: _found(chosen, origin, staff))
    if as_json:
        say_json({"origin": origin, "registrars": [staff_id for staff_id, _ in staff]})
        return
    say(f"ledger {origin} is founded")
    for staff_id, name in staff:
        say(f"registrar {staff_id}  {name}  key {KeyStore(chosen.keys).path(staff_id)}")
    note(f"move {KeyStore(chosen.keys).path(staff[-1][0])} to a safe place off this machine")
    note(f"back up {chosen.facility_key} apart from the database")


async def _found(chosen: Settings, origin: str, staff: list[tuple[str, str]]) -> None:
    store = KeyStore(chosen.keys)
    checkpoint = store.load_or_create(CHECKPOINT_KEY, "EdDSA")
    keys: dict[str, SoftKey] = {
        staff_id: store.load_or_create(staff_id, "ES256") for staff_id, _ in staff
    }
    first = staff[0][0]
    document = founding_document(
        origin,
        checkpoint=checkpoint,
        registrars=[(staff_id, key, secrets.token_urlsafe(16)) for staff_id, key in keys.items()],
    )
    async with writing(chosen, first, keys[first]) as (_, author):
        await author.append("ledger-founded.v1", document, stream=new_id(), stream_kind="facility")
        for number, (staff_id, name) in enumerate(staff, 1):
            await _enrol_registrar(author, staff_id, name, number)


async def _enrol_registrar(author: Author, staff: str, name: str, number: int) -> None:
    await author.append(
        "practitioner-enrolled.v1",
        practitioner_resource(staff, name=name, code=f"REG-{number}"),
        stream=staff,
        stream_kind="staff",
    )
