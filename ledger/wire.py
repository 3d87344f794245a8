"""Speak between API workers and a sequencer in a process of its own: frames of msgpack.

A frame is a length (4 bytes, big-endian) and one message in msgpack. Both ends are of the same
installation and the socket is private to its account, so messages are decoded by type but not
judged again: what a worker has admitted, the sequencer believes, as it does within one process.
"""

import asyncio
from typing import Final

import msgspec
from typing_extensions import override

from ledger.errors import (
    CommandRefusedError,
    ContentRejectedError,
    EventConflictError,
    LedgerError,
    NotFoundError,
    RejectedError,
    SubmissionRejectedError,
    UnavailableError,
)
from ledger.facts import AnyFacts
from ledger.rows import Head, Receipt
from ledger.state import DirectoryState
from signing.statement import Statement

MAX_FRAME_BYTES: Final = 8 * 1024 * 1024
_LENGTH_BYTES: Final = 4
_REFUSALS: Final[dict[str, type[RejectedError]]] = {
    kind.__name__: kind
    for kind in (
        RejectedError,
        SubmissionRejectedError,
        ContentRejectedError,
        CommandRefusedError,
        NotFoundError,
    )
}


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What passes over the socket."""

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # it may be about a patient


class Welcome(Message, frozen=True, kw_only=True):
    """The sequencer's first message: whose it is."""

    origin: str


class Submit(Message, frozen=True, kw_only=True):
    """A submission (ledger.submission), numbered by its worker."""

    number: int
    statement: Statement
    facts: AnyFacts
    statement_digest: bytes
    container_digest: bytes
    salt: bytes
    body: bytes


class Accepted(Message, frozen=True, kw_only=True):
    """The outcome of a submission."""

    number: int
    receipt: Receipt
    created: bool


class Refused(Message, frozen=True, kw_only=True):
    """Why a submission was not appended.

    Attributes:
        kind: name of the error's class.
        wait_seconds: of an UnavailableError, else 0.
    """

    number: int
    kind: str
    code: str
    pointer: str
    detail: str
    wait_seconds: int


class HeadMoved(Message, frozen=True, kw_only=True):
    """The committed head, after each commit."""

    head: Head


class DirectoryChanged(Message, frozen=True, kw_only=True):
    """The whole directory, when staff, keys or roles may have changed."""

    directory: DirectoryState


FromSequencer = Welcome | Accepted | Refused | HeadMoved | DirectoryChanged
_encoder: Final = msgspec.msgpack.Encoder()


def encode_frame(message: Message) -> bytes:
    """Return a message as it goes over the socket."""
    data = _encoder.encode(message)
    return len(data).to_bytes(_LENGTH_BYTES, "big") + data


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """Return the next message's bytes, or None when the other end has closed.

    Raises:
        UnavailableError: the frame is longer than any message.
    """
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
        if length > MAX_FRAME_BYTES:
            raise UnavailableError("a frame is too long: the two ends do not fit each other")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def refusal_of(number: int, error: BaseException) -> Refused:
    """Return the message that tells of an error."""
    if isinstance(error, RejectedError):
        return Refused(
            number=number,
            kind=type(error).__name__,
            code=error.code,
            pointer=error.pointer,
            detail=error.detail,
            wait_seconds=0,
        )
    wait_seconds = error.retry_after_seconds if isinstance(error, UnavailableError) else 1
    return Refused(
        number=number,
        kind="UnavailableError",
        code="",
        pointer="",
        detail=str(error) if isinstance(error, LedgerError) else "the sequencer failed",
        wait_seconds=wait_seconds,
    )


def error_of(message: Refused) -> LedgerError:
    """Return the error that a message tells of."""
    if message.kind == EventConflictError.__name__:
        return EventConflictError()
    kind = _REFUSALS.get(message.kind)
    if kind is None:
        return UnavailableError(message.detail, retry_after_seconds=message.wait_seconds)
    return kind(message.code, message.pointer, message.detail)
