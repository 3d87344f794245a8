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


class EntryBlock(NamedTuple):
    """The rows of `entry` at up to 256 positions by columns: the values of each, joined.

    Where a link salt, an entry or a leaf hash is not as long as it should be, all columns are
    empty. Of a value that is null there is nothing, and its column is too short.

    Attributes:
        first: position at which the block begins.
        positions: 8 bytes each.
        event_ids: 16 bytes each.
        chains: stream, version and link salt: 16, 8 and 32 bytes each.
        entries: 108 bytes each.
        leaf_hashes: 32 bytes each.
    """

    first: int
    positions: bytes
    event_ids: bytes
    chains: bytes
    entries: bytes
    leaf_hashes: bytes


class StoredEvent(NamedTuple):
    """What must be known of a row of `entry` to open its body, and the body if it has one."""

    position: int
    stream: str
    event_id: str
    entry: bytes
    body: bytes | None


class OddBody(NamedTuple):
    """A position at which entry and sealed body are not both there."""

    has_entry: bool
    position: int


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
