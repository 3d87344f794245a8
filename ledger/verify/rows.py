"""Name the stored rows that a verification reads, as they are stored."""

from typing import NamedTuple


class LedgerRow(NamedTuple):
    """A row of `ledger`."""

    one: bool
    origin: str
    facility_key_id: str


class HeadRow(NamedTuple):
    """A row of `head`."""

    one: bool
    size: int
    root: bytes
    peaks: bytes


class KeyRow(NamedTuple):
    """A row of `stream_key`."""

    stream: str
    stream_kind: str
    wrapped: bytes
    facility_key_id: str


class StoredEntry(NamedTuple):
    """A row of `entry`, as stored; ids as 16 bytes."""

    position: int
    stream: bytes
    version: int
    event_id: bytes
    entry: bytes
    leaf_hash: bytes
    link_salt: bytes


class StoredEvent(NamedTuple):
    """What must be known of a row of `entry` to open its body, and the body if it has one."""

    position: int
    stream: str
    event_id: str
    entry: bytes
    body: bytes | None


class StoredTile(NamedTuple):
    """A row of `tile`, as stored."""

    level: int
    number: int
    hash: bytes


class CheckpointRow(NamedTuple):
    """A row of `checkpoint` or `publication`, as stored."""

    number: int
    size: int
    note: bytes
