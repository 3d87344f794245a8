"""Encode and decode entries: the 108 bytes of an event that enter the Merkle tree.

An entry holds nothing personal and does not betray its stream (docs/format.md, Entry).
"""

import hashlib
import struct
from typing import Final

import msgspec

from ledger.errors import CorruptionError

ENTRY_BYTES: Final = 108
ZERO_HASH: Final = bytes(32)
"""Stands for the previous leaf hash of a stream's first entry."""
LINK_PREFIX: Final = b"clinledger/link/v1\n"
MAX_TIME_MS: Final = 253_402_300_799_999  # the last millisecond of the year 9999
MAGIC: Final = b"CLE1"
"""The first four bytes of an entry."""

_LAYOUT: Final = struct.Struct(">4sQ32s32s32s")
_VERSION: Final = struct.Struct(">Q")
_HASH_BYTES: Final = 32


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The decoded form of an entry.

    Attributes:
        received_at_ms: the ledger's clock, milliseconds since 1970.
        link: salted hash that ties the event to its stream's previous one; see `link_hash`.
        statement_digest: SHA-256 of the statement's bytes.
        container_digest: SHA-256 of the container's bytes.
    """

    received_at_ms: int
    link: bytes
    statement_digest: bytes
    container_digest: bytes


def encode_entry(entry: Entry) -> bytes:
    """Return the 108 bytes of an entry.

    Raises:
        ValueError: the time is outside 1970 to 9999 or a hash does not have 32 bytes.
    """
    link, statement, container = entry.link, entry.statement_digest, entry.container_digest
    if not 0 <= entry.received_at_ms <= MAX_TIME_MS:
        raise ValueError("the time is outside 1970 to 9999")
    if not len(link) == len(statement) == len(container) == _HASH_BYTES:
        raise ValueError("a hash does not have 32 bytes")  # pack would pad or cut in silence
    return _LAYOUT.pack(MAGIC, entry.received_at_ms, link, statement, container)


def decode_entry(data: bytes) -> Entry:
    """Decode the 108 bytes of an entry.

    Raises:
        CorruptionError: ``entry-malformed``.
    """
    if len(data) != ENTRY_BYTES or data[:4] != MAGIC:
        raise CorruptionError("entry-malformed")
    _, received_at_ms, link, statement, container = _LAYOUT.unpack(data)
    if received_at_ms > MAX_TIME_MS:
        raise CorruptionError("entry-malformed")
    return Entry(
        received_at_ms=received_at_ms,
        link=link,
        statement_digest=statement,
        container_digest=container,
    )


def link_hash(salt: bytes, version: int, previous: bytes) -> bytes:
    """Return the link of an entry to its stream's previous one.

    Args:
        salt: 32 random bytes of this entry, stored beside it and never published.
        version: place in the stream, from 1.
        previous: leaf hash of the stream's previous entry, `ZERO_HASH` for version 1.

    Raises:
        ValueError: a value has the wrong length or range.
    """
    if len(salt) != _HASH_BYTES or len(previous) != _HASH_BYTES or version < 1:
        raise ValueError("salt and previous have 32 bytes, versions start at 1")
    return hashlib.sha256(LINK_PREFIX + salt + _VERSION.pack(version) + previous).digest()
