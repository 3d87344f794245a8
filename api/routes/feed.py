"""`GET /v1/events`: read the ledger, event by event, and prove what is in it."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import CLINICAL_READERS
from api.bodies import json_response
from api.errors import ParameterError
from api.event_json import event_json
from api.parameters import After, EventId
from api.readers import ReaderPool
from api.schemas import Inclusion, TreeHead
from api.services import Caller, Given
from ledger.errors import NotFoundError
from ledger.merkle import inclusion_proof
from ledger.reader import LedgerReader
from ledger.rows import Event

router = APIRouter()

_MAX_EVENTS = 1_000
_CHUNK = 50
# A page ends with the chunk that reaches this many bytes of content.
_PAGE_BYTES = 8 * 1024 * 1024
_DIRECTORY_KINDS = frozenset({"facility", "staff"})

Limit = Annotated[int, Query(ge=1, le=_MAX_EVENTS, description="At most so many events")]
Wait = Annotated[float, Query(ge=0, le=30, description="Wait so many seconds for a first event")]
Size = Annotated[int | None, Query(ge=1, description="Tree size; default the current head")]


@router.get("/v1/events", response_model=None)
async def read_feed(
    services: Given, principal: Caller, after: After, limit: Limit = 100, wait: Wait = 0.0
) -> Response:
    """Read the events after a position, in order; optionally wait for one.

    A page may hold fewer than `limit` although more follow: go on from `next`.
    """
    principal.require(CLINICAL_READERS)
    if wait:
        await services.heads.wait_beyond(after, seconds=wait)
    return await run_in_threadpool(_page, services.readers, after, limit)


@router.get("/v1/events/{event_id}", response_model=None)
def read_event(event_id: EventId, services: Given, principal: Caller) -> Response:
    """Read one event. Events of the directory (facility, staff) may be read by all staff."""
    with services.readers.reader() as reader:
        event = _found(reader, event_id)
    if event.statement.stream_kind not in _DIRECTORY_KINDS:
        principal.require(CLINICAL_READERS)
    return json_response(event_json(event))


@router.get("/v1/events/{event_id}/inclusion", response_model=None)
def read_inclusion(event_id: EventId, services: Given, _: Caller, size: Size = None) -> Response:
    """Prove that an event is in the tree of a size (RFC 9162 §2.1.3)."""
    with services.readers.reader() as reader:
        event = _found(reader, event_id)
        current = reader.head().size
        wanted = current if size is None else size
        if not event.position < wanted <= current:
            raise ParameterError(
                "size-impossible", "/query/size", "after the event, up to the head"
            )
        proof = inclusion_proof(reader.store, event.position, wanted)
        root = reader.root_at(wanted)
    answer = Inclusion(
        event_id=event_id,
        position=event.position,
        leaf_hash=event.leaf_hash.hex(),
        size=wanted,
        root=root.hex(),
        proof=tuple(node.hex() for node in proof),
    )
    return json_response(answer)


def _found(reader: LedgerReader, event_id: str) -> Event:
    event = reader.event(event_id)
    if event is None:
        raise NotFoundError("event-unknown", "/path/event_id")
    return event


def _page(readers: ReaderPool, after: int, limit: int) -> Response:
    events: list[Event] = []
    with readers.reader() as reader:
        position, size = after, 0
        while len(events) < limit and size < _PAGE_BYTES:
            wanted = min(_CHUNK, limit - len(events))
            chunk = reader.events(position, wanted)
            events.extend(chunk)
            size += sum(len(event.content or b"") for event in chunk)
            position += len(chunk)
            if len(chunk) < wanted:
                break
        head = reader.head()
    return json_response(
        {
            "events": [event_json(event) for event in events],
            "head": TreeHead(size=head.size, root=head.root.hex()),
            "next": position,
        }
    )
