"""Wrap every request: count, time and log it, and let no unforeseen error out with its message."""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec
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


class HotRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """Plain Starlette endpoints that are called without what FastAPI does for every request.

    That took a tenth of the time of an append.

    Attributes:
        endpoints: of POST, by exact path.
        errors: the classes that `answer` turns into responses.
    """

    endpoints: Mapping[str, Endpoint]
    errors: tuple[type[Exception], ...]
    answer: ErrorHandler


class Observer:
    """ASGI middleware around the routes. What it logs is the route's template, never the path."""

    def __init__(self, app: ASGIApp, metrics: Metrics, hot: HotRoutes) -> None:
        """Wrap the application.

        Args:
            app: what to wrap.
            metrics: where to count.
            hot: what to answer without asking `app`.
        """
        self._app = app
        self._metrics = metrics
        self._hot = hot
        self._templates = {endpoint: path for path, endpoint in hot.endpoints.items()}
        self._log: Any = structlog.get_logger()

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

        hot = self._hot.endpoints.get(scope["path"]) if scope["method"] == "POST" else None
        try:
            if hot is None:
                await self._app(scope, receive, observed)
            else:
                response = await self._answer_hot(hot, Request(scope, receive))
                await response(scope, receive, observed)
        except Exception as error:  # noqa: BLE001 - the outermost net; the message may quote content
            self._log.error("request failed", request_id=request_id, **error_fields(error))
            if not status:
                await problem_response(error)(scope, receive, observed)
        finally:
            if hot is not None:
                scope["endpoint"] = hot
            self._record(scope, status, time.perf_counter() - started, request_id)

    async def _answer_hot(self, endpoint: Endpoint, request: Request) -> Response:
        try:
            return await endpoint(request)
        except self._hot.errors as error:
            return await self._hot.answer(request, error)

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
