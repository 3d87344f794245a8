"""Wrap every request: count, time and log it, and let no unforeseen error out with its message."""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import error_fields
from api.metrics import Metrics
from api.problems import problem_response

_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class Observer:
    """ASGI middleware around the routes. What it logs is the route's template, never the path."""

    def __init__(
        self, app: ASGIApp, metrics: Metrics, templates: Mapping[Callable[..., Any], str]
    ) -> None:
        """Wrap the application.

        Args:
            app: what to wrap.
            metrics: where to count.
            templates: paths of the endpoints that are plain Starlette routes, for which FastAPI's
                router does not say which route it chose.
        """
        self._app = app
        self._metrics = metrics
        self._templates = templates
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
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.request_seconds.labels(method, route).observe(seconds)
        if route not in _QUIET:
            self._log.info(
                "request",
                request_id=request_id,
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
            )


def _nothing() -> None:
    """Stand for the endpoint of a request that matched no route."""
