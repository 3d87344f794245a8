"""Put the commands together and turn errors into exit codes.

0 is good, 1 a finding or a refusal, 2 wrong usage or a wrong environment.
"""

import os
import sys
from collections.abc import Sequence

import typer

from api.cli import (
    audit,
    authoring,
    checkpoints,
    demo,
    doctor,
    evidence,
    founding,
    importing,
    keys,
    operate,
    records,
    recovery,
    rotation,
    staff,
    submitting,
    witness,
)
from api.cli.console import FOUND, UNUSABLE, note
from api.errors import RequestError
from api.logs import error_fields
from api.settings import DATABASE_URL_VARIABLE, HOME_VARIABLE, SCHEMA_VARIABLE
from ledger.errors import LedgerError, RejectedError
from projections.errors import ProjectionError
from signing.errors import SigningError

app = typer.Typer(
    name="clinledger",
    help=(
        "The clinical record ledger: signed, append-only, provable.\n\n"
        "Where the ledger is: CLINLEDGER_DATABASE_URL or --database-url; without either, an "
        "embedded PostgreSQL in CLINLEDGER_HOME or --home (default ./.clinledger), which also "
        "holds the key files. CLINLEDGER_SCHEMA or --schema picks the facility. "
        "These options may stand anywhere on the line."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(founding.init)
app.command()(operate.serve)
app.command()(operate.stop)
app.command()(operate.migrate)
app.add_typer(staff.staff_app, name="staff")
app.add_typer(keys.key_app, name="key")
app.command()(keys.token)
app.command()(authoring.sign)
app.command()(submitting.submit)
app.command("import")(importing.import_)
app.command()(demo.simulate)
app.command()(demo.demo)
app.command()(records.show)
app.command()(records.history)
app.command()(records.search)
app.command()(audit.verify)
app.command()(evidence.prove)
app.command()(evidence.check)
app.add_typer(checkpoints.checkpoint_app, name="checkpoint")
checkpoints.checkpoint_app.command()(rotation.rotate)
checkpoints.checkpoint_app.command("set-aside")(recovery.set_tail_aside)
app.command()(checkpoints.heads)
app.add_typer(checkpoints.tiles_app, name="tiles")
app.command()(operate.rebuild)
app.command()(operate.projector)
app.command()(doctor.doctor)
app.add_typer(witness.witness_app, name="witness")

_GLOBAL_OPTIONS = {
    "--database-url": DATABASE_URL_VARIABLE,
    "--home": HOME_VARIABLE,
    "--schema": SCHEMA_VARIABLE,
}


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Errors of the ledger are told in one line that names no patient; their code decides the exit.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(_take_global_options(given), prog_name="clinledger")
    except (RejectedError, RequestError) as error:
        note(f"clinledger: refused: {error}")
        sys.exit(FOUND)
    except (SigningError, LedgerError, ProjectionError) as error:
        note(f"clinledger: {error}")
        sys.exit(UNUSABLE)
    except Exception as error:  # noqa: BLE001 - its message may quote a content: never shown
        fields = error_fields(error)
        places = [place for place in fields["places"] if "site-packages" not in place]
        told = ", ".join([fields["error"], fields.get("sqlstate", ""), *places[-2:]])
        note(f"clinledger: a fault of the program: {told}")
        sys.exit(UNUSABLE)


def _take_global_options(arguments: list[str]) -> list[str]:
    """Move the options that say where the ledger is into the environment of this process."""
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":  # everything after it is text
            rest.extend((argument, *waiting))
            break
        name, equals, value = argument.partition("=")
        if name not in _GLOBAL_OPTIONS:
            rest.append(argument)
            continue
        found = value if equals else next(waiting, None)
        if not found:
            note(f"clinledger: {name} needs a value")
            sys.exit(UNUSABLE)
        os.environ[_GLOBAL_OPTIONS[name]] = found
    return rest


if __name__ == "__main__":
    run()
