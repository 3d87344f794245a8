"""Commands that begin a ledger: init."""

import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
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
from signing.statement import ORIGIN_PATTERN

CHECKPOINT_KEY = "checkpoint"
_MIN_REGISTRARS = 2


class _Registrar(msgspec.Struct, frozen=True, kw_only=True):
    """One of the first registrars, and where their key is written."""

    staff: str
    name: str
    store: KeyStore


def init(
    origin: Annotated[
        str,
        typer.Argument(help="Name of the ledger for ever, e.g. bvdk.quangninh.example/ledger."),
    ],
    registrar: Annotated[
        list[str],
        typer.Option(help='Full name of a first registrar, e.g. "Trần Thị Bình"; give two.'),
    ],
    offline: Annotated[
        Path | None,
        typer.Option(help="Folder for the keys of all registrars but the first, e.g. a stick."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ids as JSON.")] = False,
) -> None:
    """Found the ledger of a facility: its keys, its first event, its first two registrars.

    Writes under CLINLEDGER_HOME: the facility key (wraps every stream key: back it up apart), the
    checkpoint key, and one key per registrar. With --offline only the first registrar's key stays
    on this machine: the other one can help when the first is lost.
    """
    if len(registrar) < _MIN_REGISTRARS:
        raise typer.BadParameter("a ledger has at least two registrars", param_hint="--registrar")
    if re.match(ORIGIN_PATTERN, origin) is None:
        detail = "a domain name in lower case, then words, e.g. bvdk.quangninh.example/ledger"
        raise typer.BadParameter(detail, param_hint="ORIGIN")
    chosen = settings()
    database = chosen.open_database()
    migrate(database)
    with database.connect("owner") as connection:
        install_views(connection, database)
        if EntryStore(connection, database).head().size:
            raise EnvironmentRefusedError("this schema holds a ledger already")
        claim_schema(connection, database, origin=origin, home=chosen.home)
    first = KeyStore(chosen.keys)
    others = first if offline is None else KeyStore(offline.absolute())
    staff = [
        _Registrar(staff=new_id(), name=name, store=others if number else first)
        for number, name in enumerate(registrar)
    ]
    run(lambda: _found(chosen, origin, staff))
    if as_json:
        say_json({"origin": origin, "registrars": [registrar.staff for registrar in staff]})
        return
    say(f"ledger {origin} is founded")
    for member in staff:
        say(f"registrar {member.staff}  {member.name}  key {member.store.path(member.staff)}")
    note(f"keep {staff[-1].store.path(staff[-1].staff)} in a safe place off this machine")
    note(f"back up {chosen.facility_key} apart from the database")


async def _found(chosen: Settings, origin: str, staff: Sequence[_Registrar]) -> None:
    checkpoint = KeyStore(chosen.keys).load_or_create(CHECKPOINT_KEY, "EdDSA")
    keys: dict[str, SoftKey] = {
        member.staff: member.store.load_or_create(member.staff, "ES256") for member in staff
    }
    first = staff[0].staff
    document = founding_document(
        origin,
        checkpoint=checkpoint,
        registrars=[(staff_id, key, secrets.token_urlsafe(16)) for staff_id, key in keys.items()],
    )
    async with writing(chosen, first, keys[first]) as (_, author):
        await author.append("ledger-founded.v1", document, stream=new_id(), stream_kind="facility")
        for number, member in enumerate(staff, 1):
            await _enrol_registrar(author, member.staff, member.name, number)


async def _enrol_registrar(author: Author, staff: str, name: str, number: int) -> None:
    await author.append(
        "practitioner-enrolled.v1",
        practitioner_resource(staff, name=name, code=f"REG-{number}"),
        stream=staff,
        stream_kind="staff",
    )
