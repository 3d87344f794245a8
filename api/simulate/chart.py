"""Collect what happens in one admission, in any order, and hand it out in the order of filing."""

from typing import Final

import msgspec

from api.simulate.chance import Chance, derived_id
from api.simulate.fhir import (
    AMENDMENT_MEDIA_TYPE,
    FHIR_MEDIA_TYPE,
    JSON_MEDIA_TYPE,
    JsonObject,
    amendment,
    encode,
    reference,
)
from api.simulate.staff import STAFF_BY_KEY
from ledger.catalogue import Relation, StreamKind

MINUTE_MS: Final = 60_000
DAY_MS: Final = 24 * 60 * MINUTE_MS

PlannedRef = tuple[Relation, str]


class PlannedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is to be signed and submitted.

    Attributes:
        signer: key name of the staff member or device that signs.
        occurred_at_ms: when it was true for the patient, milliseconds since 1970.
        filed_at_ms: when its author wrote it down; the plan's order.
        refs: relation and event_id of the earlier events of the stream that it names.
    """

    event_id: str
    type: str
    stream: str
    stream_kind: StreamKind
    signer: str
    occurred_at_ms: int
    filed_at_ms: int
    media_type: str
    content: bytes
    refs: tuple[PlannedRef, ...] = ()

    def __repr__(self) -> str:
        return f"<PlannedEvent {self.type}>"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whom and what a chart is about.

    Attributes:
        origin: of the ledger.
        name: words that name this chart for ever; all ids in it derive from them.
        patient, record: their stream ids.
    """

    origin: str
    name: tuple[str, ...]
    patient: str
    record: str


class Entry:
    """One event of a chart together with its resource, so that it can be corrected later."""

    def __init__(self, event: PlannedEvent, resource: JsonObject) -> None:
        self.event = event
        self.resource = resource
        self.newest = event


class Chart:
    """The chart of one admission under construction. Not thread-safe."""

    def __init__(self, subject: Subject, chance: Chance) -> None:
        self.subject = subject
        self.chance = chance
        self.entries: list[Entry] = []
        self._events: list[PlannedEvent] = []
        self._steps = 0

    @property
    def size(self) -> int:
        """Return how many events there are."""
        return len(self._events)

    @property
    def patient(self) -> JsonObject:
        """Return the reference to the patient."""
        return reference("Patient", self.subject.patient)

    @property
    def encounter(self) -> JsonObject:
        """Return the reference to the encounter, which is the record."""
        return reference("Encounter", self.subject.record)

    def staff(self, key: str) -> JsonObject:
        """Return the reference to a member of staff."""
        member = STAFF_BY_KEY[key]
        return reference(member.kind, member.staff_id(self.subject.origin))

    def new_id(self) -> str:
        """Return the id of the next event; the n-th call always returns the same one."""
        self._steps += 1
        return derived_id("clinledger/simulate/event", *self.subject.name, str(self._steps))

    def add(  # noqa: PLR0913 - the members of the event
        self,
        event_type: str,
        resource: JsonObject,
        *,
        signer: str,
        at_ms: int,
        filed_ms: int | None = None,
        refs: tuple[PlannedRef, ...] = (),
        event_id: str | None = None,
    ) -> Entry:
        """Add an event that holds a FHIR resource.

        Args:
            event_type: its tag; patient events go to the patient's stream.
            resource: whose id, or whose first entry's id, is the event's id for clinical types.
            signer: staff key.
            at_ms: when it was true for the patient.
            filed_ms: when it was written down, if later.
            refs: earlier events that it names.
            event_id: from `new_id`; None draws the next one.
        """
        of_patient = event_type.startswith(("patient-", "allergy-"))
        event = PlannedEvent(
            event_id=event_id or self.new_id(),
            type=event_type,
            stream=self.subject.patient if of_patient else self.subject.record,
            stream_kind="patient" if of_patient else "record",
            signer=signer,
            occurred_at_ms=at_ms,
            filed_at_ms=filed_ms or at_ms,
            media_type=FHIR_MEDIA_TYPE,
            content=encode(resource),
            refs=refs,
        )
        entry = Entry(event, resource)
        self.entries.append(entry)
        self._events.append(event)
        return entry

    def amend(
        self, entry: Entry, resource: JsonObject, *, reason: str, signer: str, at_ms: int
    ) -> None:
        """Correct or complete an entry by a whole new version of its resource.

        It is true for the patient when the original was; `at_ms` is when it was written down.
        """
        content = amendment(reason, resource)
        entry.newest = self._follow(
            entry, "entry-amended.v1", "amends", content, signer=signer, at_ms=at_ms
        )
        entry.resource = resource

    def retract(self, entry: Entry, *, reason: str, signer: str, at_ms: int) -> None:
        """Mark an entry as entered in error."""
        content = encode({"reason": reason})
        entry.newest = self._follow(
            entry, "entry-retracted.v1", "retracts", content, signer=signer, at_ms=at_ms
        )

    def cancel(self, order: Entry, *, reason: str, signer: str, at_ms: int) -> None:
        """Cancel an order."""
        content = encode({"reason": reason})
        self._follow(order, "order-cancelled.v1", "answers", content, signer=signer, at_ms=at_ms)

    def events(self) -> tuple[PlannedEvent, ...]:
        """Return all events in the order of time; what was added first is first among equals."""
        return tuple(sorted(self._events, key=lambda event: event.filed_at_ms))

    def _follow(  # noqa: PLR0913 - the members of the event
        self,
        entry: Entry,
        event_type: str,
        relation: Relation,
        content: bytes,
        *,
        signer: str,
        at_ms: int,
    ) -> PlannedEvent:
        target = entry.newest
        filed_ms = max(at_ms, target.filed_at_ms + MINUTE_MS)
        event = PlannedEvent(
            event_id=self.new_id(),
            type=event_type,
            stream=target.stream,
            stream_kind=target.stream_kind,
            signer=signer,
            occurred_at_ms=entry.event.occurred_at_ms if relation == "amends" else filed_ms,
            filed_at_ms=filed_ms,
            media_type=AMENDMENT_MEDIA_TYPE if relation == "amends" else JSON_MEDIA_TYPE,
            content=content,
            refs=((relation, target.event_id),),
        )
        self._events.append(event)
        return event
