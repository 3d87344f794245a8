"""The public key is read out of a certificate as its issuer wrote it there."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key

from signing.certificates import certified_spki
from signing.errors import MalformedKeyError
from tests.signed import soft_key


def certificate_of(spki: bytes) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(load_der_public_key(spki))  # pyright: ignore[reportArgumentType]
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    )
    issuer = ec.generate_private_key(ec.SECP256R1())
    return builder.sign(issuer, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("alg", ["ES256", "ES384", "PS256", "EdDSA"])
def test_the_key_in_a_certificate_is_the_enrolled_spki(alg: str) -> None:
    spki = soft_key(alg).spki
    assert certified_spki(certificate_of(spki)) == spki


def test_what_is_no_certificate_is_refused() -> None:
    good = certificate_of(soft_key("ES256").spki)
    for wrong in (b"", b"certificate", good[:-1], good + b"\x00", soft_key("ES256").spki):
        with pytest.raises(MalformedKeyError) as caught:
            certified_spki(wrong)
        assert caught.value.code == "certificate-malformed"
