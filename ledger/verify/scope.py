"""Decide which bodies a verification opens, and say what it leaves out."""

from typing import Final

import msgspec

from ledger.errors import CorruptionError, NotFoundError, RejectedError
from ledger.facts import ResourceFacts, read_facts
from ledger.sealing import associated_data, is_sealed, open_body
from ledger.verify.keys import StreamKeys
from ledger.verify.report import OpenedBodies
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
    """

    streams: frozenset[str] | None
    opened: OpenedBodies = "all"
    notes: tuple[str, ...] = ()


def choose_scope(
    snapshot: Snapshot, *, keys: StreamKeys | None, origin: str, record: str | None
) -> Scope:
    """Choose by the keys at hand and the record asked for.

    Raises:
        NotFoundError: there is no such record.
    """
    if record is None:
        if keys is None:
            return Scope(streams=frozenset(), opened="directory", notes=(WITHOUT_KEY,))
        return Scope(streams=None)
    patient = _patient_of(snapshot, record, keys, origin)
    if keys is None:
        return Scope(streams=frozenset(), opened="directory", notes=(WITHOUT_KEY, ONE_RECORD))
    streams = frozenset((record, *patient))
    return Scope(streams=streams, opened="record", notes=(ONE_RECORD,))


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
