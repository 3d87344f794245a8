"""`POST /v1/events` and `/v1/events/batch`: append. The hot path, async from end to end.

These two are plain Starlette routes: half of FastAPI's own cost per request would be theirs.
"""

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.appending import Answer, append, append_in_order
from api.bodies import (
    MAX_BATCH_BYTES,
    MAX_EVENT_BYTES,
    decode_body,
    json_response,
    read_body,
)
from api.event_json import submitted_event
from api.problems import problem_of
from api.schemas import EventBatch, EventSubmission
from api.services import services_of
from ledger.rows import Outcome

_event: Final = msgspec.json.Decoder(EventSubmission)
_batch: Final = msgspec.json.Decoder(EventBatch)
_CREATED: Final = 201
_REPEATED: Final = 200


async def append_event(request: Request) -> Response:
    """Append one signed event; answer its receipt once it is durable.

    201 with the receipt; 200 with the very same receipt when the same statement came before. Ask
    again with the same event after a lost answer, a 503 or a time-out: nothing is added twice.
    """
    services = services_of(request)
    principal = services.authenticator.authenticate(request)
    body = decode_body(_event, await read_body(request, MAX_EVENT_BYTES))
    outcome = await append(services, principal, submitted_event(body))
    status = _CREATED if outcome.created else _REPEATED
    return json_response(outcome.receipt.as_json(), status)


async def append_events(request: Request) -> Response:
    """Append up to 500 signed events in order; answer one result for each.

    A refused event does not stop those after it. The answer's status is 200 whatever the results.
    """
    services = services_of(request)
    principal = services.authenticator.authenticate(request)
    body = decode_body(_batch, await read_body(request, MAX_BATCH_BYTES))
    events = [
        submitted_event(event, pointer=f"/events/{number}")
        for number, event in enumerate(body.events)
    ]
    services.metrics.batch_events.observe(len(events))
    answers = await append_in_order(services, principal, events)
    return json_response({"results": [_result(answer) for answer in answers]})


def _result(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, Outcome):
        status = _CREATED if answer.created else _REPEATED
        return {"status": status, "receipt": answer.receipt.as_json()}
    problem = problem_of(answer)
    return {"status": problem.status, "problem": problem}
