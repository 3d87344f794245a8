"""Commands of clinicians and archivists who read: show, history, search."""

from typing import Annotated

import msgspec
import typer

from api.cli.access import open_reader
from api.cli.console import note, say, say_json_bytes
from projections.reads import ViewReader
from projections.replay import history as replay_history
from projections.replay import history_page, record_as_of, resolve_as_of
from projections.search_queries import PatientQuery, search_patients


class _Identifier(msgspec.Struct, frozen=True, kw_only=True):
    value: str


class _Hit(msgspec.Struct, frozen=True, kw_only=True):
    patient: str
    name: str
    birth_date: str | None
    gender: str | None
    identifiers: tuple[_Identifier, ...]


RecordArgument = Annotated[str, typer.Argument(help="The record's id.", metavar="RECORD")]
JsonOption = Annotated[bool, typer.Option("--json", help="One line of JSON.")]


def show(
    record: RecordArgument,
    as_of: Annotated[
        str | None,
        typer.Option(help="A position, or a time of receipt such as 2026-11-22T08:00:00Z."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a record as it is, or as it stood at any past moment.

    Folded from the ledger's own events, each checked against its digests; the live view is
    computed by the same function.
    """
    with open_reader() as reader:
        position = None if as_of is None else resolve_as_of(reader, as_of)
        say_json_bytes(record_as_of(reader, record, position), pretty=not as_json)


def history(record: RecordArgument, as_json: JsonOption = False) -> None:
    """List everything that ever happened to a record: when, by whom, and what it did."""
    with open_reader() as reader:
        if as_json:
            say_json_bytes(history_page(reader, record), pretty=False)
            return
        for entry in replay_history(reader, record):
            refs = " ".join(f"{ref.relation}:{ref.event_id}" for ref in entry.refs)
            say(
                f"{entry.position:>8}  v{entry.version:<4} {entry.received_at}  "
                f"{entry.type:<26} {entry.event_id}  by {entry.signer}  {refs}".rstrip()
            )


def search(
    text: Annotated[str, typer.Argument(help="Words of a name, a birth date, an identifier.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="Most hits to show.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Find patients by any part of the name, with or without accents, in any order of words.

    A birth date (1985, 1985-03, 1985-03-14) and any identifier work as well.
    """
    with open_reader() as reader:
        views = ViewReader(reader.store.connection, reader.store.database)
        page = search_patients(views, PatientQuery(text=text), limit=limit)
        behind = reader.head().size - 1 - views.reached()
    if as_json:
        say_json_bytes(msgspec.json.encode(page), pretty=False)
        return
    if behind:
        note(f"the views are {behind} events behind: run `clinledger projector --once`")
    for raw in page.patients:
        found = msgspec.json.decode(bytes(raw), type=_Hit)
        numbers = " ".join(identifier.value for identifier in found.identifiers)
        born = found.birth_date or "-"
        say(f"{found.patient}  {born:<10}  {found.gender or '-':<7}  {found.name}  {numbers}")
    if not page.patients:
        note("nobody found")
