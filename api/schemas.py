"""Say what the HTTP bodies look like. What clients send is closed: unknown fields are refused.

Hashes are lower-case hex, binary values standard base64, times `YYYY-MM-DDTHH:MM:SS.mmmZ`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from typing_extensions import override

from api.problems import Problem
from ledger.roles import Role, StaffKind
from signing.statement import (
    TYPE_PATTERN,
    HashText,
    StreamKind,
    TimeText,
    UuidText,
)
from signing.statement import Ref as StatementRef

MAX_BATCH_EVENTS = 500

Encoding = Literal["utf-8", "base64"]
Text = Annotated[str, Meta(max_length=200)]


class Ref(StatementRef, frozen=True, kw_only=True):
    """A reference as clients write it: with the forms that a statement's parser demands."""

    event_id: UuidText
    statement: HashText


class EventSubmission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signed event, as its author's client submits it.

    Attributes:
        statement: exact text that was signed.
        signature: exact text of the signature container.
        content: as text, or in base64 when `content_encoding` says so.
        salt: the 32 bytes of the content digest, in base64.
    """

    statement: str
    signature: str
    content: str
    salt: Annotated[str, Meta(max_length=64)]
    content_encoding: Encoding = "utf-8"

    @override
    def __repr__(self) -> str:
        return "EventSubmission()"  # it is a patient's


class EventBatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Events to append in this order."""

    events: Annotated[tuple[EventSubmission, ...], Meta(min_length=1, max_length=MAX_BATCH_EVENTS)]


class TreeHead(msgspec.Struct, frozen=True, kw_only=True):
    """A committed tree: number of entries, and Merkle root."""

    size: int
    root: str


class EventReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger acknowledges, once it is durable.

    Attributes:
        entry: the 108 bytes that entered the Merkle log, base64.
        previous: leaf hash of the stream's previous entry, zeros for the first.
        link_salt: opens the entry's link together with `version` and `previous`.
        head: the first tree that contains the event (its size is position + 1).
    """

    event_id: str
    stream: str
    position: int
    version: int
    received_at: str
    entry: str
    previous: str
    link_salt: str
    leaf_hash: str
    head: TreeHead


class BatchResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to one event of a batch: a receipt (201; 200 if it came before) or a problem."""

    status: int
    receipt: EventReceipt | None = None
    problem: Problem | None = None


class BatchResults(msgspec.Struct, frozen=True, kw_only=True):
    """One result per event, in the order of the batch."""

    results: tuple[BatchResult, ...]


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the ledger holds it (docs/format.md, event in JSON).

    Attributes:
        signature: exact text of the signature container.
        content: None when it was lawfully destroyed.
    """

    event_id: str
    stream: str
    position: int
    version: int
    received_at: str
    entry: str
    previous: str
    link_salt: str
    leaf_hash: str
    statement: str
    signature: str
    salt: str
    content: str | None
    content_encoding: Encoding
    content_status: Literal["present", "destroyed"]

    @override
    def __repr__(self) -> str:
        return "StoredEvent()"  # it is a patient's


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the ledger, by position; ask again with `after` = `next`."""

    events: tuple[StoredEvent, ...]
    head: TreeHead
    next: int


class Inclusion(msgspec.Struct, frozen=True, kw_only=True):
    """Proof that an event is in the tree of a size (RFC 9162 §2.1.3): hashes from leaf to root."""

    event_id: str
    position: int
    leaf_hash: str
    size: int
    root: str
    proof: tuple[str, ...]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who the bearer of the token is to this ledger; `expires_at` is the token's."""

    staff: str
    kind: StaffKind
    roles: tuple[Role, ...]
    key_id: str
    expires_at: str


class StatementDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event before it is signed.

    Attributes:
        event_id: the idempotency key; absent: a fresh UUIDv7.
        occurred_at: when it was true for the patient; absent: now.
        media_type: absent: the one of the type.
        signer: who will sign; absent: the principal, with the token's key.
        key_id: with which key; required together with `signer`.
    """

    type: Annotated[str, Meta(pattern=TYPE_PATTERN, max_length=64)]
    stream: UuidText
    stream_kind: StreamKind
    content: str
    content_encoding: Encoding = "utf-8"
    event_id: UuidText | None = None
    occurred_at: TimeText | None = None
    media_type: Annotated[str, Meta(max_length=100)] | None = None
    refs: tuple[Ref, ...] = ()
    signer: UuidText | None = None
    key_id: HashText | None = None

    @override
    def __repr__(self) -> str:
        return "StatementDraft()"  # it is a patient's


class PreparedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What the author signs, and what to submit with the signature.

    Attributes:
        salt: base64, to be submitted unchanged.
        signing_input: base64 of the exact bytes to sign (RFC 7797 §3). The container is then
            `{"format":"jws","value":"HEADER..SIGNATURE"}`: HEADER is what stands before the first
            dot of the signing input, SIGNATURE the base64url (unpadded) of the raw signature
            (ECDSA: r || s).
    """

    statement: str
    salt: str
    signing_input: str


class PatientSearch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of the patient; everything given must match.

    Attributes:
        text: any words: of the name, a birth date, an identifier or its beginning.
        name: words of the name, in any order, with or without accents.
        birth_date: full or partial, `YYYY[-MM[-DD]]` or day first.
        identifier: a whole identifier, `SYSTEM|VALUE` or `VALUE`.
        after: `next` of the page before.
    """

    text: Text = ""
    name: Text = ""
    birth_date: Text = ""
    identifier: Text = ""
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    after: Annotated[str, Meta(max_length=100)] | None = None

    @override
    def __repr__(self) -> str:
        return "PatientSearch()"  # it is a patient's


class StaffKey(msgspec.Struct, frozen=True, kw_only=True):
    """An enrolled key: valid from its enrolling position up to and including its revoking one.

    Attributes:
        spki: SubjectPublicKeyInfo DER, base64; so is `certificate`.
    """

    key_id: str
    alg: str
    spki: str
    enrolled_at_position: int
    revoked_at_position: int | None
    certificate: str | None


class StaffKeys(msgspec.Struct, frozen=True, kw_only=True):
    """Every key ever enrolled for a member of staff, in order."""

    keys: tuple[StaffKey, ...]


class PossessionNonce(msgspec.Struct, frozen=True, kw_only=True):
    """A nonce for one possession proof of one member of staff."""

    nonce: str
    expires_at: str
