"""A bearer token speaks for one staff member at one ledger, for five minutes at most."""

import base64
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_private_key

from signing.errors import InvalidSignatureError, MalformedTokenError
from signing.keys import SoftKey
from signing.tokens import TokenClaims, issue_token, peek_key_id, verify_token
from tests.signed import ORIGIN, STAFF, public_key, signed_event, soft_key

NOW = 1_790_000_000


def b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token_of(alg: str = "ES256", **changes: object) -> str:
    arguments: dict[str, Any] = {"staff": STAFF, "audience": ORIGIN, "now_seconds": NOW, **changes}
    return issue_token(soft_key(alg), **arguments)


def check(token: str, *, at: int = NOW, alg: str = "ES256") -> TokenClaims:
    return verify_token(token, public_key(alg), audience=ORIGIN, now_seconds=at)


def refusal(token: str, *, at: int = NOW, alg: str = "ES256") -> str:
    with pytest.raises(MalformedTokenError) as caught:
        check(token, at=at, alg=alg)
    return caught.value.code


def signed_by_hand(header: bytes, claims: bytes) -> str:
    signing_input = b64(header) + b"." + b64(claims)
    return (signing_input + b"." + b64(soft_key("ES256").sign(signing_input))).decode()


def header_of(**changes: object) -> bytes:
    header = {"alg": "ES256", "kid": soft_key("ES256").key_id, "typ": "clinledger-token"}
    return json.dumps({**header, **changes}).encode()


def claims_of(**changes: object) -> bytes:
    claims = {"sub": STAFF, "aud": ORIGIN, "iat": NOW, "exp": NOW + 300}
    return json.dumps({**claims, **changes}).encode()


@pytest.mark.parametrize("alg", ["ES256", "ES384", "PS256", "EdDSA"])
def test_a_token_speaks_for_the_staff_member_it_was_issued_to(alg: str) -> None:
    token = token_of(alg)
    assert peek_key_id(token) == soft_key(alg).key_id
    assert check(token, alg=alg) == TokenClaims(
        staff=STAFF, key_id=soft_key(alg).key_id, expires_at=NOW + 300
    )


def test_a_token_is_an_ordinary_jwt_that_stock_libraries_read() -> None:
    claims = jwt.decode(
        token_of(),
        load_der_public_key(soft_key("ES256").spki),  # pyright: ignore[reportArgumentType]
        algorithms=["ES256"],
        audience=ORIGIN,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims == {"sub": STAFF, "aud": ORIGIN, "iat": NOW, "exp": NOW + 300}


def test_a_token_that_a_stock_library_made_is_accepted() -> None:
    key = load_pem_private_key(soft_key("ES256").to_pem(None), None)
    token = jwt.encode(
        {"aud": ORIGIN, "exp": NOW + 60, "iat": NOW, "sub": STAFF},
        key,  # pyright: ignore[reportArgumentType]
        algorithm="ES256",
        headers={"typ": "clinledger-token", "kid": soft_key("ES256").key_id},
        sort_headers=False,
    )
    assert check(token).expires_at == NOW + 60


def test_a_token_runs_out_on_the_second() -> None:
    token = token_of(lifetime_seconds=10)
    assert check(token, at=NOW + 9).expires_at == NOW + 10
    assert refusal(token, at=NOW + 10) == "token-expired"


def test_a_token_from_a_clock_a_minute_ahead_is_accepted_and_no_more() -> None:
    assert check(token_of(now_seconds=NOW + 60)).staff == STAFF
    assert refusal(token_of(now_seconds=NOW + 61)) == "token-not-yet-valid"


@pytest.mark.parametrize("seconds", [0, -1, 301])
def test_no_token_is_issued_for_longer_than_five_minutes(seconds: int) -> None:
    with pytest.raises(ValueError, match="300"):
        token_of(lifetime_seconds=seconds)


@pytest.mark.parametrize("change", [{"exp": NOW + 301}, {"exp": NOW}, {"exp": NOW - 1}])
def test_a_token_that_lives_too_long_or_backwards_is_refused(change: dict[str, int]) -> None:
    assert refusal(signed_by_hand(header_of(), claims_of(**change))) == "token-lifetime"


def test_a_token_for_another_ledger_is_refused() -> None:
    assert refusal(token_of(audience="bvdk.elsewhere.example/ledger")) == "token-audience"


def test_the_same_set_up_is_accepted_when_nothing_is_wrong() -> None:
    assert check(signed_by_hand(header_of(), claims_of())).staff == STAFF


HEADERS: dict[str, tuple[bytes, str]] = {
    "none": (header_of(alg="none"), "token-malformed"),
    "an HMAC": (header_of(alg="HS256"), "token-malformed"),
    "another algorithm of ours": (header_of(alg="EdDSA"), "token-algorithm"),
    "another key": (header_of(kid=soft_key("EdDSA").key_id), "token-key"),
    "a key that is no hash": (header_of(kid="../../etc/passwd"), "token-malformed"),
    "a plain JWT": (header_of(typ="JWT"), "token-malformed"),
    "a statement": (header_of(typ="clinledger-statement"), "token-malformed"),
    "upper case": (header_of(typ="CLINLEDGER-TOKEN"), "token-malformed"),
    "an embedded key": (header_of(jwk={"kty": "EC"}), "token-malformed"),
    "a key address": (header_of(jku="https://evil.example"), "token-malformed"),
    "an empty crit": (header_of(crit=[]), "token-malformed"),
    "an unencoded payload": (header_of(b64=False, crit=["b64"]), "token-malformed"),
    "a repeated member": (
        header_of().replace(b'{"alg"', b'{"alg": "none", "alg"'),
        "token-malformed",
    ),
    "no type": (b'{"alg":"ES256","kid":"%b"}' % b"a" * 64, "token-malformed"),
    "an array": (b"[]", "token-malformed"),
    "nothing": (b"", "token-malformed"),
    "no ASCII": (header_of(kid="é").replace(b"\\u00e9", "é".encode()), "token-malformed"),
    "deep nesting": (b"[" * 1500, "token-malformed"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_token_with_any_other_header_is_refused(case: str) -> None:
    header, code = HEADERS[case]
    assert refusal(signed_by_hand(header, claims_of())) == code


CLAIMS: dict[str, bytes] = {
    "no subject": claims_of().replace(b'"sub"', b'"user"'),
    "a subject that is no staff stream": claims_of(sub="admin"),
    "several audiences": claims_of(aud=[ORIGIN]),
    "no expiry": claims_of().replace(b'"exp"', b'"nbf"'),
    "an extra claim": claims_of(role="administrator"),
    "a repeated claim": claims_of().replace(b'{"sub"', b'{"sub": "x", "sub"'),
    "a fraction": claims_of(exp=NOW + 0.5),
    "a whole number as fraction": claims_of(exp=NOW + 60.0),
    "an exponent": claims_of().replace(b'"exp": %d' % (NOW + 300), b'"exp": 1e9'),
    "text": claims_of(exp=str(NOW + 60)),
    "a truth value": claims_of(iat=True),
    "null": claims_of(iat=None),
    "infinity": claims_of(exp=float("inf")),
    "negative": claims_of(iat=-1),
    "beyond 2^53": claims_of(exp=2**53),
    "an enormous number": claims_of().replace(str(NOW).encode(), b"1" * 2000, 1),
    "an array": b"[]",
    "nothing": b"",
    "no JSON": b"{",
    "not UTF-8": b"\xff",
}


@pytest.mark.parametrize("case", CLAIMS)
def test_a_token_with_any_other_claims_is_refused(case: str) -> None:
    assert refusal(signed_by_hand(header_of(), CLAIMS[case])) == "token-malformed"


def test_an_unsigned_token_is_refused() -> None:
    for algorithm in ("none", "ES256"):
        forged = b64(header_of(alg=algorithm)) + b"." + b64(claims_of()) + b"."
        with pytest.raises((MalformedTokenError, InvalidSignatureError)):
            check(forged.decode())


def test_a_token_by_another_key_is_refused() -> None:
    signing_input = b64(header_of()) + b"." + b64(claims_of())
    forged = signing_input + b"." + b64(SoftKey.generate("ES256").sign(signing_input))
    with pytest.raises(InvalidSignatureError):
        check(forged.decode())


def test_the_public_key_taken_as_hmac_secret_is_refused() -> None:
    signing_input = b64(header_of(alg="HS256")) + b"." + b64(claims_of())
    mac = hmac.digest(soft_key("ES256").spki, signing_input, "sha256")
    forged = (signing_input + b"." + b64(mac)).decode()
    assert refusal(forged) == "token-malformed"


def test_a_changed_token_is_refused() -> None:
    header, claims, signature = token_of().split(".")
    later = b64(claims_of(exp=NOW + 299)).decode()
    for forged in (f"{header}.{later}.{signature}", f"{header}.{claims}.{signature[:-4]}AAAA"):
        with pytest.raises((InvalidSignatureError, MalformedTokenError)):
            check(forged)


def test_a_statements_container_is_no_token() -> None:
    event = signed_event("ES256")
    value = json.loads(event.container)["value"]
    for forged in (value, event.container.decode(), event.statement.decode()):
        assert refusal(forged) == "token-malformed"


def test_forms_that_are_no_compact_jws_are_refused() -> None:
    good = token_of()
    for token in (
        "",
        "Bearer " + good,
        good + "=",
        good + ".",
        good + "\n",
        " " + good,
        good.replace(".", "..", 1),
        "é" + good,
        "\ud800" + good,
        good + "A" * 4096,
    ):
        with pytest.raises(MalformedTokenError):
            check(token)
