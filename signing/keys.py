"""Load and check public keys for enrolment, and sign with soft keys."""

import hashlib
from typing import Final, Protocol, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils
from typing_extensions import override

from signing.algorithms import (
    CURVES,
    PSS_SHA256,
    Algorithm,
    Check,
    PublicKey,
    algorithm_named,
    check_for,
)
from signing.edwards import check_edwards_point
from signing.errors import InvalidSignatureError, MalformedKeyError

MAX_SPKI_BYTES: Final = 2048
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192  # above it one check costs milliseconds: a way to stop a server
MIN_RSA_EXPONENT: Final = 65537
MAX_RSA_EXPONENT: Final = 2**32 - 1  # for the same reason

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def key_id_of(spki: bytes) -> str:
    """Return the key's name: SHA-256 of its SubjectPublicKeyInfo DER, lower-case hex."""
    return hashlib.sha256(spki).hexdigest()


class VerifyingKey:
    """A public key that passed the enrolment checks, bound to its one algorithm.

    Immutable and safe to share between threads. Made by `load_verifying_key`.

    Attributes:
        key_id: SHA-256 of ``spki``, lower-case hex.
        alg: the only algorithm this key's signatures are checked with.
        spki: SubjectPublicKeyInfo, DER.
    """

    __slots__ = ("_check", "alg", "key_id", "spki")

    def __init__(self, *, spki: bytes, alg: Algorithm, check: Check) -> None:
        self.spki: Final = spki
        self.alg: Final = alg
        self.key_id: Final = key_id_of(spki)
        self._check: Final = check

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check a raw JWS-form signature (ECDSA: r || s) over a message.

        Raises:
            InvalidSignatureError: ``signature-invalid``.
        """
        try:
            self._check(signature, message)
        except InvalidSignature:
            raise InvalidSignatureError("signature-invalid") from None

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VerifyingKey):
            return NotImplemented
        return self.spki == other.spki and self.alg == other.alg

    @override
    def __hash__(self) -> int:
        return hash((self.spki, self.alg))

    @override
    def __repr__(self) -> str:
        return f"VerifyingKey({self.key_id}, {self.alg})"


def load_verifying_key(spki: bytes, alg: str) -> VerifyingKey:
    """Load a public key with every check of enrolment (docs/format.md, Keys).

    Args:
        spki: SubjectPublicKeyInfo in the one DER form that encoding it again gives.
        alg: the algorithm it is enrolled for.

    Raises:
        MalformedKeyError: ``key-malformed``, ``key-algorithm``, ``key-curve``, ``key-too-small``,
            ``key-too-large``, ``key-exponent`` or ``key-small-order``.
    """
    algorithm = algorithm_named(alg)
    key = _decode_spki(spki)
    check = check_for(algorithm, key)
    match key:
        case rsa.RSAPublicKey():
            _check_rsa(key)
        case ed25519.Ed25519PublicKey():
            check_edwards_point(key.public_bytes_raw())
        case _:
            pass  # decoding has checked that the point is on its curve and not at infinity
    return VerifyingKey(spki=spki, alg=algorithm, check=check)


def _decode_spki(spki: bytes) -> PublicKey:
    if len(spki) > MAX_SPKI_BYTES:
        raise MalformedKeyError("key-malformed", f"longer than {MAX_SPKI_BYTES} bytes")
    try:
        key = serialization.load_der_public_key(spki)
    except UnsupportedAlgorithm:
        raise MalformedKeyError("key-algorithm", "not a kind of key that is known") from None
    except ValueError:
        raise MalformedKeyError("key-malformed", "not a SubjectPublicKeyInfo") from None
    if not isinstance(key, PublicKey):
        raise MalformedKeyError("key-algorithm", "not a kind of key that is enrolled")
    # One key must have one key_id, so compressed points, explicit curve parameters, RSA-PSS
    # identifiers and other spellings of the same key are refused.
    if _encode_spki(key) != spki:
        raise MalformedKeyError("key-malformed", "not the canonical encoding")
    return key


def _encode_spki(key: PublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _check_rsa(key: rsa.RSAPublicKey) -> None:
    if key.key_size < MIN_RSA_BITS:
        raise MalformedKeyError("key-too-small", f"RSA under {MIN_RSA_BITS} bits")
    if key.key_size > MAX_RSA_BITS:
        raise MalformedKeyError("key-too-large", f"RSA over {MAX_RSA_BITS} bits")
    exponent = key.public_numbers().e
    # Loading has refused even exponents.
    if not MIN_RSA_EXPONENT <= exponent <= MAX_RSA_EXPONENT:
        raise MalformedKeyError("key-exponent", "the RSA exponent is not permitted")


class Signer(Protocol):
    """Whatever holds a private key: a soft key, a token, a remote service."""

    @property
    def key_id(self) -> str:
        """Return SHA-256 of ``spki``, lower-case hex."""
        ...

    @property
    def alg(self) -> Algorithm:
        """Return the algorithm that `sign` uses."""
        ...

    @property
    def spki(self) -> bytes:
        """Return the public key, SubjectPublicKeyInfo DER."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the raw JWS-form signature over the message (not over a digest of it)."""
        ...


class SoftKey(Signer):
    """A private key in memory, stored as PKCS#8 PEM.

    ECDSA nonces are derived from key and message (RFC 6979): a poor random source cannot betray
    the key, and signing the same statement again gives the same container.
    """

    def __init__(self, private: PrivateKey) -> None:
        self._private: Final = private
        self._alg: Final = _algorithm_of(private)
        self._public: Final = load_verifying_key(_encode_spki(private.public_key()), self._alg)

    @classmethod
    def generate(cls, alg: str) -> Self:
        """Make a new key; RSA keys have 3072 bits.

        Raises:
            MalformedKeyError: ``key-algorithm`` for unknown names and for RS256, which is accepted
                from old tokens but never made here.
        """
        match algorithm_named(alg):
            case "ES256":
                return cls(ec.generate_private_key(ec.SECP256R1()))
            case "ES384":
                return cls(ec.generate_private_key(ec.SECP384R1()))
            case "PS256":
                return cls(rsa.generate_private_key(public_exponent=65537, key_size=3072))
            case "EdDSA":
                return cls(ed25519.Ed25519PrivateKey.generate())
            case _:
                raise MalformedKeyError("key-algorithm", "no key is made for RS256")

    @classmethod
    def from_pem(cls, pem: bytes, passphrase: bytes | None) -> Self:
        """Load a PKCS#8 PEM; the algorithm follows from the key (RSA: PS256).

        Raises:
            MalformedKeyError: not a usable private key, or the passphrase does not open it.
        """
        try:
            private = serialization.load_pem_private_key(pem, passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise MalformedKeyError("key-malformed", "the PEM cannot be opened") from None
        if not isinstance(private, PrivateKey):
            raise MalformedKeyError("key-algorithm", "not a kind of key that is enrolled")
        return cls(private)

    def to_pem(self, passphrase: bytes | None) -> bytes:
        """Return PKCS#8 PEM, encrypted when a passphrase is given."""
        encryption = (
            serialization.NoEncryption()
            if passphrase is None
            else serialization.BestAvailableEncryption(passphrase)
        )
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )

    @property
    @override
    def key_id(self) -> str:
        return self._public.key_id

    @property
    @override
    def alg(self) -> Algorithm:
        return self._alg

    @property
    @override
    def spki(self) -> bytes:
        return self._public.spki

    @property
    def verifying_key(self) -> VerifyingKey:
        """Return the public half."""
        return self._public

    @override
    def sign(self, message: bytes) -> bytes:
        private = self._private
        match private:
            case ec.EllipticCurvePrivateKey():
                _, length, digest = CURVES[self._alg]
                der = private.sign(message, ec.ECDSA(digest, deterministic_signing=True))
                r, s = utils.decode_dss_signature(der)
                return r.to_bytes(length) + s.to_bytes(length)
            case rsa.RSAPrivateKey():
                return private.sign(message, PSS_SHA256, hashes.SHA256())
            case _:
                return private.sign(message)

    @override
    def __repr__(self) -> str:
        return f"SoftKey({self.key_id})"


def _algorithm_of(private: PrivateKey) -> Algorithm:
    match private:
        case ec.EllipticCurvePrivateKey():
            for alg in ("ES256", "ES384"):
                if CURVES[alg][0] == private.curve.name:
                    return alg
            raise MalformedKeyError("key-curve", "the curve belongs to no algorithm")
        case rsa.RSAPrivateKey():
            return "PS256"
        case _:
            return "EdDSA"
