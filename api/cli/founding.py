"""Commands that begin a ledger: init."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

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
from api.succession import Notes, Old, Succession, close_old, old_of_key, old_of_schema
from ledger.database import Connection, Database
from ledger.errors import EnvironmentRefusedError
from ledger.founding import claim_schema
from ledger.ids import new_id
from ledger.migrate import migrate
from ledger.store import EntryStore
from ledger.succession import successor_of
from projections.tracking import install_views
from signing.statement import ORIGIN_PATTERN

_MIN_REGISTRARS = 2
_KNOWN_STAFF = re.compile("([0-9a-f-]{36})=(.+)", re.ASCII | re.DOTALL)


class _Founder(NamedTuple):
    """One of the first registrars, and where their key is kept."""

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
        typer.Option(
            help='Full name of a first registrar, e.g. "Trần Thị Bình"; give two. "ID=NAME" takes '
            "the staff id, and the key of that name, from the ledger before."
        ),
    ],
    offline: Annotated[
        Path | None,
        typer.Option(help="Folder for the keys of all registrars but the first, e.g. a stick."),
    ] = None,
    succeeds: Annotated[
        str | None,
        typer.Option(
            metavar="SCHEMA|KEY",
            help="The ledger that this one succeeds: its schema in the same database, or the "
            "verifier key of its checkpoints.",
        ),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(help="Why the old one cannot go on; everybody can read it: name no patient."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="The old one's last good checkpoint; default the newest that is found."),
    ] = None,
    cosigned: Annotated[
        Path | None,
        typer.Option(help="Its last cosigned checkpoint; default the newest that is found."),
    ] = None,
    genesis: Annotated[
        str | None,
        typer.Option(help="Its genesis (hex), where only its verifier key is given."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ids as JSON.")] = False,
) -> None:
    """Found the ledger of a facility: its keys, its first event, its first two registrars.

    Writes under CLINLEDGER_HOME: the facility key (wraps every stream key: back it up apart), the
    checkpoint key, the ledger's own key (it signs heads hourly), and one key per registrar. With
    --offline only the first registrar's key stays on this machine: the other one can help when the
    first is lost. Interrupted, the same command again finishes what is missing.

    With --succeeds the ledger goes on from an old one that cannot, in a schema of its own, under
    the next origin (ORIGIN/2, then /3). Its first event names the old ledger's last checkpoints and
    the reason, signed by both registrars. The old one stays readable and takes no more events.
    """
    _check_arguments(origin, registrar)
    chosen = settings()
    founders = _founders(chosen, registrar, offline)
    succession = None
    if succeeds is not None:
        notes = Notes(checkpoint=checkpoint, cosigned=cosigned)
        old = _old(chosen, succeeds, genesis=genesis, notes=notes)
        succession = Succession(old=old, reason=reason or "")
        _check_succession(chosen, succession, origin, schema=succeeds)
    database = chosen.open_database()
    migrate(database)
    with database.connect("owner") as connection:
        install_views(connection, database)
        is_new = _claim(connection, database, chosen, origin)
    if is_new:
        _found(chosen, origin, founders, succession)
    staff = _finish(chosen, origin, [one.name for one in founders], is_new=is_new)
    if as_json:
        say_json({"origin": origin, "registrars": staff})
        return
    say(f"ledger {origin} is founded")
    for member, one in zip(staff, founders, strict=True):
        say(f"registrar {member}  {one.name}  key {one.store.path(member)}")
    note(f"keep {founders[-1].store.path(staff[-1])} in a safe place off this machine")
    note(f"back up {chosen.facility_key} apart from the database")


def _check_arguments(origin: str, registrars: Sequence[str]) -> None:
    if len(registrars) < _MIN_REGISTRARS:
        raise typer.BadParameter("a ledger has at least two registrars", param_hint="--registrar")
    if re.match(ORIGIN_PATTERN, origin) is None:
        detail = "a domain name in lower case, then words, e.g. bvdk.quangninh.example/ledger"
        raise typer.BadParameter(detail, param_hint="ORIGIN")


def _founders(chosen: Settings, named: Sequence[str], offline: Path | None) -> list[_Founder]:
    """Read `NAME` and `ID=NAME`."""
    first = KeyStore(chosen.keys)
    others = first if offline is None else KeyStore(offline.absolute())
    found: list[_Founder] = []
    for number, text in enumerate(named):
        known = _KNOWN_STAFF.fullmatch(text)
        staff, name = (new_id(), text) if known is None else (known[1], known[2])
        found.append(_Founder(staff, name, others if number else first))
    return found


def _old(chosen: Settings, succeeds: str, *, genesis: str | None, notes: Notes) -> Old:
    """Find out about the old ledger: by its schema, or by its key when it is not at hand."""
    if "+" not in succeeds:
        return run(lambda: old_of_schema(chosen, succeeds, notes=notes))
    if genesis is None:
        raise typer.BadParameter("is needed with a verifier key", param_hint="--genesis")
    return old_of_key(succeeds, genesis=genesis, notes=notes)


def _check_succession(
    chosen: Settings, succession: Succession, origin: str, *, schema: str
) -> None:
    """Close the old ledger, if it is at hand, before the new one begins."""
    if not succession.reason.strip():
        raise typer.BadParameter("a successor needs a reason", param_hint="--reason")
    expected = successor_of(succession.old.origin)
    if origin != expected:
        raise typer.BadParameter(f"the successor is named {expected}", param_hint="ORIGIN")
    if "+" not in schema:
        if schema == chosen.schema:
            raise typer.BadParameter("another schema is needed: --schema", param_hint="--succeeds")
        close_old(chosen, schema, successor=origin)
        note(f"the ledger in {schema} takes no more events; it stays readable")


def _claim(connection: Connection, database: Database, chosen: Settings, origin: str) -> bool:
    """Make the schema this ledger's; return whether it has no event yet."""
    store = EntryStore(connection, database)
    is_new = not store.head().size
    row = store.ledger()
    if not is_new and (row is None or row.origin != origin):
        raise EnvironmentRefusedError("this schema holds a ledger already")
    claim_schema(connection, database, origin=origin, home=chosen.home)
    return is_new


def _found(
    chosen: Settings, origin: str, founders: Sequence[_Founder], succession: Succession | None
) -> None:
    stores = {one.staff: one.store for one in founders}
    own = create_keys(KeyStore(chosen.keys), stores, is_successor=succession is not None)
    first = founders[0].staff

    async def append() -> None:
        async with writing(chosen, first, own.registrars[first]) as (_, author):
            await append_founding(author, origin, own, succession=succession)

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
