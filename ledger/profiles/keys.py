"""Read public keys, certificates and possession proofs from directory documents."""

import base64
import binascii
import hashlib
from typing import Final

import msgspec

from ledger.profiles.agreement import reject
from ledger.profiles.facts import EnrolledKey
from signing.certificates import certified_spki
from signing.errors import SigningError
from signing.keys import load_verifying_key
from signing.possession import verify_possession

_ED25519_SPKI_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")  # RFC 8410 §4
_NOTE_ED25519: Final = b"\x01"  # c2sp.org/signed-note: signature type of Ed25519
_NOTE_KEY_BYTES: Final = 33
_NOTE_ID_BYTES: Final = 4


class ProvedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as a document states it.

    Attributes:
        alg: JWS algorithm name.
        spki: SubjectPublicKeyInfo, DER in base64.
        possession: the proof's text.
        certificate: DER, or None.
    """

    alg: str
    spki: str
    possession: str
    certificate: bytes | None = None


def decode_base64(text: str, pointer: str) -> bytes:
    """Decode standard base64 with padding in its only spelling (`base64-malformed`)."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise reject("base64-malformed", pointer) from None
    if base64.b64encode(data).decode() != text:
        raise reject("base64-malformed", pointer, "not the canonical spelling")
    return data


def read_key(proved: ProvedKey, *, origin: str, staff: str, pointer: str) -> EnrolledKey:
    """Check a key, its possession proof and its certificate.

    Raises:
        ContentRejectedError: a `key-…` code of `signing.keys`, `possession-malformed`,
            `possession-mismatch`, `possession-signature`, `certificate-malformed` or
            `certificate-mismatch`.
    """
    spki = decode_base64(proved.spki, f"{pointer}/spki")
    try:
        key = load_verifying_key(spki, proved.alg)
    except SigningError as error:
        raise reject(error.code, f"{pointer}/spki", error.detail) from None
    try:
        nonce = verify_possession(
            proved.possession.encode(errors="replace"), key, origin=origin, staff=staff
        )
    except SigningError as error:
        forged = error.code == "signature-invalid"
        raise reject(
            "possession-signature" if forged else error.code, f"{pointer}/possession", error.detail
        ) from None
    if proved.certificate is not None:
        _check_certificate(proved.certificate, spki, f"{pointer}/certificate")
    return EnrolledKey(
        key_id=key.key_id,
        alg=key.alg,
        spki=spki,
        staff=staff,
        nonce=nonce,
        certificate=proved.certificate,
    )


def _check_certificate(certificate: bytes, spki: bytes, pointer: str) -> None:
    """Demand a certificate of the same key; its chain and dates are judged when it is used."""
    try:
        found = certified_spki(certificate)
    except SigningError as error:
        raise reject(error.code, pointer) from None
    if found != spki:
        raise reject("certificate-mismatch", pointer, "the certificate is of another key")


def read_verifier_key(text: str, origin: str, pointer: str) -> bytes:
    """Read a C2SP signed-note verifier key of this origin; return its SPKI DER.

    c2sp.org/signed-note: `<name>+<id>+<base64(type || key)>`, where the id is the first four
    bytes of SHA-256(name || 0x0A || type || key) in hex.

    Raises:
        ContentRejectedError: `checkpoint-key-malformed`.
    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    key = decode_base64(encoded, pointer)
    digest = hashlib.sha256(name.encode() + b"\n" + key).digest()
    if (
        name != origin
        or len(key) != _NOTE_KEY_BYTES
        or not key.startswith(_NOTE_ED25519)
        or key_id != digest[:_NOTE_ID_BYTES].hex()
    ):
        raise reject("checkpoint-key-malformed", pointer, "not an Ed25519 verifier key of it")
    spki = _ED25519_SPKI_PREFIX + key[1:]
    try:
        load_verifying_key(spki, "EdDSA")
    except SigningError as error:
        raise reject("checkpoint-key-malformed", pointer, error.code) from None
    return spki


def format_verifier_key(origin: str, public_key: bytes) -> str:
    """Write the verifier key of an Ed25519 public key (32 bytes) for a founding document."""
    key = _NOTE_ED25519 + public_key
    digest = hashlib.sha256(origin.encode() + b"\n" + key).digest()
    return f"{origin}+{digest[:_NOTE_ID_BYTES].hex()}+{base64.b64encode(key).decode()}"
