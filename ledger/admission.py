"""Admit a submitted event: everything about it that needs no place in the ledger (A§5.3).

Runs in the API workers, inline: threads lose more than they gain, processes scale (measured,
facts/eventsourcing.md §6). What depends on the ledger's state at the event's position is the
sequencer's to decide.
"""

import asyncio
import os

from ledger.catalogue import EventType
from ledger.errors import CommandRefusedError, ContentRejectedError
from ledger.examination import (
    FOUNDING,
    SignedEvent,
    check_signed,
    read_content,
    refusal_of_opener,
)
from ledger.rows import Outcome
from ledger.sealing import NONCE_BYTES, associated_data, plain_body, seal
from ledger.sequencing import SequencerLike
from ledger.submission import Submission
from ledger.submitted import SubmittedEvent
from signing.statement import Statement, statement_digest


class Admission:
    """Checks and seals submitted events and hands them to the sequencer."""

    def __init__(self, sequencer: SequencerLike) -> None:
        """Admit into the ledger of this sequencer."""
        self._sequencer = sequencer

    async def submit(self, event: SubmittedEvent) -> Outcome:
        """Admit and append one event; durable on return. See `begin`."""
        begun = await self.begin(event)
        return begun if isinstance(begun, Outcome) else await begun

    async def begin(self, event: SubmittedEvent) -> Outcome | asyncio.Future[Outcome]:
        """Admit one event and hand it to the sequencer. Retries get the first receipt.

        (1) Strict statement, this ledger, a known type. (2) Salt, size and digest of the content.
        (3) The signature, by the key that the statement names, whether still valid or not.
        (4) The content's text and profile. (5) Seal. (6) Let the sequencer decide.

        Returns:
            The answer to come: durable when it is there. Events are decided in the order in which
            they were begun. Or the first receipt of an event that no one would admit any more.

        Raises:
            RejectedError: naming the fault; nothing was stored. The answer to come raises it too.
            UnavailableError: try again with the same event.
        """
        sequencer = self._sequencer
        signed = check_signed(  # (1), (2), (3)
            event, origin=sequencer.origin, directory=sequencer.directory
        )
        statement = signed.statement
        try:
            facts = read_content(signed)  # (4), and (3) where it is self-signed
        except ContentRejectedError:
            # Accepted once is accepted for ever, also if a later version judges more strictly.
            first = None
            if signed.kind.tag != FOUNDING:
                first = await sequencer.lookup.find(statement.event_id, signed.digest)
            if first is None:
                raise
            return first
        body = await self._seal(signed)  # (5)
        return sequencer.enqueue(  # (6)
            Submission(
                statement=statement,
                facts=facts,
                statement_digest=signed.digest,
                container_digest=statement_digest(event.container),
                salt=event.salt,
                body=body,
            )
        )

    async def _seal(self, signed: SignedEvent) -> bytes:
        frame, statement = signed.frame(), signed.statement
        if not signed.kind.sealed:
            return plain_body(frame)
        key = await self._stream_key(statement, signed.kind)
        aad = associated_data(statement.ledger, statement.stream, statement.event_id)
        return seal(frame, key=key, nonce=os.urandom(NONCE_BYTES), aad=aad)

    async def _stream_key(self, statement: Statement, kind: EventType) -> bytes:
        """Return the stream's key; for a new stream make it durable before the first event."""
        keys, stream = self._sequencer.lookup.keys, statement.stream
        if not kind.opens_stream:
            key = await keys.find(stream)
        else:
            refusal = refusal_of_opener(statement, kind, self._sequencer.directory)
            key = await keys.open(stream, statement.stream_kind, make=refusal is None)
            if key is None and refusal is not None:
                raise refusal
        if key is None:
            raise CommandRefusedError("stream-unknown", "/stream")
        return key
