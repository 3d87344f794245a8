"""Know who calls, and what they may do: deny by default.

A bearer token is a JWT that an enrolled key signed for this ledger (docs/format.md, Token). Its
signature is checked once and remembered until it expires; the key is looked up in the directory
on every request, so that a revocation bites at once.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request

from api.errors import NotAllowedError, NotAuthenticatedError
from ledger.clock import Clock
from ledger.roles import Role, StaffKind
from ledger.state import DirectoryState, KeyState
from signing.errors import SigningError
from signing.keys import VerifyingKey, load_verifying_key
from signing.tokens import TokenClaims, peek_key_id, verify_token

CLINICAL_READERS: Final[frozenset[Role]] = frozenset(
    {
        "doctor",
        "nurse",
        "pharmacist",
        "laboratory",
        "imaging",
        "his",
        "registrar",
        "auditor",
        "archivist",
    }
)
"""Who may read all records of the facility; finer rights come with the access issue."""

FINDERS: Final = CLINICAL_READERS | frozenset[Role]({"monitor"})
"""Who may ask which record or order has an identifier; a monitor reads nothing else."""

SUBMITTERS_FOR_OTHERS: Final[frozenset[Role]] = frozenset(
    {"his", "laboratory", "imaging", "monitor"}
)
"""Roles with which a device may submit events that others signed."""

_CACHED_TOKENS: Final = 10_000
_CACHED_KEYS: Final = 10_000
K = TypeVar("K")
V = TypeVar("V")


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever is authenticated.

    Attributes:
        staff: stream of the person or device.
        key_id: of the key that signed the token.
        expires_at: of the token, seconds since 1970.
    """

    staff: str
    kind: StaffKind
    roles: frozenset[Role]
    key_id: str
    expires_at: int

    def require(self, roles: frozenset[Role]) -> None:
        """Refuse unless one of the roles is held.

        Raises:
            NotAllowedError: `role-missing`.
        """
        if not self.roles & roles:
            raise NotAllowedError("role-missing", detail="none of the roles that may do this")

    def require_may_submit_for(self, signer: str) -> None:
        """Refuse to carry other people's events, unless a device does it.

        Raises:
            NotAllowedError: `signer-other`.
        """
        if signer == self.staff:
            return
        if self.kind == "device" and self.roles & SUBMITTERS_FOR_OTHERS:
            return
        raise NotAllowedError("signer-other", detail="only devices submit what others signed")


class Authenticator:
    """Turns bearer tokens into principals. Lives in the event loop; its caches are bounded."""

    def __init__(
        self, directory: Callable[[], DirectoryState], *, origin: str, clock: Clock
    ) -> None:
        """Look keys up in the current directory of the ledger with this origin."""
        self._directory = directory
        self._origin = origin
        self._clock = clock
        self._tokens: OrderedDict[bytes, TokenClaims] = OrderedDict()
        self._keys: OrderedDict[tuple[str, str], VerifyingKey] = OrderedDict()

    def authenticate(self, request: Request) -> Principal:
        """Return who sent a request.

        Raises:
            NotAuthenticatedError: no token, a bad one, or one of a key that is not valid now.
        """
        token = _bearer(request)
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._tokens.get(digest)
        if claims is None:
            claims = self._verify(token)
            _remember(self._tokens, digest, claims, _CACHED_TOKENS)
        elif claims.expires_at <= self._clock.now_ms() // 1000:
            del self._tokens[digest]
            raise NotAuthenticatedError("token-expired", detail="ask for a new token")
        key = self._valid_key(claims.key_id)
        member = self._directory().staff.get(claims.staff)
        if member is None or key.staff != claims.staff:
            raise NotAuthenticatedError("token-key", detail="the key is not this member's")
        return Principal(
            staff=claims.staff,
            kind=member.kind,
            roles=frozenset(member.roles),
            key_id=claims.key_id,
            expires_at=claims.expires_at,
        )

    def _verify(self, token: str) -> TokenClaims:
        try:
            key = self._valid_key(peek_key_id(token))
            return verify_token(
                token,
                self._loaded(key),
                audience=self._origin,
                now_seconds=self._clock.now_ms() // 1000,
            )
        except SigningError as error:
            raise NotAuthenticatedError(error.code, detail=error.detail) from None

    def _valid_key(self, key_id: str) -> KeyState:
        key = self._directory().key_for(key_id)
        if key is None:
            raise NotAuthenticatedError("key-unknown", detail="the key is not enrolled here")
        if key.revoked_at_position is not None:
            raise NotAuthenticatedError("key-revoked", detail="the key was revoked")
        return key

    def _loaded(self, key: KeyState) -> VerifyingKey:
        name = (key.key_id, key.alg)
        loaded = self._keys.get(name)
        if loaded is None:
            loaded = load_verifying_key(key.spki, key.alg)
            _remember(self._keys, name, loaded, _CACHED_KEYS)
        return loaded


def _bearer(request: Request) -> str:
    # As the server gives them, in lower case (ASGI): making `request.headers` takes longer.
    given = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if not given:
        raise NotAuthenticatedError("token-missing", detail="send Authorization: Bearer TOKEN")
    scheme, _, token = given[0].decode("latin-1").partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not token.isascii():
        raise NotAuthenticatedError("token-malformed", detail="send one Bearer token")
    return token.strip()


def _remember(cache: OrderedDict[K, V], name: K, value: V, capacity: int) -> None:
    cache[name] = value
    while len(cache) > capacity:
        cache.popitem(last=False)
