"""A second person's signature is over exactly one text, by one key, for one purpose."""

import pytest

from signing.algorithms import ALGORITHMS
from signing.container import MAX_CONTAINER_BYTES, sign_container, wrap_jws
from signing.errors import MalformedContainerError, SigningError
from signing.keys import SoftKey
from signing.second import MAX_TEXT_BYTES, sign_second, verify_second
from tests.signed import public_key, soft_key

TEXT = b"clinledger/checkpoint-key/v1\nbvdk.example/ledger\nkey\n"
OWN = [alg for alg in ALGORITHMS if alg != "RS256"]  # which is verified, and never made


def refusal(container: bytes, text: bytes = TEXT, alg: str = "ES256") -> str:
    with pytest.raises(SigningError) as caught:
        verify_second(container, text, public_key(alg), purpose="handover")
    return caught.value.code


@pytest.mark.parametrize("alg", OWN)
def test_a_second_signature_is_accepted_with_its_key(alg: str) -> None:
    container = sign_second(soft_key(alg), purpose="handover", text=TEXT)

    verify_second(container, TEXT, public_key(alg), purpose="handover")

    assert refusal(container, TEXT[:-1], alg) == "signature-invalid"


def test_a_signature_for_another_purpose_is_refused() -> None:
    other = sign_second(soft_key("ES256"), purpose="successor", text=TEXT)

    assert refusal(other) == "container-header"


def test_a_signature_over_a_statement_is_no_second_signature() -> None:
    """Not even where the text is the same."""
    assert refusal(sign_container(soft_key("ES256"), TEXT)) == "container-header"


def test_another_key_or_algorithm_is_refused() -> None:
    container = sign_second(soft_key("ES256"), purpose="handover", text=TEXT)

    assert refusal(container, alg="ES384") == "container-header"
    foreign = sign_second(SoftKey.generate("ES256"), purpose="handover", text=TEXT)
    assert refusal(foreign) == "signature-invalid"


def test_a_container_in_another_spelling_is_refused() -> None:
    container = sign_second(soft_key("ES256"), purpose="handover", text=TEXT)

    for changed, code in (
        (container + b" ", "container-malformed"),
        (container.replace(b"..", b".AA."), "container-malformed"),
        (container[:-2] + b'="}', "container-malformed"),
        (container + bytes(MAX_CONTAINER_BYTES), "container-too-large"),
        (wrap_jws(b"eyJhbGciOiJub25lIn0", b""), "container-header"),
    ):
        assert refusal(changed) == code


@pytest.mark.parametrize("text", [b"", bytes(MAX_TEXT_BYTES + 1)])
def test_a_text_of_an_impossible_length_is_neither_signed_nor_accepted(text: bytes) -> None:
    with pytest.raises(MalformedContainerError, match="second-text"):
        sign_second(soft_key("ES256"), purpose="handover", text=text)

    assert refusal(sign_second(soft_key("ES256"), purpose="handover", text=TEXT), text) == (
        "second-text"
    )
