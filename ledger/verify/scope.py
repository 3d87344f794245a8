"""Decide which bodies a verification opens, and say what it leaves out."""

from typing import Final

import msgspec

from ledger.errors import CorruptionError, NotFoundError, RejectedError
from ledger.facts import ResourceFacts, read_facts
from ledger.sealing import associated_data, is_sealed, open_body
from ledger.verify.keys import StreamKeys
from ledger.verify.snapshot import Snapshot
from signing.errors import SigningError
from signing.statement import parse_statement

WITHOUT_KEY: Final = (
    "without the facility key: of sealed events neither statement, content nor signature was"
    " looked at"
)
ONE_RECORD: Final = (
    "one record only: of events outside it, its patient and the directory only the entries were"
    " looked at"
)


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which bodies are opened.

    Attributes:
        streams: whose bodies are opened, besides the directory's; None for all.
        notes: what is left out, for the report.
    """

    streams: frozenset[str] | None
    notes: tuple[str, ...] = ()

    def opens(self, stream: str, body: bytes) -> bool:
        """Tell whether this body is to be opened."""
        return self.streams is None or stream in self.streams or body[:1] != b"\x01"


def choose_scope(
    snapshot: Snapshot, *, keys: StreamKeys | None, origin: str, record: str | None
) -> Scope:
    """Choose by the keys at hand and the record asked for.

    Raises:
        NotFoundError: there is no such record.
    """
    if record is None:
        if keys is None:
            return Scope(streams=frozenset(), notes=(WITHOUT_KEY,))
        return Scope(streams=None)
    patient = _patient_of(snapshot, record, keys, origin)
    if keys is None:
        return Scope(streams=frozenset(), notes=(WITHOUT_KEY, ONE_RECORD))
    streams = (record, *patient, *keys.of_kind("staff"))
    return Scope(streams=frozenset(streams), notes=(ONE_RECORD,))


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
    row, body = found
    aad = associated_data(origin, row.stream, row.event_id)
    try:
        frame = open_body(body, key=keys.key(row.stream), aad=aad)
        facts = read_facts(parse_statement(frame.statement), frame.content)
    except (CorruptionError, SigningError, RejectedError):
        return ()  # the pass will say why
    return (facts.patient,) if isinstance(facts, ResourceFacts) else ()
