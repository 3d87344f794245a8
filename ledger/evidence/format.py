"""Define the evidence file: what is in it, and its one spelling (docs/evidence.md).

Strict JSON as in docs/format.md §1; the fields stand in the order of their encoding.
"""

from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from ledger.errors import RejectedError

EVIDENCE_FORMAT: Final = "clinledger/evidence/v1"
MAX_EVIDENCE_BYTES: Final = 64 * 1024 * 1024
"""What the verifier takes; no more is ever written."""

SUFFIX: Final = ".clinledger-evidence"


class EvidenceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event with all that proves it.

    Attributes:
        container: signature container, exact bytes.
        content: exact bytes; absent when left out.
        entry: 108 bytes.
        link_salt: hex.
        position: in the ledger, from 0.
        previous: leaf hash of the stream's previous event, hex; zeros for version 1.
        proof: inclusion proof to the checkpoint's size, hex, from the leaf upwards.
        salt: of the content; absent when that is left out, for short contents could be guessed.
        seen_proof: consistency proof from the size that the author had seen to the checkpoint's.
        statement: exact bytes.
        version: in the stream, from 1.
    """

    container: bytes
    content: bytes | UnsetType = UNSET
    entry: bytes
    link_salt: str
    position: int
    previous: str
    proof: tuple[str, ...]
    salt: bytes | UnsetType = UNSET
    seen_proof: tuple[str, ...] | UnsetType = UNSET
    statement: bytes
    version: int

    def __repr__(self) -> str:
        return f"<EvidenceEvent {self.position}>"


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """One stream's leaf in the tree of published heads.

    Attributes:
        index: of the leaf.
        leaf_hash: of the stream's newest event as of the heads' size, hex.
        proof: inclusion proof in the tree of heads, hex.
        stream: its id.
        version: of that newest event.
    """

    index: int
    leaf_hash: str
    proof: tuple[str, ...]
    stream: str
    version: int


class OpenedHeads(msgspec.Struct, frozen=True, kw_only=True):
    """The heads of the streams relied on, as one event published them.

    Attributes:
        event_id: of the `heads-published` event, which is among the file's events.
        openings: one for each stream, by stream id.
    """

    event_id: str
    openings: tuple[Opening, ...]


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What the file is about.

    Attributes:
        id: event_id of the event, or stream id of the record.
        kind: which of both.
    """

    id: str
    kind: Literal["event", "record"]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file.

    Attributes:
        checkpoint: the signed note, exact bytes, with the cosignatures it has.
        events: all that is proven or relied on, by position, the founding event first.
        format: constant.
        heads: openings of published heads; absent when none cover the file.
        origin: of the ledger.
        subject: what the file is about.
    """

    checkpoint: bytes
    events: tuple[EvidenceEvent, ...]
    format: Literal["clinledger/evidence/v1"] = EVIDENCE_FORMAT
    heads: OpenedHeads | UnsetType = UNSET
    origin: str
    subject: Subject

    def __repr__(self) -> str:
        return f"<Evidence of {len(self.events)} events>"


def encode_evidence(evidence: Evidence) -> bytes:
    """Return the bytes of a file.

    Raises:
        RejectedError: `evidence-too-large`: no verifier would read it.
    """
    data = msgspec.json.encode(evidence)
    if len(data) > MAX_EVIDENCE_BYTES:
        raise RejectedError("evidence-too-large", "", "prove it without content, or by events")
    return data
