"""Describe the API: FastAPI's paths and parameters, msgspec's schemas, examples that are run."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import ledger_schemas, pages, schemas
from api.examples import BATCH_EXAMPLE, DRAFT_EXAMPLE, EVENT_EXAMPLE, SEARCH_EXAMPLE
from api.problems import PROBLEM_JSON, Problem

VERSION: Final = "1"
DESCRIPTION: Final = (
    "Signed, append-only clinical records. Every error is a problem (RFC 9457) with a stable "
    "`type` (`urn:clinledger:problem:...`) and `errors` that say where and which rule. "
    "Hashes are lower-case hex, binary values base64, times `YYYY-MM-DDTHH:MM:SS.mmmZ`."
)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What FastAPI does not know of an operation.

    Attributes:
        answers: type of the JSON body by status; None for another media type.
        body: type of the JSON request body.
        example: a request body that works; the tests send it.
        public: needs no token.
        media_type: of answers that are not JSON.
    """

    answers: Mapping[int, type | None]
    body: type | None = None
    example: Mapping[str, Any] | None = None
    public: bool = False
    media_type: str = "text/plain"


def _get(answer: type) -> Operation:
    return Operation(answers={200: answer})


OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = MappingProxyType(
    {
        ("get", "/v1/ledger"): Operation(answers={200: ledger_schemas.LedgerInfo}, public=True),
        ("get", "/v1/me"): _get(schemas.Me),
        ("post", "/v1/statements"): Operation(
            body=schemas.StatementDraft,
            example=DRAFT_EXAMPLE,
            answers={200: schemas.PreparedStatement},
        ),
        ("post", "/v1/events"): Operation(
            body=schemas.EventSubmission,
            example=EVENT_EXAMPLE,
            answers={201: schemas.EventReceipt, 200: schemas.EventReceipt},
        ),
        ("post", "/v1/events/batch"): Operation(
            body=schemas.EventBatch,
            example=BATCH_EXAMPLE,
            answers={200: schemas.BatchResults},
        ),
        ("get", "/v1/events"): _get(schemas.Feed),
        ("get", "/v1/events/{event_id}"): _get(schemas.StoredEvent),
        ("get", "/v1/events/{event_id}/inclusion"): _get(schemas.Inclusion),
        ("get", "/v1/events/{event_id}/proof"): Operation(answers={200: None}),
        ("get", "/v1/records"): _get(pages.RecordsFound),
        ("get", "/v1/records/{record_id}"): _get(pages.RecordPage),
        ("get", "/v1/records/{record_id}/history"): _get(pages.RecordHistory),
        ("get", "/v1/orders"): _get(pages.OrdersFound),
        ("post", "/v1/patients/search"): Operation(
            body=schemas.PatientSearch,
            example=SEARCH_EXAMPLE,
            answers={200: pages.PatientsFound},
        ),
        ("get", "/v1/patients/{patient_id}"): _get(pages.PatientPage),
        ("get", "/v1/staff/{staff_id}/keys"): _get(schemas.StaffKeys),
        ("post", "/v1/staff/{staff_id}/possession-nonces"): Operation(
            answers={201: schemas.PossessionNonce}
        ),
        ("get", "/checkpoint"): Operation(answers={200: None}, public=True),
        ("get", "/tile/{path}"): Operation(
            answers={200: None}, media_type="application/octet-stream", public=True
        ),
        ("get", "/healthz"): Operation(answers={200: pages.Health}, public=True),
        ("get", "/readyz"): Operation(
            answers={200: pages.Readiness, 503: pages.Readiness}, public=True
        ),
        ("get", "/metrics"): Operation(answers={200: None}, public=True),
    }
)

# Plain Starlette routes, of which FastAPI knows nothing: the summary is their docstring's.
_HOT: Final = ("/v1/events", "/v1/events/batch")
_TITLES: Final = {200: "Done", 201: "Created", 503: "Not now"}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of the application, all its routes being there."""
    document = get_openapi(
        title=app.title, version=VERSION, description=DESCRIPTION, routes=app.routes
    )
    _add_hot_routes(app, document["paths"])
    types = {Problem}
    for operation in OPERATIONS.values():
        types.update(answer for answer in operation.answers.values() if answer)
        types.update([operation.body] if operation.body else [])
    ordered = sorted(types, key=lambda cls: cls.__name__)
    references, components = msgspec.json.schema_components(
        ordered, ref_template="#/components/schemas/{name}"
    )
    names = dict(zip(ordered, references, strict=True))
    for (method, path), operation in OPERATIONS.items():
        _complete(document["paths"][path][method], operation, names)
    document["components"] = {
        "schemas": _ecma(components),
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    }
    return document


def _add_hot_routes(app: FastAPI, paths: dict[str, Any]) -> None:
    for route in app.routes:
        path = getattr(route, "path", "")
        if path in _HOT and "POST" in (getattr(route, "methods", None) or ()):
            endpoint = getattr(route, "endpoint", None)
            text = (getattr(endpoint, "__doc__", "") or "").strip()
            operation = {
                "summary": text.splitlines()[0] if text else "",
                "description": text,
                "operationId": getattr(endpoint, "__name__", path),
            }
            paths.setdefault(path, {}).setdefault("post", operation)


def _complete(
    described: dict[str, Any], operation: Operation, names: Mapping[type, Mapping[str, Any]]
) -> None:
    described["security"] = [] if operation.public else [{"token": []}]
    if operation.body is not None:
        content: dict[str, Any] = {"schema": names[operation.body]}
        if operation.example is not None:
            content["example"] = operation.example
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    responses: dict[str, Any] = {}
    for status, answer in operation.answers.items():
        media: dict[str, Any] = {operation.media_type: {"schema": {"type": "string"}}}
        if answer is not None:
            media = {"application/json": {"schema": names[answer]}}
        responses[str(status)] = {"description": _TITLES[status], "content": media}
    responses["default"] = {
        "description": "A problem (RFC 9457)",
        "content": {PROBLEM_JSON: {"schema": names[Problem]}},
    }
    described["responses"] = responses


def _ecma(components: Mapping[str, Any]) -> dict[str, Any]:
    """Spell Python's patterns as JSON Schema's (ECMA-262): `$` is Python's end of text."""
    text = msgspec.json.encode(components).replace(rb'\\Z"', b'$"')
    return msgspec.json.decode(text, type=dict[str, Any])
