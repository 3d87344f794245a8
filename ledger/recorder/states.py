"""Turn what the library calls topic and state into what the ledger stores, and back."""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, ProgrammingError, StoredEvent
from typing_extensions import override

from ledger.keyring import Keyring
from ledger.reader import LedgerReader
from ledger.rows import EntryRow, Event
from ledger.store import EntryStore
from signing.statement import Statement, parse_statement


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the bare layer stores of one event: its id, what the entry commits to, its body."""

    event_id: UUID
    statement: bytes
    container: bytes
    body: bytes

    @override
    def __repr__(self) -> str:
        return "Parts()"


class States(Protocol):
    """Turns the library's topic and state into what is stored, and back."""

    def to_parts(self, event: StoredEvent) -> Parts:
        """Take an event apart; raise ProgrammingError when it may not be appended here."""
        ...

    def from_rows(self, reader: EntryStore, rows: Sequence[EntryRow]) -> list[tuple[str, bytes]]:
        """Return topic and state of each row."""
        ...


class SignedStates:
    """Reads the events of a real ledger; appends nothing."""

    def __init__(self, keyring: Keyring) -> None:
        """Open bodies with this keyring."""
        self._keyring = keyring

    def to_parts(self, event: StoredEvent) -> Parts:
        """Refuse: events enter the ledger signed, through admission, or not at all."""
        raise ProgrammingError(f"append {event.topic} through the ledger's API, signed")

    def from_rows(self, reader: EntryStore, rows: Sequence[EntryRow]) -> list[tuple[str, bytes]]:
        """Open the rows, checking every digest."""
        opener = LedgerReader(reader.connection, reader.database, self._keyring)
        return [(e.statement.type, encode_state(e)) for e in opener.open_rows(rows)]


def encode_state(event: Event) -> bytes:
    """Return the library's state of an event: msgpack of its four byte strings."""
    return msgspec.msgpack.encode(
        [event.statement_bytes, event.container, event.salt, event.content]
    )


class SignedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the library's projections receive it."""

    originator_id: UUID
    originator_version: int
    statement: Statement
    content: bytes | None

    @override
    def __repr__(self) -> str:
        return "SignedEvent()"


class SignedEventMapper(Mapper[UUID]):
    """Maps stored events to `SignedEvent`; topics are never resolved to import paths."""

    @override
    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        raise ProgrammingError("events enter the ledger signed, through its API")

    @override
    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        statement, _, _, content = msgspec.msgpack.decode(
            stored_event.state, type=tuple[bytes, bytes, bytes, bytes | None]
        )
        return SignedEvent(
            originator_id=UUID(str(stored_event.originator_id)),
            originator_version=stored_event.originator_version,
            statement=parse_statement(statement),
            content=content,
        )
