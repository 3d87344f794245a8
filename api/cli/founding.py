"""Commands that begin a ledger: init."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from api.cli.access import open_reader, settings
from api.cli.client import holder_of, read_directory, run, writing
from api.cli.console import note, say, say_json
from api.founding import (
    append_founding,
    create_keys,
    find_unfinished,
    finish_founding,
    founders,
)
from api.keystore import KeyStore
from api.settings import Settings
from ledger.database import Connection, Database
from ledger.errors import EnvironmentRefusedError
from ledger.founding import claim_schema
from ledger.ids import new_id
from ledger.migrate import migrate
from ledger.store import EntryStore
from projections.tracking import install_views
from signing.statement import ORIGIN_PATTERN

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
    offline: Annotated[
        Path | None,
        typer.Option(help="Folder for the keys of all registrars but the first, e.g. a stick."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ids as JSON.")] = False,
) -> None:
    """Found the ledger of a facility: its keys, its first event, its first two registrars.

    Writes under CLINLEDGER_HOME: the facility key (wraps every stream key: back it up apart), the
    checkpoint key, the ledger's own key (it signs heads hourly), and one key per registrar. With
    --offline only the first registrar's key stays on this machine: the other one can help when the
    first is lost. Interrupted, the same command again finishes what is missing.
    """
    if len(registrar) < _MIN_REGISTRARS:
        raise typer.BadParameter("a ledger has at least two registrars", param_hint="--registrar")
    if re.match(ORIGIN_PATTERN, origin) is None:
        detail = "a domain name in lower case, then words, e.g. bvdk.quangninh.example/ledger"
        raise typer.BadParameter(detail, param_hint="ORIGIN")
    chosen = settings()
    first = KeyStore(chosen.keys)
    others = first if offline is None else KeyStore(offline.absolute())
    stores = [others if number else first for number in range(len(registrar))]
    database = chosen.open_database()
    migrate(database)
    with database.connect("owner") as connection:
        install_views(connection, database)
        is_new = _claim(connection, database, chosen, origin)
    if is_new:
        _found(chosen, origin, stores)
    staff = _finish(chosen, origin, registrar, is_new=is_new)
    if as_json:
        say_json({"origin": origin, "registrars": staff})
        return
    say(f"ledger {origin} is founded")
    for member, name, store in zip(staff, registrar, stores, strict=True):
        say(f"registrar {member}  {name}  key {store.path(member)}")
    note(f"keep {stores[-1].path(staff[-1])} in a safe place off this machine")
    note(f"back up {chosen.facility_key} apart from the database")


def _claim(connection: Connection, database: Database, chosen: Settings, origin: str) -> bool:
    """Make the schema this ledger's; return whether it has no event yet."""
    store = EntryStore(connection, database)
    is_new = not store.head().size
    row = store.ledger()
    if not is_new and (row is None or row.origin != origin):
        raise EnvironmentRefusedError("this schema holds a ledger already")
    claim_schema(connection, database, origin=origin, home=chosen.home)
    return is_new


def _found(chosen: Settings, origin: str, stores: Sequence[KeyStore]) -> None:
    keys = KeyStore(chosen.keys)
    own = create_keys(keys, {new_id(): store for store in stores})
    first = next(iter(own))

    async def append() -> None:
        async with writing(chosen, first, own[first]) as (_, author):
            await append_founding(author, origin, keys, registrars=own)

    run(append)


def _finish(chosen: Settings, origin: str, names: Sequence[str], *, is_new: bool) -> list[str]:
    """Enrol what is not enrolled yet; return the first registrars' staff ids."""
    keys = KeyStore(chosen.keys)
    with open_reader() as reader:
        directory = read_directory(reader)
        staff = founders(directory)
        if len(staff) != len(names):
            raise EnvironmentRefusedError(
                f"this schema holds a ledger already, founded with {len(staff)} registrars"
            )
        unfinished = find_unfinished(reader, directory, keys, names=names)
    if unfinished.is_nothing and not is_new:
        raise EnvironmentRefusedError("this schema holds a ledger already")
    if unfinished.is_nothing:
        return staff
    signer, key = holder_of(directory, chosen, "registrar")

    async def append() -> None:
        async with writing(chosen, signer, key) as (client, author):
            await finish_founding(client, author, keys, origin=origin, unfinished=unfinished)

    run(append)
    return staff
