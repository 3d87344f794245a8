"""`GET /v1/events/{id}/proof`: prove an event to whoever knows the ledger's checkpoint key."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.parameters import EventId
from api.readers import ReaderPool
from api.services import Caller, Given
from ledger.errors import UnavailableError
from ledger.evidence.builder import NOT_COVERED, tlog_proof

router = APIRouter()

_POLL_SECONDS: Final = 0.25
_MEDIA_TYPE: Final = "text/plain; charset=utf-8"

Wait = Annotated[float, Query(ge=0, le=30, description="Wait so many seconds for a checkpoint")]


@router.get("/v1/events/{event_id}/proof", response_model=None)
async def read_proof(event_id: EventId, services: Given, _: Caller, wait: Wait = 0.0) -> Response:
    """Prove that an event is in the ledger, with a signed checkpoint (c2sp.org/tlog-proof).

    The leaf is the receipt's `leaf_hash`. 503 while no checkpoint covers the event: give `wait`,
    or ask again.
    """
    rest = wait
    while (proof := await run_in_threadpool(_proof, services.readers, event_id)) is None:
        if rest <= 0:
            raise UnavailableError(NOT_COVERED, retry_after_seconds=1)
        await asyncio.sleep(min(rest, _POLL_SECONDS))
        rest -= _POLL_SECONDS
    return Response(proof, media_type=_MEDIA_TYPE)


def _proof(readers: ReaderPool, event_id: str) -> bytes | None:
    with readers.reader() as reader:
        return tlog_proof(reader, event_id)
