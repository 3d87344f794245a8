"""Keys of the golden vectors, and signing with them by PyCryptodome; for tests only."""

import hashlib
from pathlib import Path
from typing import Any

from Crypto.Hash import SHA256, SHA384
from Crypto.PublicKey import ECC, RSA
from Crypto.Signature import DSS, eddsa, pkcs1_15, pss

HERE = Path(__file__).parent


def sha256(data: bytes) -> bytes:
    """Return SHA-256."""
    return hashlib.sha256(data).digest()


def fixed(label: str) -> bytes:
    """Return 32 bytes that look random and are always the same."""
    return sha256(b"clinledger test vector: " + label.encode())


def key_of(alg: str) -> Any:  # noqa: ANN401 - PyCryptodome's two key classes share no type
    """Return the private key of an algorithm; the RSA key serves both of its algorithms."""
    if alg in {"PS256", "RS256"}:
        return RSA.import_key((HERE / "rsa-2048-test-key.pem").read_bytes())
    if alg == "EdDSA":
        return ECC.construct(curve="Ed25519", seed=fixed(alg))
    curve = {"ES256": "P-256", "ES384": "P-384"}[alg]
    return ECC.construct(curve=curve, d=int.from_bytes(fixed(alg), "big"))


def spki_of(alg: str) -> bytes:
    """Return the public key, SubjectPublicKeyInfo DER."""
    public = key_of(alg).public_key()
    return (
        public.export_key("DER") if alg in {"PS256", "RS256"} else public.export_key(format="DER")
    )


def sign(alg: str, message: bytes) -> bytes:
    """Return the raw signature; all are deterministic (PSS by a fixed salt)."""
    key = key_of(alg)
    match alg:
        case "ES256":
            return DSS.new(key, "deterministic-rfc6979").sign(SHA256.new(message))
        case "ES384":
            return DSS.new(key, "deterministic-rfc6979").sign(SHA384.new(message))
        case "PS256":
            signer = pss.new(key, salt_bytes=32, rand_func=lambda n: fixed("PSS salt")[:n])
            return signer.sign(SHA256.new(message))
        case "RS256":
            return pkcs1_15.new(key).sign(SHA256.new(message))
        case _:
            return eddsa.new(key, "rfc8032").sign(message)


def private_of(alg: str) -> bytes:
    """Return the private key, PKCS#8 DER."""
    key = key_of(alg)
    if alg in {"PS256", "RS256"}:
        return key.export_key("DER", pkcs=8)
    return key.export_key(format="DER", use_pkcs8=True)
