"""Be the sequencer oneself when no server runs, behind the same interface as a client of one."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Final, Self

import msgspec
from typing_extensions import override

from api.client import LedgerClient, LedgerInfo
from api.schemas import EventReceipt
from ledger.admission import Admission
from ledger.clock import Clock
from ledger.database import Database
from ledger.keyring import Keyring
from ledger.sequencer import Sequencer
from ledger.submitted import SubmittedEvent
from signing.statement import Seen, statement_digest

_NONCE_BYTES: Final = 24
_CHUNK: Final = 500


class LocalLedgerClient(LedgerClient):
    """Admits and appends in this process, through the very same admission and sequencer."""

    def __init__(self, sequencer: Sequencer) -> None:
        """Take over a running sequencer; `close` closes it."""
        self._sequencer = sequencer
        self._admission = Admission(sequencer)

    @classmethod
    async def start(cls, database: Database, keyring: Keyring, *, clock: Clock, where: str) -> Self:
        """Become the ledger's sequencer until closed; see `Sequencer.start`.

        Raises:
            EnvironmentRefusedError: another one runs; the message names it.
        """
        return cls(await Sequencer.start(database, keyring, clock=clock, where=where))

    @property
    def sequencer(self) -> Sequencer:
        """The sequencer that this client is."""
        return self._sequencer

    @override
    async def ledger_info(self) -> LedgerInfo:
        head = self._sequencer.head
        seen = Seen(root=head.root.hex(), size=head.size) if head.size else None
        return LedgerInfo(origin=self._sequencer.origin, head=seen)

    @override
    async def submit(self, event: SubmittedEvent) -> EventReceipt:
        outcome = await self._admission.submit(event)
        return msgspec.convert(outcome.receipt.as_json(), EventReceipt)

    @override
    async def known_events(self, event_ids: Sequence[str]) -> Mapping[str, str]:
        known: dict[str, str] = {}
        for start in range(0, len(event_ids), _CHUNK):
            some = event_ids[start : start + _CHUNK]
            events = await self._sequencer.lookup.ask(
                lambda reader, ids=some: reader.events_by_id(ids)
            )
            for event in events:
                known[event.event_id] = statement_digest(event.statement_bytes).hex()
        return known

    @override
    async def possession_nonce(self, staff: str) -> str:
        return secrets.token_urlsafe(_NONCE_BYTES)

    @override
    async def close(self) -> None:
        await self._sequencer.close()
