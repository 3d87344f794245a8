"""Commands for when the ledger cannot go on as it is: checkpoint set-aside."""

from pathlib import Path
from typing import Annotated

import typer

from api.checkpoint.set_aside import Deciders, Decision, Signer, set_aside
from api.cli.access import keyring_of, open_database, settings
from api.cli.client import holder_of, key_of, run
from api.cli.console import note, say
from api.settings import Settings
from ledger.roles import Role
from ledger.state import DirectoryState
from projections.runner import Projector

_AUTHORS: tuple[Role, ...] = ("registrar", "administrator")


def set_tail_aside(
    size: Annotated[
        int,
        typer.Option(
            "--from", metavar="SIZE", min=1, help="How many entries to keep: the first to go."
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why; everybody can read it: name no patient.")],
    second: Annotated[
        str, typer.Option(metavar="STAFF", help="A second registrar, whose key is here as well.")
    ],
    by: Annotated[
        str | None,
        typer.Option(metavar="STAFF", help="Who decides; default a registrar with a key here."),
    ] = None,
    witnesses: Annotated[
        Path | None,
        typer.Option(help="Policy that names the witnesses; default witnesses.policy in the home."),
    ] = None,
) -> None:
    """Set aside entries at the tail that no checkpoint covers, as two people have decided.

    For when the signer refuses what lies at the tail, e.g. a row that nobody signed. No server and
    no signer may run. Nothing is deleted: the rows are moved to a table of their own, and the next
    event, signed by both, records what and why. Entries that were ever signed cannot be set aside.
    Interrupted, the same command again finishes it; until then nothing can be appended.
    """
    chosen = settings()
    database = open_database(chosen)

    def choose(directory: DirectoryState) -> Deciders:
        return _deciders(directory, chosen, by=by, second=second)

    decision = Decision(size=size, reason=reason, choose=choose, policy=witnesses)
    receipt = run(lambda: set_aside(chosen, decision))
    say(f"set aside; recorded at position {receipt.position}")
    projector = Projector(database, keyring_of(database, chosen))
    try:
        projector.catch_up()
    finally:
        projector.close()
    note("run `clinledger verify` with every receipt and checkpoint that was kept")


def _deciders(
    directory: DirectoryState, chosen: Settings, *, by: str | None, second: str
) -> Deciders:
    other = Signer(second, key_of(chosen, second, directory=directory))
    if by is not None:
        return Deciders(Signer(by, key_of(chosen, by, directory=directory)), other)
    return Deciders(Signer(*holder_of(directory, chosen, *_AUTHORS, but=second)), other)
