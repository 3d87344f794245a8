"""Hold what the rules need to know of the ledger: the directory, and one state per stream.

Both are mutable, owned by one caller (the sequencer, a verifying process), changed only by
`ledger.evolve` and rebuilt by replaying events through it. They hold no clinical content: ids,
types, statuses and digests.
"""

from typing import Literal

import msgspec

from ledger.checkpoint_keys import CheckpointKey
from ledger.profiles.facts import SetAsideFacts, SuccessionFacts
from ledger.roles import Role, StaffKind
from signing.statement import StreamKind

RETRACTED = "entered-in-error"
"""Status of a retracted entry (FHIR's word for all kinds of resource)."""

CANCELLED = "revoked"
"""Status of a cancelled order (FHIR request-status)."""


class KeyState(msgspec.Struct, kw_only=True):
    """Know one enrolled key.

    Attributes:
        key_id: SHA-256 of `spki`, hex.
        alg: the only algorithm it may sign with.
        spki: SubjectPublicKeyInfo, DER.
        staff: stream id of its subject, for ever.
        enrolled_at_position: valid from this position,
        revoked_at_position: up to and including this one; None: not revoked.
        certificate: DER of the certificate shown at enrolment, or None.
    """

    key_id: str
    alg: str
    spki: bytes
    staff: str
    enrolled_at_position: int
    revoked_at_position: int | None = None
    certificate: bytes | None = None

    def is_valid_at(self, position: int) -> bool:
        """Tell whether the key may sign the event at a position."""
        revoked = self.revoked_at_position
        return self.enrolled_at_position <= position and (revoked is None or position <= revoked)

    def __repr__(self) -> str:
        return f"<KeyState {self.key_id[:16]}>"


class StaffState(msgspec.Struct, kw_only=True):
    """Know one member of staff, person or device.

    Attributes:
        stream: id of the staff stream.
        kind: person or device.
        roles: what is held now.
        key_ids: of every key ever enrolled, in order.
    """

    stream: str
    kind: StaffKind
    roles: frozenset[Role] = frozenset()
    key_ids: list[str] = msgspec.field(default_factory=list[str])

    def __repr__(self) -> str:
        return f"<StaffState {self.stream}>"


class DirectoryState(msgspec.Struct, kw_only=True):
    """Know the facility: its founding, policy, staff, keys and roles.

    Attributes:
        origin: of the ledger; "" before it is founded.
        facility: id of the facility's stream; "" before it is founded.
        checkpoint_keys: by position, the founding event's first; none may ever be enrolled.
        keys: every key ever enrolled, by key_id.
        staff: every member of staff, by stream id.
        nonces: nonces of all possession proofs seen, so that none is used twice.
        policy_version: of the policy in force; 0 before the first.
        policy_position: where it was set; None before the first.
        heads_size: of the tree whose heads were published last; 0 before the first.
        set_aside: recorded decisions to set entries aside, by position.
        succeeds: the ledger that this one succeeds, or None.
    """

    origin: str = ""
    facility: str = ""
    checkpoint_keys: list[CheckpointKey] = msgspec.field(default_factory=list[CheckpointKey])
    keys: dict[str, KeyState] = msgspec.field(default_factory=dict[str, KeyState])
    staff: dict[str, StaffState] = msgspec.field(default_factory=dict[str, StaffState])
    nonces: set[str] = msgspec.field(default_factory=set[str])
    policy_version: int = 0
    policy_position: int | None = None
    heads_size: int = 0
    set_aside: list[SetAsideFacts] = msgspec.field(default_factory=list[SetAsideFacts])
    succeeds: SuccessionFacts | None = None

    @classmethod
    def empty(cls) -> "DirectoryState":
        """Start as the ledger does: not founded."""
        return cls()

    @property
    def checkpoint_key(self) -> str:
        """The verifier key text of the checkpoint key in force now; "" before it is founded."""
        return self.checkpoint_keys[-1].vkey if self.checkpoint_keys else ""

    def key_for(self, key_id: str) -> KeyState | None:
        """Find a key, valid or revoked, by its id."""
        return self.keys.get(key_id)

    def keys_of(self, staff: str) -> list[KeyState]:
        """List a member's keys in the order of enrolment; empty for unknown staff."""
        member = self.staff.get(staff)
        return [] if member is None else [self.keys[key_id] for key_id in member.key_ids]

    def roles_of(self, staff: str) -> frozenset[Role]:
        """List the roles that a member holds now; empty for unknown staff."""
        member = self.staff.get(staff)
        return frozenset() if member is None else member.roles

    def __repr__(self) -> str:
        return f"<DirectoryState {len(self.staff)} staff, {len(self.keys)} keys>"


class EventSummary(msgspec.Struct, kw_only=True):
    """Know of one event what later events of its stream may ask.

    Attributes:
        type: its tag.
        statement_digest: SHA-256 of the statement, 32 bytes.
        signer: staff stream id of its author.
        position: in the ledger.
        version: in its stream.
        root: event_id of the first event of its amendment chain; its own if it amends nothing.
        newest: event_id of the newest of the chain; kept on the root only, "" elsewhere.
        status: FHIR status of the newest version, on the root; "entered-in-error" once
            retracted, "revoked" for a cancelled order; "" for types that have none.
        resource_type: of the content; of a Bundle its first resource; "" for documents.
        resource_id: FHIR id of that resource; "" for documents.
        category: an order's category, a note's form code, a record's type code, else "".
        members: ids of the further resources of a Bundle.
        order: for a result: root event_id of the order it answers, else "".
        results: for an order: root event_ids of the results that answer it.
    """

    type: str
    statement_digest: bytes
    signer: str
    position: int
    version: int
    root: str
    newest: str = ""
    status: str = ""
    resource_type: str = ""
    resource_id: str = ""
    category: str = ""
    members: tuple[str, ...] = ()
    order: str = ""
    results: tuple[str, ...] = ()

    @property
    def is_retracted(self) -> bool:
        """Tell whether the chain whose root this is was marked entered-in-error."""
        return self.status == RETRACTED

    def __repr__(self) -> str:
        return f"<EventSummary {self.type}>"


class StreamState(msgspec.Struct, kw_only=True):
    """Know one stream.

    Attributes:
        stream: its id.
        kind: "" while nothing was written to it.
        version: of its newest event; 0 for none. Set by the caller of `evolve`.
        leaf_hash: of its newest event; b"" for none. Set by the caller of `evolve`.
        events: by event_id, in order of version.
        resources: event_id of the chain root that owns a resource, by the resource's id.
        closed: whether a record takes only amendments and retractions any more.
        patient: of a record: the patient's stream id; "" elsewhere.
    """

    stream: str
    kind: StreamKind | Literal[""] = ""
    version: int = 0
    leaf_hash: bytes = b""
    events: dict[str, EventSummary] = msgspec.field(default_factory=dict[str, EventSummary])
    resources: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    closed: bool = False
    patient: str = ""

    @classmethod
    def empty(cls, stream: str) -> "StreamState":
        """Start as a stream does: nothing written."""
        return cls(stream=stream)

    def root_of(self, event_id: str) -> EventSummary | None:
        """Find the root of an event's amendment chain, or None when there is no such event."""
        summary = self.events.get(event_id)
        return None if summary is None else self.events[summary.root]

    def __repr__(self) -> str:
        return f"<StreamState {self.stream} version {self.version}>"
