"""Publish the newest entry of every stream, hourly, as an event that the ledger itself signs."""

import asyncio
import os
from typing import Any, Final, NamedTuple

import msgspec
import structlog

from api.connect import server_url
from api.http_client import HttpLedgerClient
from api.keystore import KeyStore
from api.logs import error_fields
from api.settings import Settings
from ledger.catalogue import event_type
from ledger.checkpointing.follower import Follower
from ledger.clock import Clock
from ledger.content import SALT_BYTES
from ledger.draft import Draft, sign_event
from ledger.errors import EnvironmentRefusedError, LedgerError
from ledger.ids import new_id
from ledger.reader import LedgerReader
from ledger.state import DirectoryState
from ledger.submitted import SubmittedEvent
from signing.errors import SigningError
from signing.keys import SoftKey
from signing.statement import Seen

HEADS: Final = "heads-published.v1"
INTERVAL_SECONDS: Final = 3600.0
_RETRY_SECONDS: Final = 60.0


class LedgerAuthor(NamedTuple):
    """The ledger itself as a member of staff, and its key."""

    staff: str
    key: SoftKey


class LastHeads(NamedTuple):
    """The newest event that published heads: where it stands, and when it was received."""

    position: int
    received_at_ms: int


def find_author(directory: DirectoryState, keys: KeyStore) -> LedgerAuthor | None:
    """Return who holds the role `ledger` with a valid key that is here, or None."""
    for name in keys.names():
        key = keys.load(name)
        state = None if key is None else directory.key_for(key.key_id)
        if (
            key is not None
            and state is not None
            and state.revoked_at_position is None
            and "ledger" in directory.roles_of(state.staff)
        ):
            return LedgerAuthor(state.staff, key)
    return None


def find_last(reader: LedgerReader, facility: str) -> LastHeads | None:
    """Return the newest event of the facility's stream that published heads, or None."""
    for event in reversed(reader.stream(facility)):
        if event.statement.type == HEADS:
            return LastHeads(event.position, event.received_at_ms)
    return None


def sign_heads(follower: Follower, author: LedgerAuthor, *, now_ms: int) -> SubmittedEvent:
    """Sign the heads of everything that was verified so far."""
    tree = follower.heads()
    size = follower.tree.size
    content = {"root": tree.root().hex(), "size": size, "streams": tree.streams}
    directory = follower.directory
    return sign_event(
        Draft(
            stream=directory.facility,
            stream_kind="facility",
            event_id=new_id(),
            type=HEADS,
            occurred_at_ms=now_ms,
            media_type=event_type(HEADS).media_type,
            content=msgspec.json.encode(content),
        ),
        author.key,
        origin=directory.origin,
        signer_staff=author.staff,
        seen=Seen(root=follower.tree.root().hex(), size=size),
        salt=os.urandom(SALT_BYTES),
        signed_at_ms=now_ms,
    )


class HeadsPublisher:
    """Publishes through the running server, beside the rounds of signing, which it never delays."""

    def __init__(
        self,
        follower: Follower,
        settings: Settings,
        *,
        last: LastHeads | None,
        clock: Clock,
        interval_seconds: float = INTERVAL_SECONDS,
    ) -> None:
        """Publish what `follower` has verified, at most once in so many seconds."""
        self._follower = follower
        self._settings = settings
        self._last = last
        self._clock = clock
        self._interval_ms = round(interval_seconds * 1000)
        self._retry_at_ms = 0
        self._submitting: asyncio.Task[LastHeads] | None = None
        self._log: Any = structlog.get_logger()

    async def poll(self, lock: asyncio.Lock) -> None:
        """Begin to publish when it is time and there is something new; take the answer later.

        Args:
            lock: held while the follower must stand still.
        """
        now_ms = self._clock.now_ms()
        if self._submitting is not None:
            self._collect(now_ms)
        elif self._is_due(now_ms):
            author = find_author(self._follower.directory, KeyStore(self._settings.keys))
            url = server_url(self._settings)
            if author is None or url is None:
                self._retry_at_ms = now_ms + round(_RETRY_SECONDS * 1000)
                return
            async with lock:
                event = await asyncio.to_thread(sign_heads, self._follower, author, now_ms=now_ms)
            self._submitting = asyncio.create_task(self._submit(event, author, url))

    def close(self) -> None:
        """Give up what is under way: it may be published or not, and is done anew later."""
        if self._submitting is not None:
            self._submitting.cancel()

    def _is_due(self, now_ms: int) -> bool:
        size = self._follower.tree.size
        if now_ms < self._retry_at_ms or size == 0:
            return False
        if self._last is None:
            return True
        # When nothing but the last heads' own event is new, there is nothing to say.
        grown = size > self._last.position + 1
        return grown and now_ms - self._last.received_at_ms >= self._interval_ms

    async def _submit(self, event: SubmittedEvent, author: LedgerAuthor, url: str) -> LastHeads:
        client = await HttpLedgerClient.connect(
            url, staff=author.staff, key=author.key, clock=self._clock
        )
        try:
            receipt = await client.submit(event)
        finally:
            await client.close()
        return LastHeads(receipt.position, self._clock.now_ms())

    def _collect(self, now_ms: int) -> None:
        if self._submitting is None or not self._submitting.done():
            return
        submitted, self._submitting = self._submitting, None
        try:
            self._last = submitted.result()
            self._log.info("heads published", position=self._last.position)
        except (LedgerError, SigningError) as error:
            # The messages of these are our own and name no patient.
            self._log.warning("heads not published", detail=str(error), **error_fields(error))
            self._retry_at_ms = now_ms + round(_RETRY_SECONDS * 1000)


def need_author(directory: DirectoryState, keys: KeyStore) -> LedgerAuthor:
    """Return who holds the role `ledger` with a valid key that is here.

    Raises:
        EnvironmentRefusedError: nobody does.
    """
    author = find_author(directory, keys)
    if author is None:
        raise EnvironmentRefusedError(
            "the ledger has no key of its own here: enrol it with `clinledger heads --enrol`"
        )
    return author
