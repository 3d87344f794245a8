"""Read public keys, certificates and possession proofs from directory documents."""

import base64
import binascii

import msgspec

from ledger.profiles.agreement import reject
from ledger.profiles.facts import EnrolledKey
from signing.certificates import certified_spki
from signing.errors import SigningError
from signing.keys import load_verifying_key
from signing.notes import Ed25519Verifier
from signing.possession import verify_possession
from signing.vkeys import TYPE_ED25519, VerifierKey, parse_vkey


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
    """Read a C2SP signed-note verifier key (Ed25519) of this origin; return its SPKI DER.

    Raises:
        ContentRejectedError: `checkpoint-key-malformed` or `base64-malformed`.
    """
    decode_base64(text.partition("+")[2].partition("+")[2], pointer)
    try:
        verifier = Ed25519Verifier(parse_vkey(text))
    except SigningError as error:
        raise reject("checkpoint-key-malformed", pointer, error.code) from None
    if verifier.vkey.name != origin:
        raise reject("checkpoint-key-malformed", pointer, "not a key of this origin")
    return verifier.spki


def format_verifier_key(origin: str, public_key: bytes) -> str:
    """Write the verifier key of an Ed25519 public key (32 bytes) for a founding document."""
    return str(VerifierKey(name=origin, type=TYPE_ED25519, public_key=public_key))
