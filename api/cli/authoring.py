"""Sign one event: the command sign."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.cli.access import open_reader, settings
from api.cli.client import key_of, read_directory
from api.cli.content import Known, complete, stated_time_ms
from api.cli.inputs import check_id, check_optional_id, read_input
from api.event_json import submission_json
from ledger.catalogue import EventType, event_type
from ledger.clock import SystemClock
from ledger.content import MAX_CONTENT_BYTES, SALT_BYTES
from ledger.draft import Draft, sign_event
from ledger.errors import NotFoundError
from ledger.ids import new_id
from ledger.reader import LedgerReader
from ledger.rows import Event
from ledger.state import DirectoryState, StreamState
from ledger.stream_cache import StreamCache
from signing.errors import SigningError
from signing.statement import (
    Ref,
    Seen,
    StreamKind,
    parse_time_ms,
    statement_digest,
)


def sign(
    content: Annotated[
        Path,
        typer.Argument(
            help="The content, a JSON file; - reads standard input.",
        ),
    ],
    as_staff: Annotated[
        str, typer.Option("--as", help="Staff id of the author.", callback=check_id)
    ],
    tag: Annotated[str, typer.Option("--type", help="Event type, e.g. note-written.v1.")],
    stream: Annotated[
        str | None,
        typer.Option(
            help="Patient, record or staff id; default: that of --ref, or a new one.",
            callback=check_optional_id,
        ),
    ] = None,
    ref: Annotated[
        list[str] | None, typer.Option(help="RELATION=EVENT, e.g. answers=0198...; repeatable.")
    ] = None,
    event_id: Annotated[
        str | None,
        typer.Option(help="UUID; a new one by default.", callback=check_optional_id),
    ] = None,
    occurred_at: Annotated[
        str | None,
        typer.Option(
            help="When it was true, YYYY-MM-DDTHH:MM:SS.mmmZ; as the content says, or now."
        ),
    ] = None,
    key_name: Annotated[
        str | None, typer.Option("--key", help="Name of the key file; default: a valid one here.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: stdout.")
    ] = None,
) -> None:
    """Sign one event with a key found under CLINLEDGER_HOME; nothing is stored yet.

    A FHIR resource may leave out what is known already: its id, the subject, the encounter, the
    author and the date; of a result also the order and the list of its observations. They are
    filled in before signing. The new version in an amendment may be written as JSON. The output,
    one line, is the body of POST /v1/events and what `clinledger submit` takes.
    """
    kind = event_type(tag)
    relations = tuple(_relations(ref or ()))
    given_ms = None if occurred_at is None else _time(occurred_at)
    data = read_input(content, MAX_CONTENT_BYTES)
    chosen = settings()
    with open_reader() as reader:
        directory = read_directory(reader)
        key = key_of(chosen, as_staff, name=key_name, directory=directory)
        targets = _targets(reader, relations)
        state = _state(reader, directory, kind, stream or (targets[0].stream if targets else None))
        now_ms = SystemClock().now_ms()
        known = Known(
            event_id=event_id or new_id(),
            stream=state.stream,
            type=tag,
            author=_reference_to(directory, as_staff),
            occurred_at_ms=_first(
                given_ms, stated_time_ms(data), _amended_ms(tag, targets), now_ms
            ),
            state=state,
            refs=relations,
        )
        head = reader.head()
        signed = sign_event(
            _draft(known, kind, complete(data, kind, known), targets),
            key,
            origin=reader.origin,
            signer_staff=as_staff,
            seen=Seen(root=head.root.hex(), size=head.size),
            salt=os.urandom(SALT_BYTES),
            signed_at_ms=now_ms,
        )
    body = msgspec.json.encode(submission_json(signed)) + b"\n"
    if output is None:
        sys.stdout.buffer.write(body)
    else:
        output.write_bytes(body)


def _draft(known: Known, kind: EventType, content: bytes, targets: Sequence[Event]) -> Draft:
    names = sorted(kind.stream_kinds)
    refs = [
        {
            "event_id": event.event_id,
            "relation": relation,
            "statement": statement_digest(event.statement_bytes).hex(),
        }
        for (relation, _), event in zip(known.refs, targets, strict=True)
    ]
    try:
        checked = tuple(msgspec.convert(ref, Ref) for ref in refs)
    except msgspec.ValidationError:
        raise typer.BadParameter("no such relation", param_hint="--ref") from None
    return Draft(
        stream=known.stream,
        stream_kind=msgspec.convert(known.state.kind or names[0], StreamKind),
        event_id=known.event_id,
        type=kind.tag,
        occurred_at_ms=known.occurred_at_ms,
        media_type=kind.media_type,
        content=content,
        refs=checked,
    )


def _targets(reader: LedgerReader, relations: Sequence[tuple[str, str]]) -> list[Event]:
    """Return the events that are referred to, in the order given."""
    found: list[Event] = []
    for _, event_id in relations:
        event = reader.event(event_id)
        if event is None:
            raise NotFoundError("event-unknown", "/refs", "no such event in this ledger")
        found.append(event)
    return found


def _state(
    reader: LedgerReader, directory: DirectoryState, kind: EventType, stream: str | None
) -> StreamState:
    """Return the state of the event's stream; an empty one for a type that opens it."""
    if stream is None and "facility" in kind.stream_kinds:
        stream = directory.facility
    if stream is None:
        if not kind.opens_stream:
            raise typer.BadParameter("needed for this type", param_hint="--stream")
        return StreamState.empty(new_id())
    cache = StreamCache()
    cache.load(reader, [stream])
    state = cache.get(stream).state
    if not state.version and not kind.opens_stream:
        raise NotFoundError("stream-unknown", "/stream", "nothing has this id in this ledger")
    return state


def _amended_ms(tag: str, targets: Sequence[Event]) -> int | None:
    """Return when the amended fact was true: correcting its text does not move it."""
    if tag != "entry-amended.v1" or not targets:
        return None
    return parse_time_ms(targets[0].statement.occurred_at)


def _reference_to(directory: DirectoryState, staff: str) -> str:
    member = directory.staff.get(staff)
    kind = "Device" if member is not None and member.kind == "device" else "Practitioner"
    return f"{kind}/{staff}"


def _relations(refs: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text in refs:
        relation, equals, event = text.partition("=")
        if not equals:
            raise typer.BadParameter("RELATION=EVENT", param_hint="--ref")
        yield relation, check_id(event)


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)


def _time(text: str) -> int:
    try:
        return parse_time_ms(text)
    except (SigningError, ValueError):
        raise typer.BadParameter("YYYY-MM-DDTHH:MM:SS.mmmZ", param_hint="--occurred-at") from None
