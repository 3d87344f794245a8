"""Append signed events: the command submit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.cli.access import open_reader, settings
from api.cli.client import key_of, read_directory, run, writing
from api.cli.console import note, say, say_json
from api.cli.inputs import check_optional_id, describe, read_input
from api.event_json import submitted_event
from api.schemas import EventReceipt, EventSubmission
from api.simulate.acks import AckFile
from ledger.catalogue import event_type
from ledger.errors import SubmissionRejectedError
from ledger.submitted import SubmittedEvent
from signing.errors import SigningError
from signing.statement import Statement, parse_statement

_MAX_INPUT_BYTES = 64 * 1024 * 1024


def submit(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Files of `clinledger sign`, one event a line; - reads standard input.",
        ),
    ],
    as_staff: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="Who submits; default: the first event's signer.",
            callback=check_optional_id,
        ),
    ] = None,
    acks: Annotated[
        Path | None,
        typer.Option(help="Append each acknowledgement to this file, for `verify --acks`."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the receipts as JSON.")] = False,
) -> None:
    """Append signed events in order, each durable before the next.

    Prints, for each, the id that the next command needs: of the new patient or record for an
    event that opens one, else of the event. Uses the running server, or is the sequencer itself
    when none runs. Safe to repeat: the same event returns the same receipt.
    """
    events = [event for path in files for event in _submissions(path)]
    statements = [_statement(event) for event in events]
    chosen = settings()
    with open_reader() as reader:
        submitter = as_staff or statements[0].signer
        key = key_of(chosen, submitter, directory=read_directory(reader))
    kept = None if acks is None else AckFile(acks)

    async def main() -> None:
        async with writing(chosen, submitter, key) as (client, _):
            for event, statement in zip(events, statements, strict=True):
                receipt = await client.submit(event)
                if kept is not None:
                    kept.write(receipt)
                _tell(receipt, statement, as_json=as_json)

    try:
        run(main)
    finally:
        if kept is not None:
            kept.close()


def _tell(receipt: EventReceipt, statement: Statement, *, as_json: bool) -> None:
    if as_json:
        say_json(receipt)
        return
    note(
        f"position {receipt.position}: {statement.type} {receipt.event_id} "
        f"in {statement.stream_kind} {receipt.stream}"
    )
    say(receipt.stream if event_type(statement.type).opens_stream else receipt.event_id)


def _submissions(path: Path) -> Iterator[SubmittedEvent]:
    lines = [line for line in read_input(path, _MAX_INPUT_BYTES).splitlines() if line.strip()]
    if not lines:
        raise SubmissionRejectedError("body-malformed", "", f"{describe(path)} is empty")
    for number, line in enumerate(lines, 1):
        try:
            yield submitted_event(msgspec.json.decode(line, type=EventSubmission))
        except (msgspec.DecodeError, UnicodeDecodeError):
            where = f"line {number} of {describe(path)}"
            raise SubmissionRejectedError(
                "body-malformed", "", f"{where} is not a signed event"
            ) from None


def _statement(event: SubmittedEvent) -> Statement:
    try:
        return parse_statement(event.statement)
    except SigningError as error:
        raise SubmissionRejectedError(error.code, "/statement") from None
