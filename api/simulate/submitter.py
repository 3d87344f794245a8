"""Sign events and get them acknowledged, through outages and retries."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from api.client import LedgerClient
from api.schemas import EventReceipt
from ledger.clock import Clock
from ledger.draft import Draft, sign_event
from ledger.errors import EventConflictError, UnavailableError
from signing.keys import Signer
from signing.statement import Seen, statement_digest

PATIENCE_SECONDS: Final = 60.0
_HEAD_SECONDS: Final = 1.0
_SALT_BYTES: Final = 32
_Answer = TypeVar("_Answer")


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs: the staff stream's id and its key."""

    staff: str
    key: Signer


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What submitting needs from outside.

    Attributes:
        clock: of this machine, for `signed_at`.
        randomness: returns so many fresh random bytes.
        acknowledged: told every receipt of an event that this run submitted.
        patience_seconds: for how long a ledger that does not answer is asked again.
    """

    clock: Clock
    randomness: Callable[[int], bytes]
    acknowledged: Callable[[EventReceipt], None] = lambda _: None
    patience_seconds: float = PATIENCE_SECONDS


class Submitter:
    """Signs and submits for everybody. For one event loop, from any number of its tasks."""

    def __init__(self, client: LedgerClient, origin: str, means: Means) -> None:
        self._client = client
        self._origin = origin
        self._means = means
        self._seen: Seen | None = None
        self._seen_until = 0.0
        self._looking = asyncio.Lock()
        self.submitted: Counter[str] = Counter()

    async def submit(self, draft: Draft, author: Author) -> str:
        """Sign an event, have it acknowledged, and return its statement's digest, hex.

        If another run has stored the event meanwhile, its statement's digest is returned.

        Raises:
            RejectedError: the ledger refuses it.
            UnavailableError: the ledger did not answer for too long.
        """
        event = sign_event(
            draft,
            author.key,
            origin=self._origin,
            signer_staff=author.staff,
            seen=await self._head(),
            salt=self._means.randomness(_SALT_BYTES),
            signed_at_ms=self._means.clock.now_ms(),
        )
        try:
            receipt = await self.patiently(lambda: self._client.submit(event))
        except EventConflictError:
            known = await self.known((draft.event_id,))
            return known[draft.event_id]
        self.submitted[draft.type] += 1
        self._means.acknowledged(receipt)
        return statement_digest(event.statement).hex()

    async def patiently(self, ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """Ask again while the ledger is unavailable; the same bytes get the same receipt."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._means.patience_seconds
        while True:
            try:
                return await ask()
            except UnavailableError as error:
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(error.retry_after_seconds)

    async def known(self, event_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the statement digests of those events that are stored."""
        return await self.patiently(lambda: self._client.known_events(event_ids))

    async def _head(self) -> Seen | None:
        """Return a head at most a second old: few different ones keep verification cheap."""
        now = asyncio.get_running_loop().time
        async with self._looking:
            if self._seen is None or now() > self._seen_until:
                self._seen = (await self.patiently(self._client.ledger_info)).head
                self._seen_until = now() + _HEAD_SECONDS
            return self._seen
