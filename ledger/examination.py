"""Examine a submitted event: everything about it that needs no place in the ledger and no secret.

The API workers and the processes of a bulk import judge by these same functions. What depends on
the ledger's state at the event's position is the sequencer's to decide.
"""

import functools
from typing import Final

import msgspec
from typing_extensions import override

from ledger.catalogue import FHIR_JSON, EventType, event_type
from ledger.content import check_content, check_salt
from ledger.errors import CommandRefusedError, SubmissionRejectedError
from ledger.facts import AnyFacts, FoundingFacts, read_facts
from ledger.fhir.quick import decode_quickly
from ledger.jsontext import check_json_text, is_composed
from ledger.sealing import Frame, encode_frame
from ledger.state import DirectoryState
from ledger.submitted import SubmittedEvent
from signing.container import verify_container
from signing.errors import SigningError
from signing.keys import VerifyingKey, load_verifying_key
from signing.statement import Statement, parse_statement, statement_digest

FOUNDING: Final = "ledger-founded.v1"
_verifying_key = functools.lru_cache(maxsize=20_000)(load_verifying_key)


class SignedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A submitted event whose statement is well formed and whose digests and signature are good.

    Attributes:
        digest: SHA-256 of the statement's exact bytes.
    """

    event: SubmittedEvent
    statement: Statement
    kind: EventType
    digest: bytes

    @override
    def __repr__(self) -> str:
        return f"SignedEvent(type={self.statement.type!r})"

    def frame(self) -> bytes:
        """Return what is to be sealed."""
        event = self.event
        return encode_frame(
            Frame(
                statement=event.statement,
                container=event.container,
                salt=event.salt,
                content=event.content,
            )
        )


def check_signed(event: SubmittedEvent, *, origin: str, directory: DirectoryState) -> SignedEvent:
    """Check statement, salt, content digest, and the signature by the key that is named.

    The key may be revoked: whether it is valid is for the sequencer, at the event's position. A
    founding event's signature is checked by `read_content`, which knows its key.

    Args:
        event: as its author's client made it.
        origin: of this ledger.
        directory: knows the key, unless it is of the founding event.

    Raises:
        RejectedError: naming the fault.
    """
    statement = _read_statement(event.statement, origin)
    kind = event_type(statement.type)
    check_salt(event.salt)
    check_content(statement.content, salt=event.salt, content=event.content)
    if kind.tag != FOUNDING:
        _check_signature(event, _key_of(statement, directory))
    return SignedEvent(
        event=event, statement=statement, kind=kind, digest=statement_digest(event.statement)
    )


def read_content(signed: SignedEvent) -> AnyFacts:
    """Check the content's text, FHIR and profile; return what the rules need of it.

    Raises:
        ContentRejectedError: naming the fault and its place.
        RejectedError: a founding event is not signed by its own first registrar.
    """
    content = signed.event.content
    resource = decode_quickly(content) if signed.kind.media_type == FHIR_JSON else None
    if resource is None or not is_composed(content):
        check_json_text(content)
    facts = read_facts(signed.statement, content, resource)
    if signed.kind.tag == FOUNDING:
        _check_signature(signed.event, _founding_key(signed.statement, facts))
    return facts


def check_opener(statement: Statement, kind: EventType, directory: DirectoryState) -> None:
    """Refuse early, as the sequencer would, so that nobody else leaves stream keys behind.

    Raises:
        CommandRefusedError: `key-not-valid` or `role-not-valid`.
    """
    refusal = refusal_of_opener(statement, kind, directory)
    if refusal is not None:
        raise refusal


def refusal_of_opener(
    statement: Statement, kind: EventType, directory: DirectoryState
) -> CommandRefusedError | None:
    """Return what `check_opener` raises, or None."""
    key = directory.key_for(statement.key_id)
    if key is None or key.revoked_at_position is not None:
        return CommandRefusedError("key-not-valid", "/key_id")
    if kind.authors.isdisjoint(directory.roles_of(statement.signer)):
        return CommandRefusedError("role-not-valid", "/signer")
    return None


def _read_statement(data: bytes, origin: str) -> Statement:
    try:
        statement = parse_statement(data)
    except SigningError as error:
        raise SubmissionRejectedError(
            error.code, "/statement" + error.pointer, error.detail
        ) from None
    if statement.ledger != origin:
        raise SubmissionRejectedError("origin-mismatch", "/statement/ledger")
    return statement


def _key_of(statement: Statement, directory: DirectoryState) -> VerifyingKey:
    key = directory.key_for(statement.key_id)
    if key is None:
        raise CommandRefusedError("key-not-valid", "/key_id", "the key is not enrolled here")
    if key.staff != statement.signer:
        raise CommandRefusedError("key-not-valid", "/signer", "the key is another's")
    if key.alg != statement.alg:
        raise CommandRefusedError("key-not-valid", "/alg", "the key signs otherwise")
    return _verifying_key(key.spki, key.alg)


def _check_signature(event: SubmittedEvent, key: VerifyingKey) -> None:
    try:
        verify_container(event.container, event.statement, key)
    except SigningError as error:
        raise SubmissionRejectedError(error.code, "/signature", error.detail) from None


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
