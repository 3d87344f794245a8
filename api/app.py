"""Assemble the HTTP application from its routes. It owns nothing: services come from outside."""

from typing import Any, Final

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from api.errors import MethodNotAllowedError, NoSuchRouteError, ParameterError, RequestError
from api.logs import error_fields
from api.middleware import HotRoute, Observer
from api.openapi import openapi_document
from api.problems import kind_of, problem_response
from api.routes import (
    checkpoint,
    events,
    feed,
    ledger,
    me,
    operations,
    orders,
    patients,
    proofs,
    records,
    staff,
    statements,
)
from api.services import Services, services_of
from ledger.errors import CorruptionError, LedgerError
from projections.errors import ProjectionError
from signing.errors import SigningError

TITLE: Final = "clinledger"
_ROUTERS: Final = (
    ledger.router,
    me.router,
    statements.router,
    feed.router,
    proofs.router,
    records.router,
    orders.router,
    patients.router,
    staff.router,
    checkpoint.router,
    operations.router,
)
_HOT: Final = {
    "/v1/events": events.append_event,
    "/v1/events/batch": events.append_events,
}
_TEMPLATES: Final = {endpoint: path for path, endpoint in _HOT.items()}
_OURS: Final = (RequestError, LedgerError, SigningError, ProjectionError)
_NOT_FOUND: Final = 404
_METHOD_NOT_ALLOWED: Final = 405
_INTERNAL: Final = 500
_UNAVAILABLE: Final = 503
# FastAPI's own telemetry would record exception messages and paths, which may be about a patient.
_NO_TELEMETRY: Final = TelemetryConfig(
    tracing=False, metrics=False, logs=False, auto_configure=False
)
_log: Final[Any] = structlog.get_logger()


class LedgerApp(FastAPI):
    """FastAPI for all routes but the hot ones, which are answered before its layers.

    They are among its routes as well, for whoever asks with another method or for the document.
    """

    def __init__(self, services: Services) -> None:
        """Prepare an application without routes."""
        super().__init__(
            title=TITLE,
            docs_url="/docs",
            redoc_url=None,
            openapi_url="/openapi.json",
            redirect_slashes=False,
            telemetry=_NO_TELEMETRY,
        )
        self.state.services = services
        self._hot = {
            path: Observer(
                HotRoute(endpoint, errors=_OURS, answer=_answer_problem),
                metrics=services.metrics,
                templates=_TEMPLATES,
            )
            for path, endpoint in _HOT.items()
        }

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hot = None
        if scope["type"] == "http" and scope["method"] == "POST":
            hot = self._hot.get(scope["path"])
        if hot is None:
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            await hot(scope, receive, send)


def create_app(services: Services) -> FastAPI:
    """Return the application that serves one ledger.

    Args:
        services: built by `build_services` in the event loop that will run the application.
    """
    app = LedgerApp(services)
    add_routes(app)
    for cls in _OURS:
        app.add_exception_handler(cls, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_parameter)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_middleware(Observer, metrics=services.metrics, templates=_TEMPLATES)
    document = openapi_document(app)
    app.openapi = lambda: document
    return app


def add_routes(app: FastAPI) -> None:
    """Add every resource; what serves them comes with `create_app`."""
    for path, endpoint in _HOT.items():
        app.add_route(path, endpoint, methods=["POST"])
    for router in _ROUTERS:
        app.include_router(router)


async def _answer_problem(request: Request, error: Exception) -> Response:
    if isinstance(error, CorruptionError):
        # A damaged stream must not stop the care of other patients: this read fails, the others
        # go on, and the operator is told. The sequencer stops by itself where it must.
        services_of(request).metrics.corruption.inc()
    status = kind_of(error).status
    if status == _UNAVAILABLE:
        _log.warning("request not served", detail=str(error))
    elif status >= _INTERNAL:
        # These messages are the ledger's own and name no patient.
        _log.error("request failed", detail=str(error), **error_fields(error))
    return problem_response(error)


async def _answer_parameter(_: Request, error: Exception) -> Response:
    # Only where it was: pydantic's own messages repeat the value.
    place = error.errors()[0]["loc"] if isinstance(error, RequestValidationError) else ()
    pointer = "".join(f"/{part}" for part in place)
    return problem_response(ParameterError("parameter-invalid", pointer))


async def _answer_http(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == _NOT_FOUND:
        return problem_response(NoSuchRouteError("no-such-route"))
    if status == _METHOD_NOT_ALLOWED:
        headers = error.headers if isinstance(error, HTTPException) else None
        return problem_response(MethodNotAllowedError("method-not-allowed"), headers)
    return problem_response(RequestError("request-rejected"))
