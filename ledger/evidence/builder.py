"""Gather what proves an event or a record to someone who has no access to the ledger.

The checkpoint decides what is in the file: nothing at or after its size. Besides what is asked for
there are, whole from version 1, the staff streams of everyone whose signature the file relies on,
and so on up to the founding event; and every event that gave the ledger a new checkpoint key.
"""

import base64
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec import UNSET, UnsetType

from ledger.catalogue import is_sealed
from ledger.checkpointing.table import CheckpointTable
from ledger.errors import CorruptionError, NotFoundError, UnavailableError
from ledger.evidence.format import Evidence, EvidenceEvent, OpenedHeads, Subject
from ledger.evidence.heads import newest_heads, open_heads
from ledger.merkle import HashSource, consistency_proof, inclusion_proof
from ledger.reader import LedgerReader
from ledger.rows import Event
from signing.checkpoints import Checkpoint, parse_checkpoint
from signing.errors import SigningError
from signing.notes import parse_note

NOT_COVERED = "no checkpoint covers it yet"
ROTATED_TYPE: Final = "checkpoint-key-rotated.v1"

_MENTIONING: Final = """
SELECT e.event_id
FROM {ledger}.entry AS e JOIN {ledger}.sealed AS s USING (position)
WHERE e.stream = %(stream)s::uuid AND e.position < %(size)s AND position(%(tag)s in s.body) > 0
"""


class _KeptHashes(HashSource):
    """Reads each tile once, for many proofs in one tree."""

    def __init__(self, source: HashSource) -> None:
        self._source = source
        self._kept: dict[tuple[int, int, int], Sequence[bytes]] = {}

    def leaf_hashes(self, start: int, end: int) -> Sequence[bytes]:
        key = 0, start, end
        if key not in self._kept:
            self._kept[key] = self._source.leaf_hashes(start, end)
        return self._kept[key]

    def tile_hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        key = level, start, end
        if key not in self._kept:
            self._kept[key] = self._source.tile_hashes(level, start, end)
        return self._kept[key]


def choose_checkpoint(reader: LedgerReader, subject: Subject) -> bytes:
    """Return the note to prove something by.

    The newest published one, which has its cosignatures, when it covers the whole subject; else
    the newest that was signed.

    Raises:
        UnavailableError: none was signed yet.
    """
    connection, database = reader.store.connection, reader.store.database
    published = CheckpointTable(connection, database, "publication").newest()
    signed = CheckpointTable(connection, database).newest()
    if subject.kind == "record":
        last = max((row.position for row in reader.store.rows_of_streams([subject.id])), default=-1)
    else:
        last = max((row.position for row in reader.store.rows_of_events([subject.id])), default=-1)
    chosen = published if published is not None and published.size > last else signed or published
    if chosen is None:
        raise UnavailableError(NOT_COVERED)
    return chosen.note


def tlog_proof(reader: LedgerReader, event_id: str) -> bytes | None:
    """Return the proof of one event in the form of c2sp.org/tlog-proof, None when not covered yet.

    Raises:
        NotFoundError: `event-unknown`.
        CorruptionError: `checkpoint-inconsistent`.
    """
    rows = reader.store.rows_of_events([event_id])
    if not rows:
        raise NotFoundError("event-unknown", "/path/event_id")
    position = rows[0].position
    try:
        note = choose_checkpoint(reader, Subject(id=event_id, kind="event"))
    except UnavailableError:
        return None
    checkpoint = _checkpoint_of(reader, note)
    if position >= checkpoint.size:
        return None
    proof = inclusion_proof(reader.store, position, checkpoint.size)
    lines = ["c2sp.org/tlog-proof@v1", f"index {position}"]
    lines += [base64.b64encode(node).decode() for node in proof]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + note


def _checkpoint_of(reader: LedgerReader, note: bytes) -> Checkpoint:
    """Read a stored note; it must be of this ledger as it is."""
    try:
        found = parse_checkpoint(parse_note(note).text)
    except SigningError as error:
        raise CorruptionError("checkpoint-inconsistent", detail=error.code) from None
    if (
        found.origin != reader.origin
        or reader.head().size < found.size
        or found.root != reader.root_at(found.size)
    ):
        raise CorruptionError("checkpoint-inconsistent", detail=f"at size {found.size}")
    return found


def build_evidence(
    reader: LedgerReader, subject: Subject, note: bytes, *, with_content: bool = True
) -> Evidence:
    """Build the file that proves an event, or a whole record.

    Args:
        reader: over the ledger.
        subject: what to prove.
        note: a stored checkpoint; everything is proven as of its size.
        with_content: whether the contents of what is proven go into the file. The directory's
            always do, and the enrolment of each signer, which names them.

    Raises:
        NotFoundError: `event-unknown` or `record-unknown`.
        UnavailableError: the checkpoint does not cover it yet.
        CorruptionError: `checkpoint-inconsistent`, or what the reader finds.
    """
    checkpoint = _checkpoint_of(reader, note)
    asked = _asked(reader, subject, checkpoint.size)
    founding = reader.events(-1, 1)[0]
    published = newest_heads(reader, founding.stream, checkpoint.size)
    rotations = _rotations(reader, founding.stream, checkpoint.size)
    found = {event.position: event for event in (founding, *rotations, *asked)}
    if published is not None:
        found[published.position] = published
    _add_signers(reader, found, checkpoint.size)
    source = _KeptHashes(reader.store)
    events = tuple(
        _prove(event, source, checkpoint, with_content=with_content or not _may_hide(event, asked))
        for _, event in sorted(found.items())
    )
    return Evidence(
        checkpoint=note,
        events=events,
        heads=_open(reader, published, _chains(subject, found)),
        origin=reader.origin,
        subject=subject,
    )


def _rotations(reader: LedgerReader, facility: str, size: int) -> list[Event]:
    """Return the events of the facility's stream that gave the ledger a new checkpoint key."""
    store, tag = reader.store, ROTATED_TYPE.encode()
    query = store.database.query(_MENTIONING)
    given = {"stream": facility, "size": size, "tag": tag}
    ids = [str(row[0]) for row in store.connection.execute(query, given).fetchall()]
    return [event for event in reader.events_by_id(ids) if event.statement.type == ROTATED_TYPE]


def _chains(subject: Subject, found: Mapping[int, Event]) -> list[Event]:
    """Return the events of the streams that are whole in the file."""
    return [
        event
        for event in found.values()
        if event.statement.stream_kind == "staff" or event.stream == subject.id
    ]


def _open(
    reader: LedgerReader, published: Event | None, chains: Collection[Event]
) -> OpenedHeads | UnsetType:
    if published is None:
        return UNSET
    opened = open_heads(reader, published, chains)
    return opened if opened.openings else UNSET


def _asked(reader: LedgerReader, subject: Subject, size: int) -> list[Event]:
    if subject.kind == "event":
        event = reader.event(subject.id)
        if event is None:
            raise NotFoundError("event-unknown")
        events = [event]
    else:
        events = reader.stream(subject.id)
        if not events or events[0].statement.stream_kind != "record":
            raise NotFoundError("record-unknown")
    covered = [event for event in events if event.position < size]
    if not covered:
        raise UnavailableError(NOT_COVERED)
    return covered


def _add_signers(reader: LedgerReader, found: dict[int, Event], size: int) -> None:
    """Add the staff streams of all signers, of the signers of those, and so on."""
    known: set[str] = set()
    while missing := _staff_in(found.values()) - known:
        known |= missing
        for event in reader.streams(sorted(missing), up_to=size - 1):
            found[event.position] = event


def _may_hide(event: Event, asked: Sequence[Event]) -> bool:
    return event in asked and is_sealed(event.statement.type)


def _staff_in(events: Collection[Event]) -> set[str]:
    signers = {event.statement.signer for event in events}
    return signers | {e.stream for e in events if e.statement.stream_kind == "staff"}


def _prove(
    event: Event, source: HashSource, checkpoint: Checkpoint, *, with_content: bool
) -> EvidenceEvent:
    proof = inclusion_proof(source, event.position, checkpoint.size)
    seen_proof = UNSET
    if event.statement.seen is not UNSET:
        old = consistency_proof(source, event.statement.seen.size, checkpoint.size)
        seen_proof = tuple(node.hex() for node in old)
    shown = with_content and event.content is not None  # a destroyed content is gone
    return EvidenceEvent(
        container=event.container,
        content=(event.content if shown else None) or UNSET,
        entry=event.entry,
        link_salt=event.link_salt.hex(),
        position=event.position,
        previous=event.previous.hex(),
        proof=tuple(node.hex() for node in proof),
        salt=event.salt if shown else UNSET,
        seen_proof=seen_proof,
        statement=event.statement_bytes,
        version=event.version,
    )
