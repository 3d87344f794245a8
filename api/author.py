"""Let one member of staff sign and append events through a client of the ledger."""

import os
from collections.abc import Mapping, Sequence

import msgspec

from api.client import LedgerClient
from api.schemas import EventReceipt
from ledger.catalogue import event_type
from ledger.clock import Clock
from ledger.content import SALT_BYTES
from ledger.draft import Draft, sign_event
from ledger.ids import new_id
from ledger.submitted import SubmittedEvent
from signing.keys import Signer
from signing.statement import Ref, StreamKind


class Author:
    """A staff id and its key, bound to a ledger."""

    def __init__(self, client: LedgerClient, staff: str, key: Signer, *, clock: Clock) -> None:
        """Sign as `staff` with `key`; the client stays the caller's to close."""
        self._client = client
        self.staff = staff
        self.key = key
        self._clock = clock

    async def append(  # noqa: PLR0913 - as `sign`
        self,
        tag: str,
        content: Mapping[str, object] | bytes,
        *,
        stream: str,
        stream_kind: StreamKind,
        event_id: str = "",
        refs: Sequence[Ref] = (),
    ) -> EventReceipt:
        """Sign an event that is true now and append it; durable on return."""
        event = await self.sign(
            tag, content, stream=stream, stream_kind=stream_kind, event_id=event_id, refs=refs
        )
        return await self._client.submit(event)

    async def sign(  # noqa: PLR0913 - each argument is a member of the statement
        self,
        tag: str,
        content: Mapping[str, object] | bytes,
        *,
        stream: str,
        stream_kind: StreamKind,
        event_id: str = "",
        occurred_at_ms: int | None = None,
        refs: Sequence[Ref] = (),
    ) -> SubmittedEvent:
        """Sign an event over the newest head that the client knows.

        Args:
            tag: the event's type.
            content: exact bytes, or what to encode as JSON.
            stream: stream id; created by types that open one.
            stream_kind: its kind.
            event_id: UUID; a new one by default.
            occurred_at_ms: when it was true for the patient; now by default.
            refs: what it refers to.
        """
        data = content if isinstance(content, bytes) else msgspec.json.encode(content)
        now_ms = self._clock.now_ms()
        info = await self._client.ledger_info()
        return sign_event(
            Draft(
                stream=stream,
                stream_kind=stream_kind,
                event_id=event_id or new_id(),
                type=tag,
                occurred_at_ms=now_ms if occurred_at_ms is None else occurred_at_ms,
                media_type=event_type(tag).media_type,
                content=data,
                refs=tuple(refs),
            ),
            self.key,
            origin=info.origin,
            signer_staff=self.staff,
            seen=info.head,
            salt=os.urandom(SALT_BYTES),
            signed_at_ms=now_ms,
        )
