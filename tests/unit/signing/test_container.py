"""A container holds one signature over exactly the statement's bytes, and nothing else."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signing.algorithms import ALGORITHMS, Algorithm
from signing.container import (
    MAX_CONTAINER_BYTES,
    Container,
    assemble_container,
    parse_container,
    sign_container,
    signing_input,
    verify_container,
)
from signing.errors import InvalidSignatureError, MalformedContainerError, SigningError
from signing.keys import load_verifying_key
from tests.signed import public_key, signed_event, soft_key, statement, statement_bytes

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
OWN = ["ES256", "ES384", "PS256", "EdDSA"]


def b64(data: bytes | str) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def wrapped(header: str, signature: bytes = bytes(64), payload: str = "") -> bytes:
    return f'{{"format":"jws","value":"{b64(header)}.{payload}.{b64(signature)}"}}'.encode()


def header_of(alg: str) -> str:
    return f'{{"alg":"{alg}","b64":false,"crit":["b64"],"typ":"clinledger-statement"}}'


def refusal(container: bytes) -> str:
    with pytest.raises(MalformedContainerError) as caught:
        parse_container(container)
    # Checking refuses what parsing refuses: there is no second, laxer way in.
    with pytest.raises(MalformedContainerError):
        verify_container(container, statement_bytes(), public_key("ES256"))
    return caught.value.code


@pytest.mark.parametrize("alg", OWN)
def test_a_signed_statement_is_accepted_with_its_key(alg: str) -> None:
    event = signed_event(alg)
    verify_container(event.container, event.statement, public_key(alg))
    assert parse_container(event.container).alg == alg


def test_an_rs256_signature_of_an_old_token_is_accepted() -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = load_verifying_key(spki, "RS256")
    data = statement_bytes(alg="RS256", key_id=key.key_id)
    signature = private.sign(signing_input("RS256", data), padding.PKCS1v15(), hashes.SHA256())
    verify_container(assemble_container("RS256", signature), data, key)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_container_is_a_detached_jws_of_exactly_this_form(alg: Algorithm) -> None:
    assert assemble_container(alg, bytes(64)) == wrapped(header_of(alg))
    assert parse_container(wrapped(header_of(alg))) == Container(alg=alg, signature=bytes(64))


@pytest.mark.parametrize("alg", OWN)
def test_a_flipped_bit_of_the_statement_is_noticed(alg: str) -> None:
    event = signed_event(alg)
    at = event.statement.index(b'"size":') + len(b'"size":')
    changed = event.statement[:at] + b"4" + event.statement[at + 1 :]
    assert changed != event.statement
    with pytest.raises(InvalidSignatureError) as caught:
        verify_container(event.container, changed, public_key(alg))
    assert caught.value.code == "signature-invalid"


@pytest.mark.parametrize("alg", OWN)
def test_a_flipped_bit_of_the_signature_is_noticed(alg: str) -> None:
    event = signed_event(alg)
    signature = bytearray(parse_container(event.container).signature)
    for place in (0, len(signature) // 2, len(signature) - 1):
        signature[place] ^= 1
        container = assemble_container(soft_key(alg).alg, bytes(signature))
        with pytest.raises(InvalidSignatureError):
            verify_container(container, event.statement, public_key(alg))
        signature[place] ^= 1


def test_the_high_s_twin_is_accepted_because_tokens_make_it() -> None:
    event = signed_event("ES256")
    signature = parse_container(event.container).signature
    s = int.from_bytes(signature[32:])
    twin = signature[:32] + (P256_ORDER - s).to_bytes(32)
    assert twin != signature
    verify_container(assemble_container("ES256", twin), event.statement, public_key("ES256"))


@pytest.mark.parametrize("wrong", [b"", bytes(63), bytes(65), bytes(64), b"\xff" * 64])
def test_an_ecdsa_signature_of_wrong_length_or_range_is_refused(wrong: bytes) -> None:
    data = signed_event("ES256").statement
    with pytest.raises(InvalidSignatureError):
        verify_container(assemble_container("ES256", wrong), data, public_key("ES256"))


def test_zeros_before_s_make_no_second_signature() -> None:
    event = signed_event("ES256")
    signature = parse_container(event.container).signature
    longer = assemble_container("ES256", signature[:32] + b"\x00" + signature[32:])
    with pytest.raises(InvalidSignatureError):
        verify_container(longer, event.statement, public_key("ES256"))


def test_a_container_for_another_algorithm_than_the_keys_is_refused() -> None:
    event = signed_event("ES256")
    signature = parse_container(event.container).signature
    for alg in ("ES384", "PS256", "RS256", "EdDSA"):
        with pytest.raises(InvalidSignatureError) as caught:
            verify_container(
                assemble_container(alg, signature), event.statement, public_key("ES256")
            )
        assert caught.value.code == "signature-algorithm"


def test_a_signed_statement_that_names_another_algorithm_is_refused() -> None:
    key = soft_key("ES256")
    data = statement_bytes(alg="EdDSA", key_id=key.key_id)
    with pytest.raises(InvalidSignatureError) as caught:
        verify_container(sign_container(key, data), data, public_key("ES256"))
    assert caught.value.code == "signature-algorithm"


def test_a_signed_statement_that_names_another_key_is_refused() -> None:
    """Key substitution: the signature is valid, but the text vouches for another key."""
    key = soft_key("ES256")
    data = statement_bytes(alg="ES256", key_id=soft_key("EdDSA").key_id)
    with pytest.raises(InvalidSignatureError) as caught:
        verify_container(sign_container(key, data), data, public_key("ES256"))
    assert caught.value.code == "signature-key"
    assert statement().alg == "ES256"


def test_a_signature_by_another_person_is_refused() -> None:
    data = statement_bytes(alg="EdDSA", key_id=soft_key("EdDSA").key_id)
    other = type(soft_key("EdDSA")).generate("EdDSA")
    with pytest.raises(InvalidSignatureError) as caught:
        verify_container(sign_container(other, data), data, public_key("EdDSA"))
    assert caught.value.code == "signature-invalid"


HEADERS = {
    "none": header_of("none"),
    "an HMAC": header_of("HS256"),
    "lower case": header_of("es256"),
    "an extra member": header_of("ES256").replace('"typ"', '"kid":"1","typ"'),
    "an embedded key": header_of("ES256").replace(
        '"typ"', '"jwk":{"crv":"P-256","kty":"EC","x":"AA","y":"AA"},"typ"'
    ),
    "an empty crit": header_of("ES256").replace('["b64"]', "[]"),
    "a longer crit": header_of("ES256").replace('["b64"]', '["b64","exp"]'),
    "no crit": header_of("ES256").replace('"crit":["b64"],', ""),
    "an encoded payload": header_of("ES256").replace('"b64":false', '"b64":true'),
    "no b64": header_of("ES256").replace('"b64":false,', ""),
    "two algorithms": header_of("ES256").replace('{"alg"', '{"alg":"none","alg"'),
    "two algorithms, reversed": header_of("ES256").replace('"b64"', '"alg":"none","b64"', 1),
    "white space": header_of("ES256").replace(",", ", "),
    "another order": '{"typ":"clinledger-statement","alg":"ES256","b64":false,"crit":["b64"]}',
    "another type": header_of("ES256").replace("clinledger-statement", "clinledger-possession"),
    "a token's type": header_of("ES256").replace("clinledger-statement", "JWT"),
    "no type": '{"alg":"ES256","b64":false,"crit":["b64"]}',
    "a trailing zero byte": header_of("ES256") + "\x00",
    "nothing": "",
}


@pytest.mark.parametrize("case", HEADERS)
def test_any_other_protected_header_is_refused(case: str) -> None:
    assert refusal(wrapped(HEADERS[case])) == "container-header"


GOOD = wrapped(header_of("ES256"))
VALUE = json.loads(GOOD)["value"]

FORMS = {
    "nothing": b"",
    "trailing bytes": GOOD + b"\n",
    "leading bytes": b" " + GOOD,
    "white space": GOOD.replace(b":", b": "),
    "another order": f'{{"value":"{VALUE}","format":"jws"}}'.encode(),
    "another format": GOOD.replace(b'"jws"', b'"cades"'),
    "an extra member": GOOD[:-1] + b',"x":1}',
    "a repeated member": GOOD.replace(b'"format"', b'"format":"cades","format"'),
    "a bare JWS": VALUE.encode(),
    "an embedded payload": wrapped(header_of("ES256"), payload=b64(statement_bytes())),
    "an embedded raw payload": wrapped(header_of("ES256"), payload=statement_bytes().decode()),
    "two parts": GOOD.replace(b"..", b"."),
    "four parts": GOOD.replace(b"..", b"..."),
    "a second signature": GOOD[:-2] + b"." + b64(bytes(64)).encode() + b'"}',
    "padding": GOOD[:-2] + b'=="}',
    "unused bits set": GOOD[:-3] + b'B"}',
    "a cut-off character": GOOD[:-3] + b'"}',
    "standard base64": wrapped(header_of("ES256"), b"\xff" * 64).replace(b"_", b"/"),
    "white space in the signature": GOOD[:-4] + b" " + GOOD[-3:],
    "an escape in the signature": GOOD[:-4] + rb"\u0041" + GOOD[-3:],
    "a line feed in the signature": GOOD[:-4] + b"\n" + GOOD[-3:],
    "a byte that is no ASCII": GOOD[:-4] + b"\xc3" + GOOD[-3:],
    "deep nesting": b"[" * 4000,
}


@pytest.mark.parametrize("case", FORMS)
def test_any_other_form_of_a_container_is_refused(case: str) -> None:
    assert FORMS[case] != GOOD
    assert refusal(FORMS[case]) == "container-malformed"


def test_a_repeated_value_is_refused() -> None:
    assert refusal(GOOD.replace(b'"value"', b'"value":"","value"')) == "container-header"
    assert refusal(GOOD[:-1] + b',"value":""}') == "container-malformed"


def test_a_container_may_have_4_kib_and_not_a_byte_more() -> None:
    overhead = len(wrapped(header_of("RS256"), b""))
    longest = (MAX_CONTAINER_BYTES - overhead) * 3 // 4
    at_limit = wrapped(header_of("RS256"), bytes(longest))
    assert len(at_limit) == MAX_CONTAINER_BYTES
    assert parse_container(at_limit).signature == bytes(longest)
    assert refusal(wrapped(header_of("RS256"), bytes(longest + 1))) == "container-too-large"


def test_a_refusal_says_what_is_wrong_and_nothing_else() -> None:
    error = SigningError("some-code", "some words", pointer="/place")
    assert str(error) == "some-code at /place: some words"
    assert str(SigningError("some-code")) == "some-code"
