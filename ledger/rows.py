"""Name the values that pass between storage and everything above it.

Hashes are raw bytes of 32; hex and base64 live at the edge. Stream and event ids are canonical
lower-case UUID text, except in `EntryRow`, which is a row as the database returns it.
"""

import base64
from uuid import UUID

import msgspec

from ledger.entry import decode_entry
from ledger.merkle import root_of
from signing.statement import Statement, format_time_ms


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One stored event exactly as it lies in the database; nothing in it has been checked.

    Attributes:
        entry: the 108 bytes that entered the Merkle log.
        previous: leaf hash stored for the stream's previous version, zeros for version 1, b"" when
            that row is missing.
        body: the sealed body, or None when its row is gone (destroyed, or tampered with).
    """

    position: int
    stream: UUID
    version: int
    event_id: UUID
    entry: bytes
    leaf_hash: bytes
    link_salt: bytes
    previous: bytes
    body: bytes | None

    def __repr__(self) -> str:
        """Show the place only."""
        return f"EntryRow(position={self.position})"


class BareEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event, opened, without the bytes that prove it: what folds need.

    Attributes:
        received_at_ms: the ledger's clock, milliseconds since 1970.
        content: the exact bytes as submitted, or None when they were lawfully destroyed.
    """

    position: int
    stream: str
    version: int
    event_id: str
    received_at_ms: int
    statement: Statement
    content: bytes | None

    def __repr__(self) -> str:
        """Show the place only: the rest is about a patient."""
        return f"{type(self).__name__}(position={self.position})"


class Event(BareEvent, frozen=True, kw_only=True):
    """One event, opened: its bytes met their digests.

    Attributes:
        statement_bytes: the exact bytes that the author signed.
        container: the exact bytes of the signature container.
        salt: the 32 bytes that salt the content digest.
    """

    entry: bytes
    leaf_hash: bytes
    link_salt: bytes
    previous: bytes
    statement_bytes: bytes
    container: bytes
    salt: bytes


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The committed tree: its size, root, and the hashes of its perfect subtrees, largest first."""

    size: int
    root: bytes
    peaks: tuple[bytes, ...]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger acknowledges after COMMIT (ARCHITECTURE §5.5).

    `head_size` is always position + 1 and `head_root` the root of that tree: the first head that
    contains the event. So a retry, however late, yields the very same receipt.

    Attributes:
        head_peaks: of that tree, as in `Head`. To fold them into its root takes ten hashes, which
            whoever shows the receipt does, not the sequencer.
    """

    event_id: str
    stream: str
    position: int
    version: int
    received_at_ms: int
    entry: bytes
    previous: bytes
    link_salt: bytes
    leaf_hash: bytes
    head_size: int
    head_peaks: tuple[bytes, ...]

    @property
    def head_root(self) -> bytes:
        """The root of the tree of `head_size`."""
        return root_of(self.head_peaks)

    def as_json(self) -> dict[str, object]:
        """Return the receipt in its public JSON form (docs/format.md)."""
        return {
            "event_id": self.event_id,
            "stream": self.stream,
            "position": self.position,
            "version": self.version,
            "received_at": format_time_ms(self.received_at_ms),
            "entry": base64.b64encode(self.entry).decode(),
            "previous": self.previous.hex(),
            "link_salt": self.link_salt.hex(),
            "leaf_hash": self.leaf_hash.hex(),
            "head": {"size": self.head_size, "root": self.head_root.hex()},
        }


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a submission: its receipt, and whether this very call appended it.

    `created` is False when the same statement had been accepted before (HTTP 200, not 201).
    """

    receipt: Receipt
    created: bool

    def is_of(self, statement_digest: bytes) -> bool:
        """Tell whether the receipt is of the statement with this digest."""
        return decode_entry(self.receipt.entry).statement_digest == statement_digest
