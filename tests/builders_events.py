"""Events with sensible defaults for folds and views: whole chains of bytes, but nobody's signature.

Digests, entries and links are real, so that events can be stored and read back; containers are
not, because folds and views do not judge them.
"""

import hashlib
from collections.abc import Sequence
from typing import TypedDict

import msgspec
from typing_extensions import Unpack

from ledger.content import content_digest
from ledger.entry import ZERO_HASH, Entry, encode_entry, link_hash
from ledger.merkle import leaf_hash
from ledger.rows import Event
from signing.statement import (
    ContentClaim,
    Ref,
    Relation,
    Statement,
    StreamKind,
    encode_statement,
    format_time_ms,
    statement_digest,
)

ORIGIN = "bvdk.quangninh.example/ledger"
START_MS = 1_790_000_000_000
CONTAINER = b'{"format":"jws","value":"e30..AA"}'
DOCTOR = "019a0000-0000-7000-9000-000000000001"
NURSE = "019a0000-0000-7000-9000-000000000002"
LAB = "019a0000-0000-7000-9000-000000000003"
RECORD_TYPE = "https://clinledger.example/fhir/vn/CodeSystem/record-type"
CITIZEN_ID = "https://clinledger.example/fhir/vn/sid/citizen-id"
ORDER_NUMBER = "https://clinledger.example/fhir/vn/sid/order-number"
RECORD_NUMBER = "https://clinledger.example/fhir/vn/sid/record-number"
AMENDMENT = "application/vnd.clinledger.amendment+json"
FHIR = "application/fhir+json"
PLAIN = "application/json"
_KEY_ID = "ab" * 32
Pair = tuple[str, str]


class Given(TypedDict, total=False):
    """What a test may set of an event; `refs` are pairs of relation and event."""

    signer: str
    media_type: str
    refs: Sequence[tuple[Relation, Event]]
    event_id: str
    occurred_at_ms: int


def uuid_text(number: int) -> str:
    """Return the UUIDv7 with this number."""
    return f"019a0000-0000-7000-8000-{number:012x}"


class World:
    """A ledger in memory: each call appends one event, received a second after the one before."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._newest: dict[str, Event] = {}
        self._ids = 0

    def new_id(self) -> str:
        """Return an id not used before."""
        self._ids += 1
        return uuid_text(self._ids)

    def add(
        self, tag: str, stream: str, kind: StreamKind, content: object, **given: Unpack[Given]
    ) -> Event:
        """Append an event.

        Args:
            tag: event type.
            stream: where to.
            kind: of the stream.
            content: bytes, or a value to be encoded as JSON.
            given: see `Given`.
        """
        data = content if isinstance(content, bytes) else msgspec.json.encode(content)
        position, before = len(self.events), self._newest.get(stream)
        received = START_MS + 1000 * position
        salt = hashlib.sha256(f"salt {position}".encode()).digest()
        statement = Statement(
            alg="ES256",
            content=ContentClaim(
                digest=content_digest(salt, data).hex(),
                media_type=given.get("media_type", FHIR),
                size=len(data),
            ),
            event_id=given.get("event_id") or self.new_id(),
            format="clinledger/statement/v1",
            key_id=_KEY_ID,
            ledger=ORIGIN,
            occurred_at=format_time_ms(given.get("occurred_at_ms", received - 60_000)),
            refs=_refs(given.get("refs", ())) or msgspec.UNSET,
            signed_at=format_time_ms(received - 30_000),
            signer=given.get("signer", DOCTOR),
            stream=stream,
            stream_kind=kind,
            type=tag,
        )
        event = _event(statement, data, salt=salt, received=received, place=(position, before))
        self.events.append(event)
        self._newest[stream] = event
        return event

    def amend(
        self, target: Event, newest: Event, content: object, *, signer: str = DOCTOR
    ) -> Event:
        """Append an amendment of an entry whose newest version is `newest`."""
        resource = content if isinstance(content, bytes) else msgspec.json.encode(content)
        return self.add(
            "entry-amended.v1",
            target.stream,
            target.statement.stream_kind,
            {"reason": "typing error", "resource": resource.decode()},
            media_type=AMENDMENT,
            refs=[("amends", newest)],
            signer=signer,
        )

    def retract(self, newest: Event, *, signer: str = DOCTOR) -> Event:
        """Append a retraction of an entry by its newest version."""
        return self.add(
            "entry-retracted.v1",
            newest.stream,
            newest.statement.stream_kind,
            {"reason": "wrong patient"},
            media_type=PLAIN,
            refs=[("retracts", newest)],
            signer=signer,
        )

    def register(
        self, name: str, *, birth: str = "1980-05-17", identifiers: Sequence[Pair] = ()
    ) -> Event:
        """Register a new patient."""
        content = patient(name, birth=birth, identifiers=identifiers)
        return self.add("patient-registered.v1", self.new_id(), "patient", content, signer=NURSE)

    def admit(self, patient_stream: str, *numbers: str) -> Event:
        """Open a record for a patient."""
        content = encounter(patient_stream, *numbers)
        return self.add("record-opened.v1", self.new_id(), "record", content)

    def note(self, record: str, text: str = "stable", **given: Unpack[Given]) -> Event:
        """Write a note."""
        return self.add("note-written.v1", record, "record", note(text), **given)

    def order(self, record: str, *numbers: str, **given: Unpack[Given]) -> Event:
        """Place an order."""
        return self.add("order-placed.v1", record, "record", order(*numbers), **given)

    def result(
        self, answered: Event, status: str = "final", *, code: str = "2345-7", value: str = "5.60"
    ) -> Event:
        """Report a result of an order, glucose by default."""
        content = result(code, value, status)
        refs: list[tuple[Relation, Event]] = [("answers", answered)]
        return self.add(
            "result-reported.v1", answered.stream, "record", content, signer=LAB, refs=refs
        )


def patient(
    name: str, *, birth: str = "1980-05-17", identifiers: Sequence[Pair] = ()
) -> dict[str, object]:
    """Return a Patient; identifiers as pairs of system and value."""
    return {
        "resourceType": "Patient",
        "name": [{"text": name}],
        "gender": "female",
        "birthDate": birth,
        "identifier": [{"system": system, "value": value} for system, value in identifiers],
    }


def encounter(patient_stream: str, *numbers: str, status: str = "in-progress") -> dict[str, object]:
    """Return an Encounter of an internal medicine record."""
    return {
        "resourceType": "Encounter",
        "status": status,
        "type": [{"coding": [{"system": RECORD_TYPE, "code": "01/BV1"}]}],
        "subject": {"reference": f"Patient/{patient_stream}"},
        "identifier": [{"system": RECORD_NUMBER, "value": number} for number in numbers],
    }


def note(text: str) -> dict[str, object]:
    """Return a Composition."""
    return {"resourceType": "Composition", "status": "final", "title": text}


def order(*numbers: str) -> dict[str, object]:
    """Return a ServiceRequest."""
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "identifier": [{"system": ORDER_NUMBER, "value": number} for number in numbers],
    }


def result(code: str, value: str, status: str) -> bytes:
    """Return the bytes of a Bundle: a report and one observation, whose value keeps its digits."""
    return (
        '{"resourceType":"Bundle","type":"collection","entry":['
        f'{{"resource":{{"resourceType":"DiagnosticReport","status":"{status}",'
        '"code":{"text":"blood"}}},'
        f'{{"resource":{{"resourceType":"Observation","status":"{status}",'
        f'"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},'
        f'"valueQuantity":{{"value":{value},"unit":"mmol/L"}}}}}}]}}'
    ).encode()


def _refs(pairs: Sequence[tuple[Relation, Event]]) -> tuple[Ref, ...]:
    return tuple(
        Ref(
            event_id=event.event_id,
            relation=relation,
            statement=statement_digest(event.statement_bytes).hex(),
        )
        for relation, event in pairs
    )


def _event(
    statement: Statement,
    content: bytes,
    *,
    salt: bytes,
    received: int,
    place: tuple[int, Event | None],
) -> Event:
    position, before = place
    data = encode_statement(statement)
    link_salt = hashlib.sha256(f"link {position}".encode()).digest()
    version = 1 if before is None else before.version + 1
    previous = ZERO_HASH if before is None else before.leaf_hash
    entry = encode_entry(
        Entry(
            received_at_ms=received,
            link=link_hash(link_salt, version, previous),
            statement_digest=statement_digest(data),
            container_digest=statement_digest(CONTAINER),
        )
    )
    return Event(
        position=position,
        stream=statement.stream,
        version=version,
        event_id=statement.event_id,
        received_at_ms=received,
        entry=entry,
        leaf_hash=leaf_hash(entry),
        link_salt=link_salt,
        previous=previous,
        statement_bytes=data,
        statement=statement,
        container=CONTAINER,
        salt=salt,
        content=content,
    )
