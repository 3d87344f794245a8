"""A possession proof says one thing about one key, once, in one ledger."""

import base64
import json
from typing import Any

import pytest

from signing.container import sign_container
from signing.errors import InvalidSignatureError, MalformedTokenError, SigningError
from signing.keys import SoftKey
from signing.possession import build_possession, verify_possession
from tests.signed import ORIGIN, OTHER, STAFF, public_key, signed_event, soft_key

NONCE = "01980000-a nonce/of+any=kind~!"


def b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def proof_of(alg: str = "ES256", **changes: object) -> bytes:
    fields: dict[str, Any] = {"origin": ORIGIN, "staff": STAFF, "nonce": NONCE, **changes}
    return build_possession(soft_key(alg), **fields)


def check(proof: bytes, alg: str = "ES256") -> str:
    return verify_possession(proof, public_key(alg), origin=ORIGIN, staff=STAFF)


def refusal(proof: bytes, alg: str = "ES256") -> str:
    with pytest.raises(MalformedTokenError) as caught:
        check(proof, alg)
    return caught.value.code


def signed_by_hand(header: bytes, claim: bytes) -> bytes:
    signing_input = b64(header) + b"." + b64(claim)
    return signing_input + b"." + b64(soft_key("ES256").sign(signing_input))


def claim_of(**changes: object) -> bytes:
    claim = {
        "alg": "ES256",
        "format": "clinledger/possession/v1",
        "key_id": soft_key("ES256").key_id,
        "nonce": NONCE,
        "origin": ORIGIN,
        "staff": STAFF,
        **changes,
    }
    return json.dumps(claim, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


HEADER = b'{"alg":"ES256","typ":"clinledger-possession"}'


@pytest.mark.parametrize("alg", ["ES256", "ES384", "PS256", "EdDSA"])
def test_a_proof_is_accepted_and_gives_its_nonce(alg: str) -> None:
    assert check(proof_of(alg), alg) == NONCE


def test_a_proof_is_a_compact_jws_over_this_claim() -> None:
    assert proof_of() == signed_by_hand(HEADER, claim_of())


@pytest.mark.parametrize(
    ("change", "pointer"),
    [({"origin": "bvdk.elsewhere.example/ledger"}, "/origin"), ({"staff": OTHER}, "/staff")],
)
def test_a_proof_for_another_ledger_or_person_is_refused(
    change: dict[str, str], pointer: str
) -> None:
    with pytest.raises(MalformedTokenError) as caught:
        check(proof_of(**change))
    assert (caught.value.code, caught.value.pointer) == ("possession-mismatch", pointer)


def test_a_proof_that_names_another_key_is_refused() -> None:
    claim = claim_of(key_id=soft_key("EdDSA").key_id)
    assert refusal(signed_by_hand(HEADER, claim)) == "possession-mismatch"
    assert refusal(signed_by_hand(HEADER, claim_of(alg="ES384"))) == "possession-mismatch"


def test_a_proof_by_another_key_is_refused() -> None:
    signing_input = b64(HEADER) + b"." + b64(claim_of())
    forged = signing_input + b"." + b64(SoftKey.generate("ES256").sign(signing_input))
    with pytest.raises(InvalidSignatureError):
        check(forged)


def test_a_proof_of_another_algorithm_is_refused() -> None:
    assert refusal(proof_of("EdDSA"), "ES256") == "possession-malformed"


def test_neither_a_statement_nor_its_container_makes_a_proof() -> None:
    event = signed_event("ES256")
    value = json.loads(event.container)["value"].encode()
    header, _, signature = value.split(b".")
    for forged in (
        event.container,
        value,
        header + b"." + b64(event.statement) + b"." + signature,
        b64(HEADER) + b"." + b64(event.statement) + b"." + signature,
        event.statement,
    ):
        assert refusal(forged) == "possession-malformed"
    claim = claim_of()
    container = sign_container(soft_key("ES256"), claim)
    *_, signature = json.loads(container)["value"].encode().split(b".")
    with pytest.raises(InvalidSignatureError):
        check(b64(HEADER) + b"." + b64(claim) + b"." + signature)


HEADERS = [
    b'{"alg":"none","typ":"clinledger-possession"}',
    b'{"typ":"clinledger-possession","alg":"ES256"}',
    b'{"alg":"ES256","kid":"1","typ":"clinledger-possession"}',
    b'{"alg":"ES256","alg":"ES256","typ":"clinledger-possession"}',
    b'{"alg":"ES256","crit":[],"typ":"clinledger-possession"}',
    b'{"alg":"ES256","typ":"clinledger-statement"}',
    b'{"alg":"ES256","typ":"clinledger-token"}',
    b'{"alg":"ES256"}',
]


@pytest.mark.parametrize("header", HEADERS)
def test_any_other_header_is_refused(header: bytes) -> None:
    assert refusal(signed_by_hand(header, claim_of())) == "possession-malformed"


CLAIMS = [
    claim_of() + b" ",
    claim_of().replace(b",", b", "),
    claim_of(extra=1),
    claim_of(format="clinledger/possession/v2"),
    claim_of(format="clinledger/statement/v1"),
    claim_of(staff=STAFF.upper().replace("0", "A")),
    claim_of(nonce=None),
    claim_of(nonce=7),
    claim_of(nonce=""),
    claim_of(nonce="x" * 129),
    claim_of(nonce="é"),
    claim_of(nonce="a\n"),
    claim_of(nonce='a"b'),
    claim_of(nonce="a\\b"),
    claim_of(nonce="\x7f"),
    claim_of().replace(b'"nonce":', b'"nonce":"first","nonce":'),
    claim_of()[:-1],
    b"\xff",
    b"",
    b"raw challenge bytes",
]


@pytest.mark.parametrize("claim", CLAIMS)
def test_any_other_claim_is_refused_even_when_signed(claim: bytes) -> None:
    assert refusal(signed_by_hand(HEADER, claim)) == "possession-malformed"


@pytest.mark.parametrize("nonce", ["", "x" * 129, "é", "a\n", 'a"b', "a\\b"])
def test_a_claim_that_nobody_would_accept_is_not_signed(nonce: str) -> None:
    with pytest.raises(MalformedTokenError):
        proof_of(nonce=nonce)


@pytest.mark.parametrize("nonce", ["x", "x" * 128, "".join(map(chr, range(0x23, 0x5C)))])
def test_nonces_are_up_to_128_printable_characters(nonce: str) -> None:
    assert check(proof_of(nonce=nonce)) == nonce


def test_a_proof_of_over_4_kib_is_not_even_checked() -> None:
    assert refusal(proof_of() + b"A" * 4096) == "possession-malformed"


def test_forms_that_are_no_compact_jws_are_refused() -> None:
    good = proof_of()
    for proof in (
        b"",
        good + b"=",
        good + b".",
        good.replace(b".", b"..", 1),
        good + b"\n",
        good[: good.rindex(b".")],
        good + b"A" * 4096,
    ):
        with pytest.raises(SigningError):
            check(proof)
