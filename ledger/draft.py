"""Build statements and signed events from drafts: what every client does before it submits."""

import msgspec
from msgspec import UNSET
from typing_extensions import override

from ledger.content import content_digest
from ledger.submitted import SubmittedEvent
from signing.algorithms import Algorithm, algorithm_named
from signing.container import sign_container
from signing.errors import MalformedStatementError
from signing.keys import Signer
from signing.statement import (
    STATEMENT_FORMAT,
    ContentClaim,
    Ref,
    Seen,
    Statement,
    StreamKind,
    encode_statement,
    format_time_ms,
)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An event before its author signs it.

    Attributes:
        stream: UUID of the stream, canonical lower-case text; as are all UUIDs here.
        stream_kind: kind of that stream.
        event_id: UUID chosen by the client, the idempotency key.
        type: tag of the event type, e.g. ``note-written.v1``.
        occurred_at_ms: when it was true for the patient, milliseconds since 1970.
        media_type: media type of the content.
        content: exact bytes.
        refs: earlier events that this one refers to.
    """

    stream: str
    stream_kind: StreamKind
    event_id: str
    type: str
    occurred_at_ms: int
    media_type: str
    content: bytes
    refs: tuple[Ref, ...] = ()

    @override
    def __repr__(self) -> str:
        return f"Draft({self.type})"  # its content is a patient's


def build_statement(  # noqa: PLR0913 - each argument is a member of the statement
    draft: Draft,
    *,
    origin: str,
    signer_staff: str,
    key: Signer | tuple[str, str],
    seen: Seen | None,
    salt: bytes,
    signed_at_ms: int,
) -> bytes:
    """Return the bytes of the statement that the author is to sign.

    Args:
        draft: the event.
        origin: of the ledger.
        signer_staff: stream of the staff member or device that will sign.
        key: the signing key, or its key_id and algorithm.
        seen: newest head known to the client; None only for the founding event.
        salt: 32 fresh random bytes, to be submitted with the event.
        signed_at_ms: the client's clock, milliseconds since 1970.

    Raises:
        MalformedStatementError: a value is one that no statement may have.
        MalformedKeyError: ``key-algorithm``.
    """
    key_id, alg = _name_of(key)
    try:
        occurred_at, signed_at = format_time_ms(draft.occurred_at_ms), format_time_ms(signed_at_ms)
    except ValueError:
        raise MalformedStatementError("statement-malformed", "a time is out of range") from None
    statement = Statement(
        alg=alg,
        content=ContentClaim(
            digest=content_digest(salt, draft.content).hex(),
            media_type=draft.media_type,
            size=len(draft.content),
        ),
        event_id=draft.event_id,
        format=STATEMENT_FORMAT,
        key_id=key_id,
        ledger=origin,
        occurred_at=occurred_at,
        refs=draft.refs or UNSET,
        seen=UNSET if seen is None else seen,
        signed_at=signed_at,
        signer=signer_staff,
        stream=draft.stream,
        stream_kind=draft.stream_kind,
        type=draft.type,
    )
    return encode_statement(statement)


def sign_event(  # noqa: PLR0913 - see build_statement
    draft: Draft,
    signer: Signer,
    *,
    origin: str,
    signer_staff: str,
    seen: Seen | None,
    salt: bytes,
    signed_at_ms: int,
) -> SubmittedEvent:
    """Build the statement, sign it and return what is to be submitted (see `build_statement`)."""
    statement = build_statement(
        draft,
        origin=origin,
        signer_staff=signer_staff,
        key=signer,
        seen=seen,
        salt=salt,
        signed_at_ms=signed_at_ms,
    )
    return SubmittedEvent(
        statement=statement,
        container=sign_container(signer, statement),
        content=draft.content,
        salt=salt,
    )


def _name_of(key: Signer | tuple[str, str]) -> tuple[str, Algorithm]:
    if isinstance(key, tuple):
        return key[0], algorithm_named(key[1])
    return key.key_id, key.alg
