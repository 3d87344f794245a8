"""Judge whether a stream takes an event: known or new, of the right kind, not closed."""

from typing import Final

from ledger.catalogue import EventType
from ledger.profiles.facts import AmendmentFacts, AnyFacts, ResourceFacts
from ledger.rules.context import RuleContext, refuse
from ledger.state import StreamState
from signing.statement import Statement

_CLOSED_RECORD_TAKES: Final = frozenset({"entry-amended.v1", "entry-retracted.v1"})


def check_stream(context: RuleContext, statement: Statement, kind: EventType) -> StreamState:
    """Demand a new stream for an opening event, else an open one of this kind; return it.

    Raises:
        CommandRefusedError: `stream-exists`, `stream-unknown`, `stream-kind` or `record-closed`.
    """
    stream = context.streams[statement.stream]
    directory = context.directory
    if kind.opens_stream:
        # A founder's staff stream has no events before the person is enrolled; its id is taken.
        foreign = statement.stream_kind != "staff" and statement.stream in directory.staff
        if stream.events or foreign:
            raise refuse("stream-exists", "/stream")
        return stream
    if not stream.events:
        raise refuse("stream-unknown", "/stream")
    if stream.kind != statement.stream_kind:
        raise refuse("stream-kind", "/stream_kind")
    if stream.closed and kind.tag not in _CLOSED_RECORD_TAKES:
        raise refuse("record-closed", "/stream")
    return stream


def check_subject(context: RuleContext, statement: Statement, facts: ResourceFacts) -> None:
    """Demand that the subject is the record's patient, or an enrolled one for a new record.

    Raises:
        CommandRefusedError: `subject-mismatch` or `patient-unknown`; they concern the content.
    """
    if statement.type == "record-opened.v1":
        patient = context.streams.get(facts.patient)
        if patient is None or patient.kind != "patient":
            raise refuse("patient-unknown", "", "the subject is no patient of this ledger")
    elif facts.patient != context.streams[statement.stream].patient:
        raise refuse("subject-mismatch", "", "the subject is not the record's patient")


def check_staff(context: RuleContext, facts: AnyFacts) -> None:
    """Demand that everyone whom the content names as staff is enrolled, and as what it says.

    Raises:
        CommandRefusedError: `staff-unknown` or `staff-kind`; they concern the content.
    """
    if isinstance(facts, ResourceFacts):
        resource = facts
    elif isinstance(facts, AmendmentFacts):
        resource = facts.resource
    else:
        return
    enrolled = context.directory.staff
    named = resource.responsible + resource.mentioned
    for staff, kind in zip(named, resource.kinds, strict=True):
        member = enrolled.get(staff)
        if member is None:
            raise refuse("staff-unknown", "", "the content names staff not enrolled here")
        if member.kind != kind:
            raise refuse("staff-kind", "", "the content names a device as a person or conversely")
