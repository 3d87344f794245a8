"""The OpenAPI document says what the API does: its examples are sent, its routes are all there."""

import base64
import json
from typing import Any, cast

import msgspec
import pytest

from api.examples import BATCH_EXAMPLE, DRAFT_EXAMPLE, EVENT_EXAMPLE, SEARCH_EXAMPLE
from api.openapi import OPERATIONS
from api.schemas import EventReceipt, PreparedStatement
from signing.base64url import encode_base64url
from signing.statement import parse_statement
from tests.http.served import Served, codes, whole

FRAMEWORK = {"/docs", "/docs/oauth2-redirect", "/openapi.json"}


def _document(shared: Served) -> dict[str, Any]:
    answer = shared.request("GET", "/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def test_every_route_is_described_and_everything_described_is_a_route(shared: Served) -> None:
    """A route without a row here has no schema, no security and no test."""
    document = _document(shared)
    described = {(method, path) for path, item in document["paths"].items() for method in item}
    assert described == set(OPERATIONS)
    for method, path in described:
        operation = document["paths"][path][method]
        assert operation["summary"]
        assert operation["description"]
        names = {part["name"] for part in operation.get("parameters", ())}
        assert all(f"{{{name}}}" not in path or name in names for name in ("event_id", "staff_id"))


def test_every_reference_of_the_document_leads_somewhere(shared: Served) -> None:
    """The schemas are complete, and spelt as JSON Schema."""
    document = _document(shared)
    text = json.dumps(document)
    known = document["components"]["schemas"]
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in known
    assert r"\\Z" not in text
    assert "HTTPValidationError" not in text


def _references(value: Any) -> list[str]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        found = [str(members["$ref"])] if "$ref" in members else []
        return found + [r for part in members.values() for r in _references(part)]
    if isinstance(value, list):
        return [r for part in cast("list[Any]", value) for r in _references(part)]
    return []


@pytest.mark.parametrize("key", [k for k, op in OPERATIONS.items() if op.body], ids="-".join)
def test_every_example_is_of_its_own_schema(shared: Served, key: tuple[str, str]) -> None:
    """The example in the document is the one that is sent, and decodes as documented."""
    operation = OPERATIONS[key]
    assert operation.body is not None
    method, path = key
    body = _document(shared)["paths"][path][method]["requestBody"]["content"]["application/json"]
    assert body["example"] == operation.example
    msgspec.convert(body["example"], operation.body)


def test_the_examples_work_when_sent(served: Served) -> None:
    """Prepare, sign, submit, search: the bodies of the document, by a real member of staff."""
    hospital = served.hospital
    nurse = hospital.nurse
    prepared = served.post("/v1/statements", DRAFT_EXAMPLE, nurse)
    assert prepared.status_code == 200, prepared.text
    body = {**EVENT_EXAMPLE, **_signed(served, whole(prepared, PreparedStatement), nurse)}
    answer = served.post("/v1/events", body, nurse)
    assert answer.status_code == 201, answer.text
    receipt = whole(answer, EventReceipt)
    assert receipt.event_id == DRAFT_EXAMPLE["event_id"]
    assert parse_statement(body["statement"].encode()).occurred_at == DRAFT_EXAMPLE["occurred_at"]
    batch = served.post("/v1/events/batch", {**BATCH_EXAMPLE, "events": [body]}, nurse)
    assert batch.json() == {"results": [{"status": 200, "receipt": answer.json()}]}
    served.project()
    found = served.post("/v1/patients/search", SEARCH_EXAMPLE, nurse)
    assert [hit["patient"] for hit in found.json()["patients"]] == [DRAFT_EXAMPLE["stream"]]


def _signed(served: Served, prepared: PreparedStatement, staff: str) -> dict[str, str]:
    """Sign as `PreparedStatement` tells signers without an SDK to."""
    signing_input = base64.b64decode(prepared.signing_input)
    header, _, statement = signing_input.partition(b".")
    assert statement.decode() == prepared.statement
    signature = encode_base64url(served.hospital.key_of(staff).sign(signing_input))
    container = b'{"format":"jws","value":"' + header + b".." + signature + b'"}'
    return {
        "statement": prepared.statement,
        "salt": prepared.salt,
        "signature": container.decode(),
    }


def test_the_event_of_the_document_belongs_to_another_ledger(shared: Served) -> None:
    """Sent as it stands it is well formed, and refused for what it says."""
    parse_statement(EVENT_EXAMPLE["statement"].encode())
    size = shared.size
    answer = shared.post("/v1/events", EVENT_EXAMPLE, shared.hospital.monitor)
    assert (answer.status_code, codes(answer)[0][1]) == (422, "origin-mismatch")
    assert shared.size == size


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"type": "note-burnt.v1"}, 422, "type-unknown"),
        ({"stream_kind": "ward"}, 422, "value-invalid"),
        ({"content": "{}"}, 422, None),
        ({"content": "{"}, 422, "content-not-json"),
        ({"occurred_at": "yesterday"}, 422, "value-invalid"),
        ({"occurred_at": "2026-02-31T00:00:00.000Z"}, 422, None),
        ({"media_type": "text/html"}, 422, None),
        ({"signer": "01980000-0000-7000-8000-0000000000e3"}, 422, "signer-incomplete"),
        ({"key_id": "ab" * 32, "signer": "01980000-0000-7000-8000-0000000000e3"}, 422, None),
        ({"title": "x"}, 422, "field-unknown"),
    ],
)
def test_a_draft_that_would_be_refused_is_refused_before_it_is_signed(
    shared: Served, changes: dict[str, Any], status: int, code: str | None
) -> None:
    """Nobody signs what has no chance."""
    nurse = shared.hospital.nurse
    assert shared.post("/v1/statements", DRAFT_EXAMPLE, nurse).status_code == 200
    answer = shared.post("/v1/statements", {**DRAFT_EXAMPLE, **changes}, nurse)
    assert answer.status_code == status
    assert code is None or codes(answer)[0][1] == code


def test_the_documentation_page_is_there(shared: Served) -> None:
    """OpenAPI at /docs."""
    assert shared.request("GET", "/docs").status_code == 200
