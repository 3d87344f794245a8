"""Command of operators: doctor."""

from collections.abc import Callable, Iterator
from typing import Annotated, Literal

import msgspec
import typer

from api.checkpoint_keys import KeyFolder
from api.cli.access import settings
from api.cli.console import FOUND, say, say_json
from api.keystore import KeyStore
from api.settings import Settings
from ledger.database import Connection, Database
from ledger.errors import EnvironmentRefusedError, LedgerError
from ledger.founding import open_keyring
from ledger.migrate import migration_state
from ledger.open_directory import read_checkpoint_keys
from ledger.store import EntryStore
from projections.errors import ProjectionError
from projections.reads import ViewReader

_MUST_BE_ON = ("fsync", "full_page_writes", "synchronous_commit")
_OPEN_TO_OTHERS = 0o077


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at: `ok`, `warning` (works, but look at it) or `error`."""

    name: str
    state: Literal["ok", "warning", "error"]
    detail: str


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at the surroundings: server, settings, roles, migrations, keys, views.

    Exits 1 when something is wrong. What the ledger's own bytes say is for `verify`.
    """
    chosen = settings()
    found = list(_diagnose(chosen))
    if as_json:
        say_json({"ok": all(d.state != "error" for d in found), "checks": found})
    else:
        for diagnosis in found:
            say(f"{diagnosis.state:<8} {diagnosis.name:<12} {diagnosis.detail}")
    if any(diagnosis.state == "error" for diagnosis in found):
        raise typer.Exit(FOUND)


def _diagnose(chosen: Settings) -> Iterator[Diagnosis]:
    yield _key_files(chosen)
    try:
        database = chosen.open_database()
        connection = database.connect("owner", name="clinledger-doctor")
    except LedgerError as error:
        yield Diagnosis(name="database", state="error", detail=str(error))
        return
    checks: tuple[Callable[[Settings, Database, Connection], Diagnosis], ...] = (
        _server,
        _durability,
        _migrations,
        _roles,
        _ledger,
        _checkpoint_key,
        _views,
    )
    with connection:
        for check in checks:
            try:
                yield check(chosen, database, connection)
            except (LedgerError, ProjectionError) as error:
                yield Diagnosis(name=check.__name__.strip("_"), state="error", detail=str(error))


def _key_files(chosen: Settings) -> Diagnosis:
    loose = [
        path.name
        for path in (chosen.keys.iterdir() if chosen.keys.exists() else ())
        if path.is_file() and path.stat().st_mode & _OPEN_TO_OTHERS
    ]
    if loose:
        detail = f"others may read {len(loose)} files in {chosen.keys}"
        return Diagnosis(name="key files", state="error", detail=detail)
    return Diagnosis(name="key files", state="ok", detail=str(chosen.keys))


def _server(_chosen: Settings, _database: Database, connection: Connection) -> Diagnosis:
    row = connection.execute(
        "SELECT current_setting('server_version'), current_setting('server_version_num')::int,"
        " current_setting('server_encoding')"
    ).fetchone()
    version, number, encoding = row or ("unknown", 0, "unknown")
    usable = number >= 150_000 and encoding == "UTF8"  # noqa: PLR2004 - PostgreSQL 15
    detail = f"PostgreSQL {version}, {encoding}"
    return Diagnosis(name="server", state="ok" if usable else "error", detail=detail)


def _durability(_chosen: Settings, _database: Database, connection: Connection) -> Diagnosis:
    off = [
        name
        for name in _MUST_BE_ON
        if (connection.execute("SELECT current_setting(%s)", (name,)).fetchone() or ("off",))[0]
        == "off"
    ]
    if off:
        detail = f"{', '.join(off)} off: acknowledged entries can be lost"
        return Diagnosis(name="durability", state="error", detail=detail)
    return Diagnosis(name="durability", state="ok", detail="commits reach the disk")


def _migrations(_chosen: Settings, database: Database, _connection: Connection) -> Diagnosis:
    state = migration_state(database)
    if state.pending:
        detail = f"{len(state.pending)} to apply: run `clinledger migrate`"
        return Diagnosis(name="migrations", state="error", detail=detail)
    return Diagnosis(name="migrations", state="ok", detail=f"{len(state.applied)} applied")


def _roles(_chosen: Settings, database: Database, _connection: Connection) -> Diagnosis:
    missing = migration_state(database).missing_roles
    if missing:
        detail = f"missing {', '.join(missing)}: everything runs with the login's own privileges"
        return Diagnosis(name="roles", state="warning", detail=detail)
    return Diagnosis(name="roles", state="ok", detail="writer, projector, reader, auditor")


def _ledger(chosen: Settings, database: Database, connection: Connection) -> Diagnosis:
    store = EntryStore(connection, database)
    try:
        keyring = open_keyring(store, chosen.home)
    except EnvironmentRefusedError as error:
        return Diagnosis(name="ledger", state="error", detail=str(error))
    detail = f"{keyring.origin}, {store.head().size} entries"
    return Diagnosis(name="ledger", state="ok", detail=detail)


def _checkpoint_key(chosen: Settings, database: Database, connection: Connection) -> Diagnosis:
    keys = read_checkpoint_keys(connection, database)
    folder = KeyFolder(KeyStore(chosen.keys), keys[-1].vkey.partition("+")[0])
    since = f"key number {len(keys)}, in force since position {keys[-1].position}"
    if folder.find(keys[-1].vkey) is None:
        detail = f"{since}, is not here: no checkpoints can be signed from this home"
        return Diagnosis(name="checkpoints", state="warning", detail=detail)
    return Diagnosis(name="checkpoints", state="ok", detail=since)


def _views(_chosen: Settings, database: Database, connection: Connection) -> Diagnosis:
    behind = EntryStore(connection, database).head().size - 1
    behind -= ViewReader(connection, database).reached()
    state: Literal["ok", "warning"] = "warning" if behind else "ok"
    return Diagnosis(name="views", state=state, detail=f"{behind} events behind")
