"""Bad bodies: refused with a clear error before anything is looked at; nothing is stored."""

import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx2
import pytest

from api.bodies import MAX_EVENT_BYTES
from api.event_json import submission_json
from tests.http.served import Served, codes

BOM = b"\xef\xbb\xbf"


def _good(shared: Served) -> dict[str, Any]:
    hospital = shared.hospital
    return submission_json(hospital.signed("note-written.v1", hospital.note("never stored")))


def _bytes(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _post(
    shared: Served, content: bytes | AsyncGenerator[bytes], **headers: str
) -> httpx2.Response:
    size = shared.size
    answer = shared.request(
        "POST",
        "/v1/events",
        staff=shared.hospital.doctor,
        content=content,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    assert shared.size == size
    assert answer.headers["content-type"] == "application/problem+json"
    return answer


NO_JSON_OBJECT: list[tuple[Callable[[bytes], bytes], int, str]] = [
    (lambda body: body[: len(body) // 2], 400, "body-truncated"),
    (lambda _: b"", 400, "body-truncated"),
    (lambda body: BOM + body, 400, "body-bom"),
    (lambda body: body.decode().encode("utf-16"), 400, "body-not-json"),
    (lambda body: body.replace(b"note-written", b"note\xff\xfewritten"), 400, "body-not-utf8"),
    (lambda body: body.replace(b"note-written", b"note\x00written"), 400, "body-not-json"),
    (lambda body: body.replace(b"note-written", rb"note\ud800"), 400, "body-not-json"),
    (lambda body: body + b"{}", 400, "body-not-json"),
    (lambda _: b"[" * 100_000, 422, "type-wrong"),
    (lambda _: b'{"statement":' + b"[" * 100_000, 422, "type-wrong"),
    (lambda _: b"[]", 422, "type-wrong"),
    (lambda _: b"null", 422, "type-wrong"),
]


@pytest.mark.parametrize(("spoil", "status", "code"), NO_JSON_OBJECT)
def test_a_body_that_is_no_json_object_is_refused(
    shared: Served, spoil: Callable[[bytes], bytes], status: int, code: str
) -> None:
    """Bad input: truncated, not UTF-8, BOM, NUL, lone surrogate, nested too deep."""
    answer = _post(shared, spoil(_bytes(_good(shared))))
    assert (answer.status_code, codes(answer)[0][1]) == (status, code)


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"patient": "Nguyễn"}, "", "field-unknown"),
        ({"statement": None}, "/statement", "type-wrong"),
        ({"salt": 7}, "/salt", "type-wrong"),
        ({"salt": "not base64"}, "/salt", "base64-invalid"),
        ({"salt": "AA"}, "/salt", "base64-invalid"),
        ({"salt": "A" * 65}, "/salt", "value-invalid"),
        ({"content_encoding": "latin-1"}, "/content_encoding", "value-invalid"),
        ({"content_encoding": "base64"}, "/content", "base64-invalid"),
    ],
)
def test_a_body_of_another_schema_is_refused_and_told_where(
    shared: Served, changes: dict[str, Any], pointer: str, code: str
) -> None:
    """Bad input: unknown fields, wrong types; the problem quotes nothing of the body."""
    answer = _post(shared, _bytes({**_good(shared), **changes}))
    assert (answer.status_code, codes(answer)) == (422, [(pointer, code)])
    assert "Nguy" not in answer.text


def test_a_missing_field_is_named(shared: Served) -> None:
    """Field names are ours, so they may be told."""
    body = _good(shared)
    del body["signature"]
    answer = _post(shared, _bytes(body))
    assert (answer.status_code, codes(answer)) == (422, [("/signature", "field-missing")])


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content_type": "text/plain"}, "content-type"),
        ({"content_type": "application/fhir+json"}, "content-type"),
        ({"content_type": ""}, "content-type"),
        ({"content_type": "application/json; charset=latin-1"}, "content-type-charset"),
        ({"content_encoding": "gzip"}, "content-encoding"),
    ],
)
def test_another_content_type_is_refused(
    shared: Served, headers: dict[str, str], code: str
) -> None:
    """Bad input: wrong content type."""
    answer = _post(shared, _bytes(_good(shared)), **headers)
    assert (answer.status_code, codes(answer)) == (415, [("", code)])


def test_a_content_type_with_utf_8_is_taken(served: Served) -> None:
    """The passing twin of the refusals above."""
    answer = served.request(
        "POST",
        "/v1/events",
        staff=served.hospital.doctor,
        content=_bytes(_good(served)),
        headers={"content-type": 'Application/JSON; charset="UTF-8"'},
    )
    assert answer.status_code == 201


def test_a_body_of_10_mb_is_refused_unread(shared: Served) -> None:
    """Bad input: 10 MB, announced by Content-Length."""
    read = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 100_000
            yield b" " * 100_000

    answer = _post(shared, endless(), content_length="10000000")
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:clinledger:problem:body-too-large"
    assert read == 0


def test_a_body_that_turns_out_too_long_is_refused_while_read(shared: Served) -> None:
    """Bad input: 10 MB, streamed without a length."""
    answer = _post(shared, b" " * 10_000_000, content_length="5")
    assert (answer.status_code, codes(answer)) == (413, [("", "body-too-large")])


def test_a_body_within_the_limit_is_judged_by_what_it_says(shared: Served) -> None:
    """The passing twin: a long body is no fault by itself."""
    answer = _post(shared, b" " * (MAX_EVENT_BYTES - 1))
    assert (answer.status_code, codes(answer)) == (400, [("", "body-truncated")])


def test_small_bodies_have_a_small_limit(shared: Served) -> None:
    """A search is short."""
    answer = shared.post("/v1/patients/search", {"name": "x" * 100_000})
    assert (answer.status_code, codes(answer)) == (413, [("", "body-too-large")])


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "no-such-route"),
        ("GET", "/v1/events/", 404, "no-such-route"),
        ("DELETE", "/v1/events", 405, "method-not-allowed"),
        ("PUT", "/v1/ledger", 405, "method-not-allowed"),
        ("GET", "/v1/records/not-a-uuid", 400, "parameter-invalid"),
        ("GET", "/v1/records/01980000-0000-7000-8000-0000000000AA", 400, "parameter-invalid"),
        ("GET", "/v1/events?after=-2", 400, "parameter-invalid"),
        ("GET", "/v1/events?after=0&limit=0", 400, "parameter-invalid"),
        ("GET", "/v1/events?after=0&wait=31", 400, "parameter-invalid"),
        ("GET", "/v1/events", 400, "parameter-invalid"),
        ("GET", "/v1/records", 400, "parameter-invalid"),
        ("GET", "/v1/patients/01980000-0000-7000-8000-0000000000aa?min_position=x", 400, None),
    ],
)
def test_what_is_not_there_is_a_problem_too(
    shared: Served, method: str, path: str, status: int, code: str | None
) -> None:
    """Errors of the framework have the same form as ours."""
    answer = shared.request(method, path, staff=shared.hospital.doctor)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert codes(answer)[0][1] == (code or "parameter-invalid")
