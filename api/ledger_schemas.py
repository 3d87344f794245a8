"""Say what `GET /v1/ledger` answers: which ledger this is, and how it stands."""

import msgspec

from api.schemas import TreeHead
from ledger.roles import Role
from signing.statement import StreamKind


class EventTypeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One type of event that this ledger accepts."""

    type: str
    stream_kinds: tuple[StreamKind, ...]
    media_type: str
    content: str
    authors: tuple[Role, ...]


class Genesis(msgspec.Struct, frozen=True, kw_only=True):
    """The first entry: with origin and checkpoint key, the anchor of all trust."""

    leaf_hash: str
    received_at: str


class CheckpointKeyInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint key of the ledger, present or past.

    Attributes:
        key: C2SP verifier key text.
        position: of the event that names it: it signs checkpoints of larger sizes, up to the
            position of the next one.
    """

    key: str
    position: int


class LedgerKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger's own keys.

    Attributes:
        checkpoint: the checkpoint key in force, as a C2SP verifier key text.
        checkpoints: all that there were, by position; the last one is in force.
    """

    checkpoint: str
    checkpoints: tuple[CheckpointKeyInfo, ...]


class Succeeded(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger that this one succeeds, as the founding event says.

    Attributes:
        genesis: leaf hash of its first entry.
        checkpoint_key: verifier key that signed its checkpoints.
        size: of its last good checkpoint.
        root: of that.
        cosigned_size: of its last cosigned one; 0 for none.
        reason: why it could not go on.
    """

    origin: str
    genesis: str
    checkpoint_key: str
    size: int
    root: str
    cosigned_size: int
    reason: str


class LedgerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Which ledger this is, and a head that is at most a second old.

    Attributes:
        succeeds: the ledger before this one; null for none.
        successor: origin of the ledger that succeeds this one, which takes no more events; null.
    """

    origin: str
    facility: str
    genesis: Genesis
    keys: LedgerKeys
    clock: str
    head: TreeHead
    types: tuple[EventTypeInfo, ...]
    succeeds: Succeeded | None
    successor: str | None
