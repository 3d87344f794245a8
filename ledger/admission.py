"""Admit a submitted event: everything about it that needs no place in the ledger (A§5.3).

Runs in the API workers, inline: threads lose more than they gain, processes scale (measured,
facts/eventsourcing.md §6). What depends on the ledger's state at the event's position is the
sequencer's to decide.
"""

import functools
import os
from typing import Final

from ledger.catalogue import EventType, event_type
from ledger.content import check_content, check_salt
from ledger.errors import (
    CommandRefusedError,
    ContentRejectedError,
    SubmissionRejectedError,
)
from ledger.facts import AnyFacts, FoundingFacts, read_facts
from ledger.jsontext import check_json_text
from ledger.rows import Outcome
from ledger.sealing import (
    NONCE_BYTES,
    Frame,
    associated_data,
    encode_frame,
    plain_body,
    seal,
)
from ledger.sequencing import SequencerLike
from ledger.submission import Submission
from ledger.submitted import SubmittedEvent
from signing.container import verify_container
from signing.errors import SigningError
from signing.keys import VerifyingKey, load_verifying_key
from signing.statement import Statement, parse_statement, statement_digest

FOUNDING: Final = "ledger-founded.v1"
_verifying_key = functools.lru_cache(maxsize=20_000)(load_verifying_key)


class Admission:
    """Checks and seals submitted events and hands them to the sequencer."""

    def __init__(self, sequencer: SequencerLike) -> None:
        """Admit into the ledger of this sequencer."""
        self._sequencer = sequencer

    async def submit(self, event: SubmittedEvent) -> Outcome:
        """Admit and append one event; durable on return. Retries get the first receipt.

        (1) Strict statement, this ledger, a known type. (2) Salt, size and digest of the content.
        (3) The signature, by the key that the statement names, whether still valid or not.
        (4) The content's text and profile. (5) Seal. (6) Let the sequencer decide.

        Raises:
            RejectedError: naming the fault; nothing was stored.
            UnavailableError: try again with the same event.
        """
        statement, kind = self._read_statement(event.statement)  # (1)
        check_salt(event.salt)
        check_content(statement.content, salt=event.salt, content=event.content)  # (2)
        digest = statement_digest(event.statement)
        if kind.tag != FOUNDING:
            self._check_signature(event, self._key_of(statement))  # (3)
        try:
            check_json_text(event.content)  # (4)
            facts = read_facts(statement, event.content)
        except ContentRejectedError:
            # Accepted once is accepted for ever, also if a later version judges more strictly.
            first = None
            if kind.tag != FOUNDING:
                first = await self._sequencer.lookup.find(statement.event_id, digest)
            if first is None:
                raise
            return first
        if kind.tag == FOUNDING:
            self._check_signature(event, _founding_key(statement, facts))  # (3), self-signed
        body = await self._seal(event, statement, kind)  # (5)
        return await self._sequencer.submit(  # (6)
            Submission(
                statement=statement,
                facts=facts,
                statement_digest=digest,
                container_digest=statement_digest(event.container),
                salt=event.salt,
                body=body,
            )
        )

    def _read_statement(self, data: bytes) -> tuple[Statement, EventType]:
        try:
            statement = parse_statement(data)
        except SigningError as error:
            raise SubmissionRejectedError(
                error.code, "/statement" + error.pointer, error.detail
            ) from None
        if statement.ledger != self._sequencer.origin:
            raise SubmissionRejectedError("origin-mismatch", "/statement/ledger")
        return statement, event_type(statement.type)

    def _key_of(self, statement: Statement) -> VerifyingKey:
        key = self._sequencer.directory.key_for(statement.key_id)
        if key is None:
            raise CommandRefusedError("key-not-valid", "/key_id", "the key is not enrolled here")
        if key.staff != statement.signer:
            raise CommandRefusedError("key-not-valid", "/signer", "the key is another's")
        if key.alg != statement.alg:
            raise CommandRefusedError("key-not-valid", "/alg", "the key signs otherwise")
        return _verifying_key(key.spki, key.alg)

    def _check_signature(self, event: SubmittedEvent, key: VerifyingKey) -> None:
        try:
            verify_container(event.container, event.statement, key)
        except SigningError as error:
            raise SubmissionRejectedError(error.code, "/signature", error.detail) from None

    async def _seal(self, event: SubmittedEvent, statement: Statement, kind: EventType) -> bytes:
        frame = encode_frame(
            Frame(
                statement=event.statement,
                container=event.container,
                salt=event.salt,
                content=event.content,
            )
        )
        if not kind.sealed:
            return plain_body(frame)
        key = await self._stream_key(statement, kind)
        aad = associated_data(statement.ledger, statement.stream, statement.event_id)
        return seal(frame, key=key, nonce=os.urandom(NONCE_BYTES), aad=aad)

    async def _stream_key(self, statement: Statement, kind: EventType) -> bytes:
        """Return the stream's key; for a new stream make it durable before the first event."""
        lookup, stream = self._sequencer.lookup, statement.stream
        if kind.opens_stream:
            key = await lookup.stream_key_of_kind(stream, statement.stream_kind)
            if key is None:
                self._check_opener(statement, kind)
                key = await lookup.new_stream_key(stream, statement.stream_kind)
        else:
            key = await lookup.stream_key(stream)
        if key is None:
            raise CommandRefusedError("stream-unknown", "/stream")
        return key

    def _check_opener(self, statement: Statement, kind: EventType) -> None:
        """Refuse early, as the sequencer would, so that nobody else leaves keys behind."""
        directory = self._sequencer.directory
        key = directory.key_for(statement.key_id)
        if key is None or key.revoked_at_position is not None:
            raise CommandRefusedError("key-not-valid", "/key_id")
        if kind.authors.isdisjoint(directory.roles_of(statement.signer)):
            raise CommandRefusedError("role-not-valid", "/signer")


def _founding_key(statement: Statement, facts: AnyFacts) -> VerifyingKey:
    """Return the first registrar's key, with which the founding event is self-signed."""
    if not isinstance(facts, FoundingFacts):  # the catalogue says otherwise
        raise TypeError("a founding event has founding facts")
    first = facts.registrars[0]
    if (first.key_id, first.staff, first.alg) != (
        statement.key_id,
        statement.signer,
        statement.alg,
    ):
        raise CommandRefusedError("key-not-valid", "/key_id", "not the first registrar's key")
    return _verifying_key(first.spki, first.alg)
