"""Serve a witness over HTTP.

POST <prefix>/add-checkpoint                   ask for a cosignature (c2sp.org/tlog-witness)
GET  <prefix>/<hex SHA-256(origin)>/checkpoint the newest cosigned checkpoint of a log
GET  <prefix>/                                 name and keys, for people
"""

import asyncio
from typing import Any, Final

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import override

from api.witness.request import MAX_REQUEST_BYTES
from api.witness.rules import Answer, Watch, Witness
from ledger.errors import UnavailableError

BODY_SECONDS: Final = 10.0
_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


class LogWatch(Watch):
    """Writes contradictions to the log of the process, where the operator's alarms look."""

    def __init__(self) -> None:
        self._log: Any = structlog.get_logger()

    @override
    def contradicted(self, origin: str, reason: str) -> None:
        self._log.error("a log contradicts its cosigned history", origin=origin, reason=reason)


def create_witness_app(
    witness: Witness, *, prefix: str = "", body_seconds: float = BODY_SECONDS
) -> Starlette:
    """Return the application that serves a witness under a path prefix.

    Args:
        witness: decides.
        prefix: empty, or starts with a slash and ends without one.
        body_seconds: how long a request's body may take.
    """

    async def add_checkpoint(request: Request) -> Response:
        try:
            body = await _read(request, body_seconds)
        except TimeoutError:
            return _respond(_plain(408, "the body did not arrive in time"))
        except ClientDisconnect:
            return _respond(_plain(400, "the body did not arrive"))
        if body is None:
            return _respond(_plain(413, "the body is too large"))
        return _respond(await run_in_threadpool(witness.add_checkpoint, body))

    def latest(request: Request) -> Response:
        try:
            note = witness.latest(request.path_params["origin_hash"])
        except UnavailableError as error:
            return _respond(_plain(503, str(error)))
        if note is None:
            return _respond(_plain(404, "nothing cosigned"))
        return _respond(Answer(status=200, body=note))

    def describe(_: Request) -> Response:
        lines = ["a transparency log witness, c2sp.org/tlog-witness", *witness.vkeys]
        return _respond(_plain(200, "\n".join(lines)))

    return Starlette(
        routes=[
            Route(f"{prefix}/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route(f"{prefix}/{{origin_hash}}/checkpoint", latest, methods=["GET"]),
            Route(f"{prefix}/", describe, methods=["GET"]),
        ]
    )


async def _read(request: Request, seconds: float) -> bytes | None:
    """Return the body, or None when it is too large; nothing large is read to its end."""
    chunks: list[bytes] = []
    size = 0
    async with asyncio.timeout(seconds):
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_REQUEST_BYTES:
                return None
            chunks.append(chunk)
    return b"".join(chunks)


def _plain(status: int, text: str) -> Answer:
    return Answer(status=status, body=f"{text}\n".encode())


def _respond(answer: Answer) -> Response:
    headers = dict(_HEADERS)
    if answer.status == 503:  # noqa: PLR2004 - RFC 9110 §15.6.4
        headers["Retry-After"] = "1"
    # Set as a header: as a media type, the framework would add a charset to that of sizes.
    headers["Content-Type"] = answer.media_type
    return Response(answer.body, status_code=answer.status, headers=headers)
