"""Issue and check bearer tokens: short JWTs that a staff member's own enrolled key signs.

PyJWT reads and writes the compact form here and nowhere else. It accepts repeated members and
takes its time from the machine, so members and times are checked here (RFC 7519, RFC 8725).
"""

import json
from typing import Annotated, Any, Final, Literal, NoReturn, TypeVar, cast

import jwt
import msgspec
from jwt.algorithms import Algorithm as JwtAlgorithm
from typing_extensions import override

from signing.algorithms import ALGORITHMS, Algorithm
from signing.base64url import decode_base64url
from signing.errors import InvalidSignatureError, MalformedTokenError
from signing.keys import Signer, VerifyingKey
from signing.statement import MAX_INTEGER, HashText, OriginText, UuidText

TOKEN_TYPE: Final = "clinledger-token"  # noqa: S105 - a name, no secret
MAX_TOKEN_BYTES: Final = 4 * 1024
MAX_LIFETIME_SECONDS: Final = 300
MAX_CLOCK_SKEW_SECONDS: Final = 60

Seconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    alg: Algorithm
    kid: HashText
    typ: Literal["clinledger-token"]


class _Claims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    sub: UuidText
    aud: OriginText
    iat: Seconds
    exp: Seconds


class TokenClaims(msgspec.Struct, frozen=True, kw_only=True):
    """Who a checked token speaks for.

    Attributes:
        staff: stream of the staff member or device.
        key_id: the enrolled key that signed the token.
        expires_at: seconds since 1970; the token is refused from then on.
    """

    staff: str
    key_id: str
    expires_at: int


class _EnrolledKeyAlgorithm(JwtAlgorithm):
    """Let PyJWT sign with our signers and check with our keys, which know their algorithm."""

    @override
    def prepare_key(self, key: Any) -> Any:
        return key

    @override
    def sign(self, msg: bytes, key: Signer) -> bytes:
        return key.sign(msg)

    @override
    def verify(self, msg: bytes, key: VerifyingKey, sig: bytes) -> bool:
        try:
            key.verify(sig, msg)
        except InvalidSignatureError:
            return False
        return True

    @staticmethod
    @override
    def to_jwk(key_obj: Any, as_dict: bool = False) -> NoReturn:
        raise NotImplementedError  # pragma: no cover - only PyJWT's interface asks for it

    @staticmethod
    @override
    def from_jwk(jwk: Any) -> NoReturn:
        raise NotImplementedError  # pragma: no cover - only PyJWT's interface asks for it


def _build_jws() -> jwt.PyJWS:
    jws = jwt.PyJWS(algorithms=[])  # without `none` and the HMACs
    for alg in ALGORITHMS:
        jws.register_algorithm(alg, _EnrolledKeyAlgorithm())
    return jws


_jws: Final = _build_jws()
_encoder: Final = msgspec.json.Encoder()
_T = TypeVar("_T", _Header, _Claims)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is repeated")
    return members


_strict: Final = json.JSONDecoder(object_pairs_hook=_unique)


def issue_token(
    signer: Signer,
    *,
    staff: str,
    audience: str,
    now_seconds: int,
    lifetime_seconds: int = MAX_LIFETIME_SECONDS,
) -> str:
    """Return a token for ``staff`` at the ledger whose origin is ``audience``.

    Args:
        signer: an enrolled key of this staff member.
        staff: stream of the staff member.
        audience: origin of the ledger.
        now_seconds: seconds since 1970.
        lifetime_seconds: 1 to 300.

    Raises:
        ValueError: the lifetime is out of range.
    """
    if not 0 < lifetime_seconds <= MAX_LIFETIME_SECONDS:
        raise ValueError(f"a token lives 1 to {MAX_LIFETIME_SECONDS} seconds")
    claims = _Claims(sub=staff, aud=audience, iat=now_seconds, exp=now_seconds + lifetime_seconds)
    return _jws.encode(
        _encoder.encode(claims),
        key=cast("Any", signer),
        algorithm=signer.alg,
        headers={"typ": TOKEN_TYPE, "kid": signer.key_id},
    )


def peek_key_id(token: str) -> str:
    """Return the key_id that an unchecked token names, to look the key up.

    Raises:
        MalformedTokenError: ``token-malformed``.
    """
    return _parse_header(token).kid


def verify_token(token: str, key: VerifyingKey, *, audience: str, now_seconds: int) -> TokenClaims:
    """Check a token completely and return whom it speaks for.

    The caller still checks that the key is valid now and belongs to the staff member named.

    Args:
        token: compact JWS.
        key: the enrolled key that `peek_key_id` named.
        audience: origin of this ledger.
        now_seconds: seconds since 1970.

    Raises:
        MalformedTokenError: ``token-malformed``, ``token-algorithm``, ``token-key``,
            ``token-audience``, ``token-lifetime``, ``token-not-yet-valid`` or ``token-expired``.
        InvalidSignatureError: ``signature-invalid``.
    """
    header = _parse_header(token)
    # RFC 8725 §3.1: the key decides the algorithm, never the token.
    if header.alg != key.alg:
        raise MalformedTokenError("token-algorithm", "not the algorithm the key has")
    if header.kid != key.key_id:
        raise MalformedTokenError("token-key", "another key is named")
    try:
        payload = _jws.decode(token, key=cast("Any", key), algorithms=[key.alg])
    except jwt.InvalidSignatureError:
        raise InvalidSignatureError("signature-invalid") from None
    except jwt.InvalidTokenError:
        raise MalformedTokenError("token-malformed", "not a compact JWS") from None
    claims = _parse_members(payload, _Claims)
    _check_claims(claims, audience=audience, now_seconds=now_seconds)
    return TokenClaims(staff=claims.sub, key_id=key.key_id, expires_at=claims.exp)


def _check_claims(claims: _Claims, *, audience: str, now_seconds: int) -> None:
    if claims.aud != audience:
        raise MalformedTokenError("token-audience", "the token is for another ledger")
    if not 0 < claims.exp - claims.iat <= MAX_LIFETIME_SECONDS:
        raise MalformedTokenError(
            "token-lifetime", f"a token lives 1 to {MAX_LIFETIME_SECONDS} seconds"
        )
    if claims.iat > now_seconds + MAX_CLOCK_SKEW_SECONDS:
        raise MalformedTokenError("token-not-yet-valid", "issued in the future")
    if claims.exp <= now_seconds:
        raise MalformedTokenError("token-expired", "ask for a new token")


def _parse_header(token: str) -> _Header:
    if len(token) > MAX_TOKEN_BYTES:
        raise MalformedTokenError("token-malformed", "too long")
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - RFC 7515 §7.1: header, payload, signature
        raise MalformedTokenError("token-malformed", "not a compact JWS")
    try:
        header = decode_base64url(parts[0].encode("ascii"))
    except ValueError:
        raise MalformedTokenError("token-malformed", "not a compact JWS") from None
    return _parse_members(header, _Header)


def _parse_members(data: bytes, kind: type[_T]) -> _T:
    """Parse strict JSON of any member order; RFC 7515 §4: "names within ... MUST be unique"."""
    try:
        return msgspec.convert(_strict.decode(data.decode("ascii")), kind)
    except (ValueError, RecursionError):  # among them UnicodeDecodeError and ValidationError
        raise MalformedTokenError("token-malformed", "not the members of a token") from None
