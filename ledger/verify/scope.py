"""Decide which bodies a verification opens, and say what it leaves out."""

from typing import Final

import msgspec

from ledger.decide import streams_needed
from ledger.errors import CorruptionError, NotFoundError, RejectedError
from ledger.facts import ResourceFacts, read_facts
from ledger.sealing import associated_data, is_sealed, open_body
from ledger.verify.keys import StreamKeys
from ledger.verify.report import OpenedBodies
from ledger.verify.rows import StoredEvent
from ledger.verify.since import Basis
from ledger.verify.snapshot import Snapshot
from signing.errors import SigningError
from signing.statement import parse_statement

WITHOUT_KEY: Final = (
    "without the facility key: of sealed events neither statement, content nor signature was"
    " looked at"
)
WITHOUT_RULES: Final = (
    "without the rules: of events outside the directory neither the content's profile nor the rules"
    " nor roles were looked at; hashes, signatures and the validity of keys were"
)
ONE_RECORD: Final = (
    "one record only: of events outside it, its patient and the directory only the entries were"
    " looked at"
)


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which bodies are opened.

    Attributes:
        streams: whose bodies are opened, besides the directory's; None for all.
        opened: the same in a word.
        notes: what is left out, for the report.
        old_streams: whose bodies are opened below the size of a note that is rested on.
    """

    streams: frozenset[str] | None
    opened: OpenedBodies = "all"
    notes: tuple[str, ...] = ()
    old_streams: frozenset[str] = frozenset()


def choose_scope(
    snapshot: Snapshot,
    *,
    keys: StreamKeys | None,
    origin: str,
    record: str | None,
    basis: Basis | None,
) -> Scope:
    """Choose by the keys at hand, the record asked for, and the note to rest on.

    Raises:
        NotFoundError: there is no such record.
    """
    if record is None:
        if keys is None:
            return Scope(streams=frozenset(), opened="directory", notes=(WITHOUT_KEY,))
        old = frozenset[str]() if basis is None else _going_on(snapshot, keys, origin, basis.size)
        return Scope(streams=None, old_streams=old)
    patient = _patient_of(snapshot, record, keys, origin)
    if keys is None:
        return Scope(streams=frozenset(), opened="directory", notes=(WITHOUT_KEY, ONE_RECORD))
    streams = frozenset((record, *patient))
    return Scope(streams=streams, opened="record", notes=(ONE_RECORD,))


def _going_on(snapshot: Snapshot, keys: StreamKeys, origin: str, size: int) -> frozenset[str]:
    """Return the streams whose old events the judging of the new ones needs."""
    needed = snapshot.streams_from(size)
    for page in snapshot.openings_from(size):
        keys.add(snapshot.keys_of(keys.missing({row.stream for row in page})))
        for row in page:
            needed.update(_needs(row, keys, origin))
    return frozenset(needed)


def _needs(row: StoredEvent, keys: StreamKeys, origin: str) -> tuple[str, ...]:
    """Return the other streams that the rules look at for an event, as far as it can be read."""
    aad = associated_data(origin, row.stream, row.event_id)
    try:
        frame = open_body(row.body or b"", key=keys.key(row.stream), aad=aad)
        statement = parse_statement(frame.statement)
        return streams_needed(statement, read_facts(statement, frame.content))
    except (CorruptionError, SigningError, RejectedError, RecursionError):
        return ()  # the pass will say why


def founding_origin(snapshot: Snapshot) -> str | None:
    """Return the origin that the founding statement names, or None when it cannot be read."""
    body = snapshot.first_body()
    if body is None:
        return None
    try:
        if is_sealed(body):
            return None
        return parse_statement(open_body(body, key=None, aad=b"").statement).ledger
    except (CorruptionError, SigningError):
        return None


def _patient_of(
    snapshot: Snapshot, record: str, keys: StreamKeys | None, origin: str
) -> tuple[str, ...]:
    """Return the patient of a record, or nothing when its first event does not say."""
    found = snapshot.first_of_stream(record)
    if found is None:
        raise NotFoundError("record-unknown", detail="there is no such record")
    if keys is None:
        return ()
    keys.add(snapshot.keys_of(keys.missing([record])))
    aad = associated_data(origin, found.stream, found.event_id)
    try:
        frame = open_body(found.body or b"", key=keys.key(found.stream), aad=aad)
        facts = read_facts(parse_statement(frame.statement), frame.content)
    except (CorruptionError, SigningError, RejectedError):
        return ()  # the pass will say why
    return (facts.patient,) if isinstance(facts, ResourceFacts) else ()
