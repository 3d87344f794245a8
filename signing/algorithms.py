"""Name the signature algorithms and make their checks; signatures are raw as in JWS (RFC 7518).

ECDSA signatures are r || s of fixed length, never DER; PSS salts are as long as the hash.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from signing.errors import InvalidSignatureError, MalformedKeyError

Algorithm = Literal["ES256", "ES384", "PS256", "RS256", "EdDSA"]
ALGORITHMS: Final[tuple[Algorithm, ...]] = get_args(Algorithm)

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
Check = Callable[[bytes, bytes], None]
"""Takes signature and message; raises ``cryptography.exceptions.InvalidSignature``."""

# RFC 7518 §3.4: curve, coordinate length in bytes, hash.
CURVES: Final[Mapping[str, tuple[str, int, hashes.HashAlgorithm]]] = MappingProxyType(
    {
        "ES256": ("secp256r1", 32, hashes.SHA256()),
        "ES384": ("secp384r1", 48, hashes.SHA384()),
    }
)
# RFC 7518 §3.5: "The size of the salt value is the same size as the hash function output."
PSS_SHA256: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


def algorithm_named(name: str) -> Algorithm:
    """Return the algorithm of this exact name.

    Raises:
        MalformedKeyError: ``key-algorithm``; ``none`` and every unlisted name end here.
    """
    for algorithm in ALGORITHMS:
        if algorithm == name:
            return algorithm
    raise MalformedKeyError("key-algorithm", "the algorithm is not one of this ledger's")


def check_for(alg: Algorithm, key: PublicKey) -> Check:
    """Return the check of raw signatures of this algorithm by this key.

    Raises:
        MalformedKeyError: ``key-algorithm`` or ``key-curve`` when the key is not of the kind.
    """
    match alg, key:
        case (("ES256" | "ES384"), ec.EllipticCurvePublicKey()):
            return _ecdsa_check(alg, key)
        case "PS256", rsa.RSAPublicKey():
            return lambda signature, message: key.verify(
                signature, message, PSS_SHA256, hashes.SHA256()
            )
        case "RS256", rsa.RSAPublicKey():
            pkcs1 = padding.PKCS1v15()
            return lambda signature, message: key.verify(signature, message, pkcs1, hashes.SHA256())
        case "EdDSA", ed25519.Ed25519PublicKey():
            return key.verify
        case _:
            raise MalformedKeyError("key-algorithm", "the key is not of the algorithm's kind")


def _ecdsa_check(alg: Algorithm, key: ec.EllipticCurvePublicKey) -> Check:
    curve, length, digest = CURVES[alg]
    if key.curve.name != curve:
        raise MalformedKeyError("key-curve", "the key's curve is not the algorithm's")
    ecdsa = ec.ECDSA(digest)

    def check(signature: bytes, message: bytes) -> None:
        # RFC 7518 §3.4: a signature of any other length MUST fail. A high s is accepted: tokens
        # produce it, and nothing here takes a signature's bytes for an identity.
        if len(signature) != 2 * length:
            raise InvalidSignatureError("signature-invalid", "wrong length")
        r = int.from_bytes(signature[:length])
        s = int.from_bytes(signature[length:])
        key.verify(utils.encode_dss_signature(r, s), message, ecdsa)

    return check
