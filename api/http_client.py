"""Be a client of a running server: the one that other programs could write too."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import httpx2
import msgspec
from typing_extensions import override

from api.client import LedgerClient, LedgerInfo
from api.event_json import submission_json
from api.ledger_schemas import LedgerInfo as ServedLedger
from api.problems import TYPE_PREFIX, Problem
from api.schemas import EventReceipt, PossessionNonce, StoredEvent
from ledger.clock import Clock
from ledger.errors import (
    CommandRefusedError,
    ContentRejectedError,
    EventConflictError,
    LedgerError,
    NotFoundError,
    RejectedError,
    SubmissionRejectedError,
    UnavailableError,
)
from ledger.submitted import SubmittedEvent
from signing.keys import Signer
from signing.statement import Seen, statement_digest
from signing.tokens import MAX_LIFETIME_SECONDS, issue_token

MAX_CONNECTIONS: Final = 64
_TIMEOUT_SECONDS: Final = 60.0
_RENEW_SECONDS: Final = 60
_UNAUTHENTICATED: Final = 401
_SERVER_FAULT: Final = 500
_ERRORS: Final[Mapping[str, type[RejectedError]]] = {
    "submission-rejected": SubmissionRejectedError,
    "content-rejected": ContentRejectedError,
    "command-refused": CommandRefusedError,
    "not-found": NotFoundError,
}
_receipt: Final = msgspec.json.Decoder(EventReceipt)
_ledger: Final = msgspec.json.Decoder(ServedLedger)
_event: Final = msgspec.json.Decoder(StoredEvent)
_nonce: Final = msgspec.json.Decoder(PossessionNonce)
_problem: Final = msgspec.json.Decoder(Problem)


class HttpLedgerClient(LedgerClient):
    """Speaks HTTP to a server as one member of staff, whose key signs the tokens."""

    def __init__(self, http: httpx2.AsyncClient, *, staff: str, key: Signer, clock: Clock) -> None:
        """Use an HTTP client whose base URL is the server's; `close` closes it."""
        self._http = http
        self._clock = clock
        self._origin = ""
        self._staff = staff
        self._key = key
        self._token = ""
        self._renew_at = 0
        self._some_at_a_time = asyncio.Semaphore(MAX_CONNECTIONS)

    @classmethod
    async def connect(cls, url: str, *, staff: str, key: Signer, clock: Clock) -> Self:
        """Connect to the server at a URL.

        Args:
            url: such as `http://127.0.0.1:8080`.
            staff: stream of the member of staff to be; a device (his) to submit for others.
            key: one of their enrolled keys.
            clock: dates the tokens.

        Raises:
            UnavailableError: no server answers there.
        """
        http = httpx2.AsyncClient(
            base_url=url,
            timeout=_TIMEOUT_SECONDS,
            limits=httpx2.Limits(max_connections=MAX_CONNECTIONS),
        )
        client = cls(http, staff=staff, key=key, clock=clock)
        try:
            await client.ledger_info()
        except LedgerError:
            await http.aclose()
            raise
        return client

    @override
    async def ledger_info(self) -> LedgerInfo:
        served = _ledger.decode(await self._ask("GET", "/v1/ledger", public=True))
        self._origin = served.origin  # whom the tokens are for
        return LedgerInfo(
            origin=served.origin, head=Seen(root=served.head.root, size=served.head.size)
        )

    @override
    async def submit(self, event: SubmittedEvent) -> EventReceipt:
        body = msgspec.json.encode(submission_json(event))
        return _receipt.decode(await self._ask("POST", "/v1/events", body))

    @override
    async def known_events(self, event_ids: Sequence[str]) -> Mapping[str, str]:
        found = await asyncio.gather(*(self._known_event(event_id) for event_id in event_ids))
        pairs = zip(event_ids, found, strict=True)
        return {event_id: digest for event_id, digest in pairs if digest is not None}

    @override
    async def possession_nonce(self, staff: str) -> str:
        path = f"/v1/staff/{staff}/possession-nonces"
        return _nonce.decode(await self._ask("POST", path)).nonce

    @override
    async def close(self) -> None:
        await self._http.aclose()

    async def _known_event(self, event_id: str) -> str | None:
        try:
            event = _event.decode(await self._ask("GET", f"/v1/events/{event_id}"))
        except NotFoundError:
            return None
        return statement_digest(event.statement.encode()).hex()

    async def _ask(
        self, method: str, path: str, body: bytes | None = None, *, public: bool = False
    ) -> bytes:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if not public:
            headers["Authorization"] = f"Bearer {self._valid_token()}"
        try:
            async with self._some_at_a_time:
                answer = await self._http.request(method, path, content=body, headers=headers)
        except httpx2.TransportError as error:
            raise UnavailableError(f"the server does not answer: {type(error).__name__}") from None
        if answer.is_success:
            return answer.content
        if answer.status_code == _UNAUTHENTICATED:
            self._renew_at = 0  # a server restarted with another clock: the next token is fresh
        raise _error_of(answer)

    def _valid_token(self) -> str:
        now = self._clock.now_ms() // 1000
        if now >= self._renew_at:
            self._token = issue_token(
                self._key, staff=self._staff, audience=self._origin, now_seconds=now
            )
            self._renew_at = now + MAX_LIFETIME_SECONDS - _RENEW_SECONDS
        return self._token


def _error_of(answer: httpx2.Response) -> LedgerError:
    """Return the error that the server's problem stands for, as if it had been raised here."""
    if answer.status_code >= _SERVER_FAULT:
        wait = answer.headers.get("retry-after", "")
        return UnavailableError(
            f"the server answers {answer.status_code}",
            retry_after_seconds=int(wait) if wait.isdigit() else 1,
        )
    try:
        problem = _problem.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return RejectedError("answer-not-understood", "", f"HTTP {answer.status_code}")
    code = problem.type.removeprefix(TYPE_PREFIX)
    if code == "event-id-taken":
        return EventConflictError()
    fault: Any = problem.errors[0] if problem.errors else None
    kind = _ERRORS.get(code, RejectedError)
    if fault is None:
        return kind(code, "", problem.title)
    return kind(fault.code, fault.pointer, problem.detail or problem.title)
