"""Spell events in JSON, the same in the feed, in a single answer and in clients."""

import base64
import binascii

from api.errors import BodyInvalidError
from api.schemas import Encoding, EventSubmission
from ledger.rows import Event
from ledger.submitted import SubmittedEvent
from signing.statement import format_time_ms


def event_json(event: Event) -> dict[str, object]:
    """Return an event's public JSON form (docs/format.md): its receipt's fields without `head`."""
    content, encoding = content_text(event.content)
    return {
        "event_id": event.event_id,
        "stream": event.stream,
        "position": event.position,
        "version": event.version,
        "received_at": format_time_ms(event.received_at_ms),
        "entry": base64.b64encode(event.entry).decode(),
        "previous": event.previous.hex(),
        "link_salt": event.link_salt.hex(),
        "leaf_hash": event.leaf_hash.hex(),
        "statement": event.statement_bytes.decode(),
        "signature": event.container.decode(),
        "salt": base64.b64encode(event.salt).decode(),
        "content": content,
        "content_encoding": encoding,
        "content_status": "destroyed" if event.content is None else "present",
    }


def content_text(content: bytes | None) -> tuple[str | None, Encoding]:
    """Return a content as text where it is text, else in base64, and which of the two it is."""
    if content is None:
        return None, "utf-8"
    try:
        return content.decode(), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(content).decode(), "base64"


def content_bytes(text: str, encoding: Encoding, *, pointer: str = "") -> bytes:
    """Return the exact bytes of a content.

    Raises:
        BodyInvalidError: `base64-invalid`.
    """
    return text.encode() if encoding == "utf-8" else _base64(text, f"{pointer}/content")


def submitted_event(body: EventSubmission, *, pointer: str = "") -> SubmittedEvent:
    """Return the bytes that a submission stands for.

    Raises:
        BodyInvalidError: `base64-invalid`.
    """
    return SubmittedEvent(
        statement=body.statement.encode(),
        container=body.signature.encode(),
        content=content_bytes(body.content, body.content_encoding, pointer=pointer),
        salt=_base64(body.salt, f"{pointer}/salt"),
    )


def submission_json(event: SubmittedEvent) -> dict[str, object]:
    """Return the body of `POST /v1/events` for an event: what clients send."""
    content, encoding = content_text(event.content)
    return {
        "statement": event.statement.decode(),
        "signature": event.container.decode(),
        "content": content,
        "content_encoding": encoding,
        "salt": base64.b64encode(event.salt).decode(),
    }


def _base64(text: str, pointer: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BodyInvalidError("base64-invalid", pointer) from None
