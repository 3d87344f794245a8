"""Frame and seal what is stored of an event besides its entry (docs/format.md, "Sealed body").

A sealed body is `0x01 || nonce (12) || AES-256-GCM(stream key, frame, aad)`; a directory body,
which is never erasable because every proof needs it, is `0x00 || frame`. GCM does not commit to
its key, so callers check the digests of what they open, on every read.
"""

import struct

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.errors import CorruptionError

PLAIN = 0
SEALED = 1
NONCE_BYTES = 12
KEY_BYTES = 32
_length = struct.Struct(">I").unpack_from


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """The four byte strings of an event: statement, container, content salt (32), content."""

    statement: bytes
    container: bytes
    salt: bytes
    content: bytes

    def __repr__(self) -> str:
        """Show nothing: all of it may be about a patient."""
        return "Frame()"


def length_prefixed(*parts: bytes) -> bytes:
    """Return each part preceded by its length in 4 bytes, big-endian."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def encode_frame(frame: Frame) -> bytes:
    """Return the frame's bytes: its four parts in order, each length-prefixed."""
    return length_prefixed(frame.statement, frame.container, frame.salt, frame.content)


def decode_frame(data: bytes) -> Frame:
    """Return the frame whose bytes these are, and nothing but these.

    Raises:
        CorruptionError: `body-unreadable`, when a length does not fit.
    """
    try:
        container = 4 + _length(data, 0)[0]
        salt = container + 4 + _length(data, container)[0]
        content = salt + 4 + _length(data, salt)[0]
        end = content + 4 + _length(data, content)[0]
    except struct.error:
        raise CorruptionError("body-unreadable", detail="a frame is cut short") from None
    if end != len(data):
        raise CorruptionError("body-unreadable", detail="a frame is not as long as it says")
    return Frame(
        statement=data[4:container],
        container=data[container + 4 : salt],
        salt=data[salt + 4 : content],
        content=data[content + 4 :],
    )


def associated_data(origin: str, stream: str, event_id: str) -> bytes:
    """Return what a sealed body is bound to, so that it opens nowhere else: all three as ASCII."""
    return length_prefixed(origin.encode(), stream.encode(), event_id.encode())


def seal(frame: bytes, *, key: bytes, nonce: bytes, aad: bytes) -> bytes:
    """Return the sealed body of a frame under its stream's key (32 bytes) and a fresh nonce (12).

    Nonces are random: a stream would need 2**32 events before a repetition became likely.
    """
    return bytes([SEALED]) + nonce + AESGCM(key).encrypt(nonce, frame, aad)


def plain_body(frame: bytes) -> bytes:
    """Return the body of a directory event, which anyone who holds the database may read."""
    return bytes([PLAIN]) + frame


def is_sealed(body: bytes) -> bool:
    """Tell a sealed body from a directory body.

    Raises:
        CorruptionError: `body-unreadable`, when it is neither.
    """
    if not body or body[0] not in (PLAIN, SEALED):
        raise CorruptionError("body-unreadable", detail="a body is of no known form")
    return body[0] == SEALED


def open_body(body: bytes, *, key: bytes | None, aad: bytes) -> Frame:
    """Return the frame of a stored body; `key` may be None for a directory body only.

    Raises:
        CorruptionError: `body-unreadable`, when the body does not open with this key here.
    """
    return _open(None if key is None else AESGCM(key), body, aad)


class StreamOpener:
    """Opens the bodies of one stream, as `open_body` does: what is the same for all is made once.

    Attributes:
        stream: id of the stream.
    """

    def __init__(self, key: bytes | None, *, origin: str, stream: str) -> None:
        """Take the stream's key, None for one with directory bodies only."""
        self.stream = stream
        self._cipher = None if key is None else AESGCM(key)
        self._bound_to = length_prefixed(origin.encode(), stream.encode())

    def __repr__(self) -> str:
        """Show nothing: the stream may be a patient's."""
        return "StreamOpener()"

    def open(self, body: bytes, event_id: str) -> Frame:
        """Return the frame of an event's stored body.

        Raises:
            CorruptionError: `body-unreadable`, when the body does not open with the key here.
        """
        event = event_id.encode()
        return _open(self._cipher, body, self._bound_to + len(event).to_bytes(4, "big") + event)


def _open(cipher: AESGCM | None, body: bytes, aad: bytes) -> Frame:
    if not is_sealed(body):
        return decode_frame(body[1:])
    if cipher is None:
        raise CorruptionError("body-unreadable", detail="the stream's key is missing")
    nonce, sealed = body[1 : 1 + NONCE_BYTES], body[1 + NONCE_BYTES :]
    if len(sealed) < 16:  # noqa: PLR2004 - the GCM tag alone has 16 bytes
        raise CorruptionError("body-unreadable", detail="a body is cut short")
    try:
        return decode_frame(cipher.decrypt(nonce, sealed, aad))
    except InvalidTag:
        raise CorruptionError("body-unreadable", detail="a body does not open") from None
