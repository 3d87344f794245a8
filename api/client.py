"""Say what a client of a ledger can do, whether over HTTP or as the sequencer itself."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from api.schemas import EventReceipt
from ledger.submitted import SubmittedEvent
from signing.statement import Seen


class LedgerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a client must know before it can write.

    Attributes:
        origin: of the ledger.
        head: a recent head, to be named as `seen`; None while the ledger is not founded.
    """

    origin: str
    head: Seen | None


class LedgerClient(Protocol):
    """A connection to one ledger. Safe to use from many tasks of one event loop at a time."""

    async def ledger_info(self) -> LedgerInfo:
        """Return the origin and a recent head.

        Raises:
            UnavailableError: ask again later.
        """
        ...

    async def submit(self, event: SubmittedEvent) -> EventReceipt:
        """Append one event; durable on return. Submitting it again returns the same receipt.

        Raises:
            RejectedError: it was refused, and nothing was stored.
            EventConflictError: another statement has its event_id.
            UnavailableError: nothing is known to be wrong; submit the same bytes again. Raised
                too when the connection broke and the event may have been stored.
        """
        ...

    async def known_events(self, event_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the statement digests (SHA-256, lower-case hex) of those that are stored.

        Raises:
            UnavailableError: ask again later.
        """
        ...

    async def possession_nonce(self, staff: str) -> str:
        """Return a fresh nonce over which a new key of this staff member proves possession.

        Raises:
            UnavailableError: ask again later.
        """
        ...

    async def close(self) -> None:
        """Give up the connection; safe to repeat."""
        ...
