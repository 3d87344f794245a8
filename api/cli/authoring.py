"""Commands that write: sign, submit."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.cli.access import keyring_of, open_database, settings
from api.cli.client import key_of, read_directory, run, writing
from api.cli.console import note, say_json
from api.cli.content import Known, complete
from api.event_json import submission_json, submitted_event
from api.schemas import EventSubmission
from ledger.catalogue import event_type
from ledger.clock import SystemClock
from ledger.database import Database
from ledger.errors import SubmissionRejectedError
from ledger.ids import new_id
from ledger.keyring import Keyring
from ledger.reader import LedgerReader
from ledger.state import DirectoryState, StreamState
from ledger.stream_cache import StreamCache
from ledger.submitted import SubmittedEvent
from signing.errors import SigningError
from signing.statement import StreamKind, parse_statement, parse_time_ms

_MAX_FILE_BYTES = 4 * 1024 * 1024
FilesArgument = Annotated[
    list[Path], typer.Argument(help="Files of `clinledger sign`; - reads standard input.")
]


def sign(
    content: Annotated[Path, typer.Argument(help="The content, a JSON file; - for stdin.")],
    as_staff: Annotated[str, typer.Option("--as", help="Staff id of the author.")],
    tag: Annotated[str, typer.Option("--type", help="Event type, e.g. note-written.v1.")],
    stream: Annotated[
        str | None, typer.Option(help="Record or patient; a new one for types that open one.")
    ] = None,
    stream_kind: Annotated[
        str | None, typer.Option(help="Needed only where the type allows two kinds.")
    ] = None,
    ref: Annotated[
        list[str] | None, typer.Option(help="relation=EVENT, e.g. answers=0198...; repeatable.")
    ] = None,
    event_id: Annotated[str | None, typer.Option(help="UUID; a new one by default.")] = None,
    occurred_at: Annotated[
        str | None, typer.Option(help="When it was true, YYYY-MM-DDTHH:MM:SS.mmmZ; now.")
    ] = None,
    key_name: Annotated[
        str | None, typer.Option("--key", help="Name of the key file; default: the staff id.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: stdout.")] = None,
) -> None:
    """Sign one event with a key found under CLINLEDGER_HOME; nothing is stored yet.

    A FHIR resource may leave out what the command line says already: its id, the subject, the
    encounter, the author and the date are then filled in before signing. The output is the body
    of POST /v1/events and what `clinledger submit` takes.
    """
    chosen = settings()
    database = open_database(chosen)
    keyring = keyring_of(database, chosen)
    directory = read_directory(database, keyring)
    key = key_of(chosen, as_staff, name=key_name)
    kind = event_type(tag)
    names = sorted(kind.stream_kinds) if stream_kind is None else [stream_kind]
    if len(names) > 1:
        raise typer.BadParameter(f"one of {', '.join(names)}", param_hint="--stream-kind")
    if stream is None and not kind.opens_stream:
        raise typer.BadParameter("needed for this type", param_hint="--stream")
    known = Known(
        event_id=event_id or new_id(),
        stream=stream or new_id(),
        author=_reference_to(directory, as_staff),
        occurred_at_ms=SystemClock().now_ms() if occurred_at is None else _time(occurred_at),
        state=_stream_state(database, keyring, stream),
        refs=tuple(_relations(ref or ())),
    )
    data = complete(_read(content), kind, known)

    async def main() -> dict[str, object]:
        async with writing(chosen, as_staff, key) as (_, author):
            signed = await author.sign(
                tag,
                data,
                stream=known.stream,
                stream_kind=msgspec.convert(names[0], StreamKind),
                event_id=known.event_id,
                occurred_at_ms=known.occurred_at_ms,
                refs=await author.refer(known.refs),
            )
            return submission_json(signed)

    body = msgspec.json.encode(run(main))
    if output is None:
        sys.stdout.buffer.write(body + b"\n")
    else:
        output.write_bytes(body + b"\n")
    note(f"event {known.event_id} of {names[0]} {known.stream}")


def submit(
    files: FilesArgument,
    as_staff: Annotated[
        str | None, typer.Option("--as", help="Who submits; default: the signer.")
    ] = None,
) -> None:
    """Append signed events in order; print a receipt for each, once it is durable.

    Uses the running server, or is the sequencer itself when none runs. Safe to repeat: the same
    event returns the same receipt.
    """
    chosen = settings()
    events = [submitted_event(_submission(path)) for path in files]
    submitter = as_staff or _signer(events[0])

    async def main() -> None:
        async with writing(chosen, submitter, key_of(chosen, submitter)) as (client, _):
            for event in events:
                say_json(await client.submit(event))

    run(main)


def _reference_to(directory: DirectoryState, staff: str) -> str:
    member = directory.staff.get(staff)
    kind = "Device" if member is not None and member.kind == "device" else "Practitioner"
    return f"{kind}/{staff}"


def _stream_state(database: Database, keyring: Keyring, stream: str | None) -> StreamState:
    if stream is None:
        return StreamState.empty("")
    with database.connect("reader") as connection:
        cache = StreamCache()
        cache.load(LedgerReader(connection, database, keyring), [stream])
        return cache.get(stream).state


def _signer(event: SubmittedEvent) -> str:
    try:
        return parse_statement(event.statement).signer
    except SigningError as error:
        raise SubmissionRejectedError(error.code, "/statement") from None


def _relations(refs: Sequence[str]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for text in refs:
        relation, equals, event = text.partition("=")
        if not equals:
            raise typer.BadParameter("relation=EVENT", param_hint="--ref")
        pairs.append((relation, event))
    return pairs


def _read(path: Path) -> bytes:
    return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()


def _submission(path: Path) -> EventSubmission:
    data = _read(path)
    if len(data) > _MAX_FILE_BYTES:
        raise SubmissionRejectedError("body-too-large", "", f"{path} is too large")
    try:
        return msgspec.json.decode(data, type=EventSubmission)
    except msgspec.DecodeError:
        raise SubmissionRejectedError(
            "body-malformed", "", f"{path} is not a signed event"
        ) from None


def _time(text: str) -> int:
    try:
        return parse_time_ms(text)
    except SigningError:
        raise typer.BadParameter("YYYY-MM-DDTHH:MM:SS.mmmZ", param_hint="--occurred-at") from None
