"""Prove possession of a private key at enrolment, once, for one ledger and one staff member.

A proof is a compact JWS (RFC 7515 §7.1) over a strict JSON claim, with a ``typ`` and a payload form
that no statement's container has: neither can be made from the other (docs/format.md, Possession).
"""

from typing import Annotated, Final, Literal

import msgspec

from signing.algorithms import Algorithm
from signing.base64url import decode_base64url, encode_base64url
from signing.errors import MalformedTokenError
from signing.keys import Signer, VerifyingKey
from signing.statement import HashText, OriginText, UuidText

POSSESSION_FORMAT: Final = "clinledger/possession/v1"
MAX_POSSESSION_BYTES: Final = 4 * 1024
NONCE_PATTERN: Final = r"^[ !#-\[\]-~]{1,128}$(?!\n)"  # printable ASCII without `"` and `\`


class PossessionClaim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a possession proof says; the fields stand in the order of their canonical encoding.

    Attributes:
        alg: algorithm that the key is to be enrolled for.
        format: constant.
        key_id: the key that signs the claim.
        nonce: chosen by whoever asks for the proof; never accepted twice in one ledger.
        origin: of the ledger.
        staff: stream of the staff member or device.
    """

    alg: Algorithm
    format: Literal["clinledger/possession/v1"]
    key_id: HashText
    nonce: Annotated[str, msgspec.Meta(pattern=NONCE_PATTERN)]
    origin: OriginText
    staff: UuidText


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(PossessionClaim)


def build_possession(signer: Signer, *, origin: str, staff: str, nonce: str) -> bytes:
    """Sign the claim that the signer's key belongs to this staff member of this ledger.

    Raises:
        MalformedTokenError: ``possession-malformed``: a value that no claim may have.
    """
    claim = _encoder.encode(
        PossessionClaim(
            alg=signer.alg,
            format=POSSESSION_FORMAT,
            key_id=signer.key_id,
            nonce=nonce,
            origin=origin,
            staff=staff,
        )
    )
    _parse_claim(claim)
    signing_input = _protected(signer.alg) + b"." + encode_base64url(claim)
    return signing_input + b"." + encode_base64url(signer.sign(signing_input))


def verify_possession(proof: bytes, key: VerifyingKey, *, origin: str, staff: str) -> str:
    """Check a possession proof and return its nonce, which the caller checks for first use.

    Raises:
        MalformedTokenError: ``possession-malformed``, or ``possession-mismatch`` when it speaks of
            another key, algorithm, ledger or staff member.
        InvalidSignatureError: ``signature-invalid``.
    """
    if len(proof) > MAX_POSSESSION_BYTES:
        raise MalformedTokenError("possession-malformed", "too long")
    header, payload, signature = _split(proof)
    if header != _protected(key.alg):
        raise MalformedTokenError("possession-malformed", "not the protected header of this key")
    claim = _parse_claim(payload)
    if (claim.key_id, claim.alg) != (key.key_id, key.alg):
        raise MalformedTokenError("possession-mismatch", "another key", pointer="/key_id")
    if claim.origin != origin:
        raise MalformedTokenError("possession-mismatch", "another ledger", pointer="/origin")
    if claim.staff != staff:
        raise MalformedTokenError("possession-mismatch", "another staff member", pointer="/staff")
    key.verify(signature, proof[: proof.rindex(b".")])
    return claim.nonce


def _protected(alg: Algorithm) -> bytes:
    return encode_base64url(f'{{"alg":"{alg}","typ":"clinledger-possession"}}'.encode("ascii"))


def _split(proof: bytes) -> tuple[bytes, bytes, bytes]:
    try:
        header, payload, signature = proof.split(b".")
        return header, decode_base64url(payload), decode_base64url(signature)
    except ValueError:
        raise MalformedTokenError("possession-malformed", "not a compact JWS") from None


def _parse_claim(data: bytes) -> PossessionClaim:
    try:
        claim = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise MalformedTokenError("possession-malformed", "not of the schema") from None
    if _encoder.encode(claim) != data:
        raise MalformedTokenError("possession-malformed", "not the only permitted spelling")
    return claim
