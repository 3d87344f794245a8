"""Make the nonces that possession proofs are made over, without remembering any.

A nonce is base64url of `random (16) || expiry, seconds since 1970 (8) || HMAC-SHA-256 (32)`; the
HMAC binds it to the ledger and the staff member. That none serves twice is for the rules: `decide`
refuses a nonce that any enrolment of the ledger has used.
"""

import hashlib
import hmac
from typing import Final

import msgspec

from api.errors import BodyInvalidError
from signing.base64url import decode_base64url, encode_base64url

SECRET_BYTES: Final = 32
LIFETIME_SECONDS: Final = 600
_RANDOM_BYTES: Final = 16
_LENGTH: Final = _RANDOM_BYTES + 8 + 32


class NonceMint:
    """Issues nonces and recognises its own, under a secret that lives as long as the process."""

    def __init__(self, secret: bytes, *, origin: str) -> None:
        """Take 32 fresh random bytes and the ledger's origin."""
        self._secret = hashlib.sha256(b"clinledger/possession-nonce/v1\n" + secret).digest()
        self._origin = origin.encode()

    def __repr__(self) -> str:
        """Show nothing: it holds a secret."""
        return "NonceMint()"

    def issue(self, staff: str, *, randomness: bytes, now_seconds: int) -> tuple[str, int]:
        """Return a nonce for a staff member and when it expires.

        Args:
            staff: stream of the staff member.
            randomness: 16 fresh random bytes.
            now_seconds: seconds since 1970, as is the expiry.
        """
        expires_at = now_seconds + LIFETIME_SECONDS
        head = randomness + expires_at.to_bytes(8)
        nonce = encode_base64url(head + self._mac(head, staff))
        return nonce.decode(), expires_at

    def check(self, nonce: str, *, staff: str, now_seconds: int) -> None:
        """Check that this server issued the nonce for this staff member, lately.

        Raises:
            BodyInvalidError: `nonce-unknown` or `nonce-expired`.
        """
        try:
            data = decode_base64url(nonce.encode())
        except ValueError:  # UnicodeEncodeError, for lone surrogates, is one too
            data = b""
        head, mac = data[: _RANDOM_BYTES + 8], data[_RANDOM_BYTES + 8 :]
        if len(data) != _LENGTH or not hmac.compare_digest(mac, self._mac(head, staff)):
            raise BodyInvalidError("nonce-unknown", "/content", "not a nonce of this server")
        if int.from_bytes(head[_RANDOM_BYTES:]) <= now_seconds:
            raise BodyInvalidError("nonce-expired", "/content", "ask for a new nonce")

    def _mac(self, head: bytes, staff: str) -> bytes:
        return hmac.digest(
            self._secret, head + staff.encode() + b"\n" + self._origin, hashlib.sha256
        )


class _EnrolledKey(msgspec.Struct, frozen=True, kw_only=True):
    possession: str


class _Claim(msgspec.Struct, frozen=True, kw_only=True):
    nonce: str
    staff: str


def peek_possession(content: bytes) -> tuple[str, str] | None:
    """Return nonce and staff member of the possession proof in a key-enrolled content, unchecked.

    None when there is no such thing in it; what is wrong then is admission's to say.
    """
    try:
        proof = msgspec.json.decode(content, type=_EnrolledKey).possession
        payload = proof.split(".")[1]
        claim = decode_base64url(payload.encode())
        claimed = msgspec.json.decode(claim, type=_Claim)
    except (msgspec.DecodeError, ValueError, IndexError, RecursionError):
        return None
    return claimed.nonce, claimed.staff
