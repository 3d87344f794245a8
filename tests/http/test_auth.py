"""Authentication and authorisation: deny by default; each denial beside the request that passes."""

import json
from typing import Any

import pytest

from api.event_json import submission_json
from api.openapi import OPERATIONS
from signing.base64url import encode_base64url
from signing.keys import SoftKey
from signing.tokens import issue_token
from tests.builders_resources import an_id
from tests.builders_rules import ORIGIN, REGISTRAR
from tests.http.served import Served, codes
from tests.live import FrozenClock, LiveHospital

NOW_MS = 1_795_000_000_000
PRIVATE = [key for key, operation in OPERATIONS.items() if not operation.public]
PUBLIC = [key for key, operation in OPERATIONS.items() if operation.public]
CLINICAL = [
    ("GET", "/v1/events?after=-1"),
    ("GET", "/v1/records/{record}"),
    ("GET", "/v1/records/{record}?as_of=100000"),
    ("GET", "/v1/records/{record}/history"),
    ("GET", "/v1/patients/{patient}"),
    ("GET", "/v1/events/{event}"),
    ("POST", "/v1/patients/search"),
]


def _path(served: Served, template: str) -> str:
    hospital = served.hospital
    names = {
        "record": hospital.record,
        "record_id": hospital.record,
        "patient": hospital.patient,
        "patient_id": hospital.patient,
        "event": hospital.opened.statement.event_id,
        "event_id": hospital.opened.statement.event_id,
        "staff_id": hospital.doctor,
    }
    return template.format(**names)


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_every_route_but_the_public_ones_demands_a_token(
    shared: Served, method: str, path: str
) -> None:
    """Promise 6: deny by default, also for routes that are yet to come."""
    answer = shared.request(method.upper(), _path(shared, path))
    assert (answer.status_code, codes(answer)) == (401, [("", "token-missing")])
    assert answer.headers["www-authenticate"].startswith("Bearer")
    with_token = shared.request(method.upper(), _path(shared, path), staff=shared.hospital.doctor)
    assert with_token.status_code != 401


def test_only_these_routes_are_public() -> None:
    """The list is short, and is to be changed with thought."""
    assert sorted(path for _, path in PUBLIC) == [
        "/checkpoint",
        "/healthz",
        "/metrics",
        "/readyz",
        "/tile/{path}",
        "/v1/ledger",
    ]


@pytest.mark.parametrize(("method", "path"), CLINICAL)
def test_who_cares_for_patients_reads_and_who_does_not_is_refused(
    shared: Served, method: str, path: str
) -> None:
    """Roles: a bedside monitor reads no records, a doctor does."""
    body = {"name": "anh"} if method == "POST" else None
    place = _path(shared, path).replace("100000", "0")
    refused = shared.request(method, place, staff=shared.hospital.monitor, body=body)
    assert (refused.status_code, codes(refused)) == (403, [("", "role-missing")])
    for staff in (shared.hospital.doctor, shared.hospital.nurse, REGISTRAR):
        answer = shared.request(method, place, staff=staff, body=body)
        assert answer.status_code in {200, 404}


def test_a_monitor_finds_records_and_reads_the_directory(shared: Served) -> None:
    """The passing twin: what a device needs to do its work."""
    monitor = shared.hospital.monitor
    for path in (
        "/v1/records?identifier=HS-1",
        "/v1/orders?identifier=XN-1",
        "/v1/me",
        f"/v1/staff/{shared.hospital.doctor}/keys",
        f"/v1/events/{shared.hospital.opened.statement.event_id}/inclusion",
    ):
        assert shared.get(path, monitor).status_code == 200


def _me(served: Served, token: str, scheme: str = "Bearer") -> Any:  # noqa: ANN401 - a response
    return served.request("GET", "/v1/me", headers={"authorization": f"{scheme} {token}"})


def _resigned(served: Served, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Return a token with any header and claims, well signed by the doctor."""
    parts = [encode_base64url(json.dumps(part).encode()) for part in (header, claims)]
    message = b".".join(parts)
    signature = served.hospital.key_of(served.hospital.doctor).sign(message)
    return (message + b"." + encode_base64url(signature)).decode()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"audience": "other.example/ledger"}, "token-audience"),
        ({"now_seconds": NOW_MS // 1000 - 301}, "token-expired"),
        ({"now_seconds": NOW_MS // 1000 + 120}, "token-not-yet-valid"),
        ({"staff": an_id("nurse")}, "token-key"),
        ({"staff": an_id("nobody")}, "token-key"),
    ],
)
def test_a_token_for_something_else_is_refused(
    frozen: Served, changes: dict[str, Any], code: str
) -> None:
    """A token is for this ledger, for five minutes, and for the key's own subject."""
    doctor = frozen.hospital.doctor
    good: dict[str, Any] = {
        "staff": doctor,
        "audience": ORIGIN,
        "now_seconds": NOW_MS // 1000,
    }
    key = frozen.hospital.key_of(doctor)
    assert _me(frozen, issue_token(key, **good)).status_code == 200
    refused = _me(frozen, issue_token(key, **{**good, **changes}))
    assert (refused.status_code, codes(refused)) == (401, [("", code)])
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("header", "claims", "code"),
    [
        ({"alg": "none"}, {}, "token-malformed"),
        ({"alg": "HS256"}, {}, "token-malformed"),
        ({"alg": "ES384"}, {}, "token-algorithm"),
        ({"typ": "JWT"}, {}, "token-malformed"),
        ({"typ": "clinledger-statement"}, {}, "token-malformed"),
        ({"kid": "ab" * 32}, {}, "key-unknown"),
        ({"jwk": {}}, {}, "token-malformed"),
        ({}, {"exp": NOW_MS // 1000 + 301}, "token-lifetime"),
        ({}, {"exp": 10**15}, "token-lifetime"),
        ({}, {"role": "administrator"}, "token-malformed"),
        ({}, {"sub": None}, "token-malformed"),
    ],
)
def test_a_token_of_another_form_is_refused(
    frozen: Served, header: dict[str, Any], claims: dict[str, Any], code: str
) -> None:
    """RFC 8725: one typ, the key's algorithm, known members, five minutes at most."""
    doctor = frozen.hospital.doctor
    now = NOW_MS // 1000
    key_id = frozen.hospital.key_of(doctor).key_id
    good_header: dict[str, Any] = {"alg": "ES256", "kid": key_id, "typ": "clinledger-token"}
    good_claims: dict[str, Any] = {"sub": doctor, "aud": ORIGIN, "iat": now, "exp": now + 300}
    assert _me(frozen, _resigned(frozen, good_header, good_claims)).status_code == 200
    bad = _resigned(frozen, {**good_header, **header}, {**good_claims, **claims})
    refused = _me(frozen, bad)
    assert (refused.status_code, codes(refused)) == (401, [("", code)])


def test_a_token_with_any_byte_changed_is_refused(shared: Served) -> None:
    """The signature covers header and claims."""
    token = shared.token(shared.hospital.doctor)
    assert _me(shared, token).status_code == 200
    header, claims, signature = token.split(".")
    swapped = ("A" if signature[5] != "A" else "B").join((signature[:5], signature[6:]))
    for bad in (
        f"{header}.{claims}.{swapped}",
        f"{header}.{claims}.",
        f"{header}.{claims}",
        f"{header}.{claims[:-2]}.{signature}",
        "",
        "x" * 10_000,
        "ô.ô.ô",
    ):
        raw = f"Bearer {bad}".encode()
        refused = shared.request("GET", "/v1/me", headers={"authorization": raw})
        assert refused.status_code == 401
    assert _me(shared, token, "Basic").status_code == 401
    assert _me(shared, token, "bearer").status_code == 200


def test_two_authorization_headers_are_refused(shared: Served) -> None:
    """What two programs might read differently is not read at all."""
    token = shared.token(shared.hospital.doctor)
    headers = [("authorization", f"Bearer {token}")] * 2
    answer = shared.request("GET", "/v1/me", headers=headers)
    assert (answer.status_code, codes(answer)) == (401, [("", "token-malformed")])


def test_a_remembered_token_still_expires(frozen: Served, clock: FrozenClock) -> None:
    """What was verified once is remembered until it expires, not longer."""
    doctor = frozen.hospital.doctor
    key = frozen.hospital.key_of(doctor)
    token = issue_token(key, staff=doctor, audience=ORIGIN, now_seconds=NOW_MS // 1000)
    assert _me(frozen, token).status_code == 200
    clock.time_ms += 299_000
    assert _me(frozen, token).status_code == 200
    clock.time_ms += 1_000
    refused = _me(frozen, token)
    assert (refused.status_code, codes(refused)) == (401, [("", "token-expired")])


def test_a_revocation_bites_a_remembered_token_at_once(served: Served) -> None:
    """Promise 6: the directory is asked at every request."""
    hospital = served.hospital
    token = served.token(hospital.nurse)
    assert _me(served, token).status_code == 200
    _revoke(served, hospital, hospital.nurse)
    refused = _me(served, token)
    assert (refused.status_code, codes(refused)) == (401, [("", "key-revoked")])


def test_a_withdrawn_role_is_gone_at_once(served: Served) -> None:
    """Roles are read at every request, not from the token."""
    hospital = served.hospital
    path = f"/v1/records/{hospital.record}/history"
    assert served.get(path, hospital.nurse).status_code == 200
    content = json.dumps({"role": "nurse", "reason": "left"}).encode()
    event = hospital.signed("role-withdrawn.v1", content, stream=hospital.nurse, signer=REGISTRAR)
    assert served.append(event, REGISTRAR).status_code == 201
    assert served.get(path, hospital.nurse).status_code == 403


def test_a_key_that_is_not_enrolled_opens_nothing(shared: Served) -> None:
    """Whoever can make a key can make a token; only enrolment gives it a meaning."""
    stranger = SoftKey.generate("ES256")
    now = shared.services.now_seconds()
    token = issue_token(stranger, staff=shared.hospital.doctor, audience=ORIGIN, now_seconds=now)
    refused = _me(shared, token)
    assert (refused.status_code, codes(refused)) == (401, [("", "key-unknown")])


def test_only_registrars_and_the_member_get_possession_nonces(shared: Served) -> None:
    """Nobody asks for proofs on behalf of colleagues."""
    path = f"/v1/staff/{shared.hospital.doctor}/possession-nonces"
    assert shared.post(path, None, shared.hospital.doctor).status_code == 201
    assert shared.post(path, None, REGISTRAR).status_code == 201
    refused = shared.post(path, None, shared.hospital.nurse)
    assert (refused.status_code, codes(refused)) == (403, [("", "role-missing")])


def test_nobody_submits_for_a_stranger_who_is_not_a_device(shared: Served) -> None:
    """A registrar, however powerful, carries no doctor's events; batches say it per event."""
    hospital = shared.hospital
    event = hospital.signed("note-written.v1", hospital.note("carried"))
    size = shared.size
    refused = shared.append(event, REGISTRAR)
    assert (refused.status_code, codes(refused)) == (403, [("", "signer-other")])
    batch = shared.post("/v1/events/batch", {"events": [submission_json(event)]}, REGISTRAR)
    assert batch.json()["results"][0]["status"] == 403
    assert shared.size == size


def _revoke(served: Served, hospital: LiveHospital, staff: str) -> None:
    content = {"key_id": hospital.key_of(staff).key_id, "reason": "lost"}
    event = hospital.signed(
        "key-revoked.v1", json.dumps(content).encode(), stream=staff, signer=REGISTRAR
    )
    answer = served.append(event, REGISTRAR)
    assert answer.status_code == 201, answer.text
