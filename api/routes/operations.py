"""`/healthz`, `/readyz`, `/metrics`: for those who run the server. They tell nothing personal."""

from fastapi import APIRouter
from starlette.responses import Response

from api.bodies import json_response
from api.checkpoint.status import describe_status
from api.metrics import CONTENT_TYPE
from api.services import Given
from ledger.errors import LedgerError

router = APIRouter()


@router.get("/healthz", response_model=None)
async def read_health() -> Response:
    """Answer 200 as long as the process answers at all."""
    return json_response({"status": "ok"})


@router.get("/readyz", response_model=None)
def read_readiness(services: Given) -> Response:
    """Answer 200 when events can be appended and read, else 503; `checks` says what is missing.

    503 too when the checkpoint process refuses to sign what the database holds.
    """
    stopped = services.stopped.done()
    checks = {"sequencer": "stopped" if stopped else "ok", "database": "ok"}
    try:
        with services.readers.reader() as reader:
            reader.head()
    except LedgerError:
        checks["database"] = "unavailable"
    ready = all(state == "ok" for state in checks.values())
    if services.checkpoint_status is not None:
        now_ms = services.clock.now_ms()
        checks["checkpoints"] = describe_status(services.checkpoint_status, now_ms=now_ms)
        # Late or unwitnessed checkpoints are for the operator to see; care goes on without them.
        ready = ready and checks["checkpoints"] != "refused"
    return json_response(
        {"status": "ok" if ready else "unavailable", "checks": checks}, 200 if ready else 503
    )


@router.get("/metrics", response_model=None)
def read_metrics(services: Given) -> Response:
    """Tell counters and timings in the Prometheus text format."""
    return Response(services.metrics.render(), media_type=CONTENT_TYPE)
