"""Wrap every request: count, time and log it, and let no unforeseen error out with its message."""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import error_fields
from api.metrics import Metrics
from api.problems import problem_response

_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
ErrorHandler: TypeAlias = Callable[[Request, Exception], Awaitable[Response]]


class HotRoute:
    """An ASGI application of one endpoint: what FastAPI and Starlette do besides is left out.

    Their layers and their router took a tenth of the time of an append.
    """

    def __init__(
        self, endpoint: Endpoint, *, errors: tuple[type[Exception], ...], answer: ErrorHandler
    ) -> None:
        """Take the endpoint, the classes of error that `answer` turns into responses, and it."""
        self._endpoint = endpoint
        self._errors = errors
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        scope["endpoint"] = self._endpoint
        request = Request(scope, receive)
        try:
            response = await self._endpoint(request)
        except self._errors as error:
            response = await self._answer(request, error)
        await response(scope, receive, send)


class Observer:
    """ASGI middleware around the routes. What it logs is the route's template, never the path."""

    def __init__(self, app: ASGIApp, metrics: Metrics, templates: Mapping[Any, str]) -> None:
        """Wrap an application.

        Args:
            app: what to wrap.
            metrics: where to count.
            templates: path by endpoint, where the routes do not tell it themselves.
        """
        self._app = app
        self._metrics = metrics
        self._templates = templates
        # Bound once: otherwise a logger is made for every line, which takes as long as the rest.
        self._log: Any = structlog.get_logger().bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        request_id = secrets.token_hex(8)

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        try:
            await self._app(scope, receive, observed)
        except Exception as error:  # noqa: BLE001 - the outermost net; the message may quote content
            self._log.error("request failed", request_id=request_id, **error_fields(error))
            if not status:
                await problem_response(error)(scope, receive, observed)
        finally:
            self._record(scope, status, time.perf_counter() - started, request_id)

    def _record(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        # Unknown paths share one label: they may hold anything, and would be without number.
        known = self._templates.get(scope.get("endpoint", _nothing), "unmatched")
        route = getattr(scope.get("route"), "path", known)
        method = scope["method"] if route != "unmatched" else "any"
        self._metrics.observe_request(method, route, status=str(status), seconds=seconds)
        if route not in _QUIET:
            self._log.info(
                "request",
                request_id=request_id,
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
            )


async def _nothing(_: Request) -> Response:
    """Stand for the endpoint of a request that matched no route."""
    return Response()
