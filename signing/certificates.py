"""Read the public key out of an X.509 certificate (RFC 5280 §4.1.2.7)."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signing.errors import MalformedKeyError


def certified_spki(certificate: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo DER of a certificate's subject.

    Checks neither the issuer's signature nor dates: a certificate is judged where it is relied on.

    Args:
        certificate: DER.

    Raises:
        MalformedKeyError: ``certificate-malformed``.
    """
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise MalformedKeyError("certificate-malformed") from None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
