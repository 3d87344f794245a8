"""List every event type of the ledger: where it lives, what it holds and who may author it.

The tags are permanent: a changed meaning is a new tag. What each type's content must contain is
in `ledger.profiles`, what the rules refuse in `ledger.decide`; docs/events.md describes all three
for readers and is checked against this module.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from ledger.errors import SubmissionRejectedError
from ledger.roles import Role
from signing.statement import Relation, StreamKind

FHIR_JSON: Final = "application/fhir+json"
PLAIN_JSON: Final = "application/json"
AMENDMENT_JSON: Final = "application/vnd.clinledger.amendment+json"


class EventType(msgspec.Struct, frozen=True, kw_only=True):
    """Describe one type of event.

    Attributes:
        tag: permanent name, as in a statement's `type`.
        stream_kinds: kinds of stream that take such events; more than one only for the types
            that follow their target ("entry-…").
        opens_stream: whether it is the first event of its stream, and only the first.
        media_type: of the content, exactly.
        content: what the content is, for readers.
        authors: roles of which the signer must hold one. Empty: decided by the rules alone.
        amenders: roles whose holders may amend or retract such an entry besides its author.
        amendable: whether `entry-amended` may name it.
        retractable: whether `entry-retracted` may name it.
        required: relations that `refs` must contain, each exactly once.
        optional: relations that `refs` may contain.
        sealed: whether the stored body is encrypted under the stream's key; False for the
            directory, which every proof needs (ARCHITECTURE §3, sealed body).
    """

    tag: str
    stream_kinds: frozenset[StreamKind]
    media_type: str
    content: str
    authors: frozenset[Role] = frozenset()
    amenders: frozenset[Role] = frozenset()
    opens_stream: bool = False
    amendable: bool = False
    retractable: bool = False
    required: frozenset[Relation] = frozenset()
    optional: frozenset[Relation] = frozenset()
    sealed: bool = True


def _directory(tag: str, kind: StreamKind, content: str, *authors: Role) -> EventType:
    return EventType(
        tag=tag,
        stream_kinds=frozenset({kind}),
        media_type=PLAIN_JSON,
        content=content,
        authors=frozenset(authors),
        sealed=False,
    )


def _enrolment(tag: str, content: str, *, sealed: bool) -> EventType:
    return EventType(
        tag=tag,
        stream_kinds=frozenset({"staff"}),
        media_type=FHIR_JSON,
        content=content,
        authors=frozenset({"registrar"}),
        opens_stream=True,
        sealed=sealed,
    )


def _patient(tag: str, *, opens_stream: bool = False) -> EventType:
    return EventType(
        tag=tag,
        stream_kinds=frozenset({"patient"}),
        media_type=FHIR_JSON,
        content="Patient",
        authors=frozenset({"registrar", "doctor", "nurse", "his"}),
        opens_stream=opens_stream,
    )


def _encounter(tag: str, *, opens_stream: bool = False) -> EventType:
    return EventType(
        tag=tag,
        stream_kinds=frozenset({"record"}),
        media_type=FHIR_JSON,
        content="Encounter",
        authors=frozenset({"doctor", "registrar", "his"}),
        amenders=frozenset({"doctor", "registrar"}),
        opens_stream=opens_stream,
        amendable=True,
    )


def _clinical(
    tag: str,
    content: str,
    *,
    authors: tuple[Role, ...],
    amenders: tuple[Role, ...],
    optional: tuple[Relation, ...] = (),
) -> EventType:
    return EventType(
        tag=tag,
        stream_kinds=frozenset({"record"}),
        media_type=FHIR_JSON,
        content=content,
        authors=frozenset(authors),
        amenders=frozenset(amenders),
        amendable=True,
        retractable=True,
        optional=frozenset(optional),
    )


_TYPES: Final = (
    _directory("ledger-founded.v1", "facility", "founding document"),
    _directory("policy-set.v1", "facility", "policy document", "administrator"),
    _directory("heads-published.v1", "facility", "heads of all streams", "ledger"),
    _directory(
        "checkpoint-key-rotated.v1", "facility", "new checkpoint key", "administrator", "registrar"
    ),
    _directory("tail-set-aside.v1", "facility", "what was set aside", "administrator", "registrar"),
    _enrolment("practitioner-enrolled.v1", "Practitioner", sealed=True),
    _enrolment("device-enrolled.v1", "Device", sealed=False),
    _directory("key-enrolled.v1", "staff", "public key with possession proof", "registrar"),
    _directory("key-revoked.v1", "staff", "key id and reason", "registrar"),
    _directory("role-granted.v1", "staff", "role", "registrar"),
    _directory("role-withdrawn.v1", "staff", "role and reason", "registrar"),
    _patient("patient-registered.v1", opens_stream=True),
    _patient("patient-identity-updated.v1"),
    EventType(
        tag="allergy-recorded.v1",
        stream_kinds=frozenset({"patient"}),
        media_type=FHIR_JSON,
        content="AllergyIntolerance",
        authors=frozenset({"doctor", "nurse", "pharmacist"}),
        amenders=frozenset({"doctor", "pharmacist"}),
        amendable=True,
        retractable=True,
    ),
    _encounter("record-opened.v1", opens_stream=True),
    _encounter("record-closed.v1"),
    _clinical("diagnosis-recorded.v1", "Condition", authors=("doctor",), amenders=("doctor",)),
    _clinical(
        "note-written.v1",
        "Composition",
        authors=("doctor", "nurse", "pharmacist", "laboratory", "imaging"),
        amenders=(),
        optional=("based-on",),
    ),
    _clinical(
        "order-placed.v1",
        "ServiceRequest or MedicationRequest",
        authors=("doctor",),
        amenders=("doctor",),
        optional=("based-on", "replaces"),
    ),
    EventType(
        tag="order-cancelled.v1",
        stream_kinds=frozenset({"record"}),
        media_type=PLAIN_JSON,
        content="reason",
        authors=frozenset({"doctor"}),
        required=frozenset({"answers"}),
    ),
    _clinical(
        "vitals-recorded.v1",
        "Bundle of Observation",
        authors=("nurse", "doctor", "monitor", "his"),
        amenders=("nurse", "doctor"),
    ),
    EventType(
        tag="result-reported.v1",
        stream_kinds=frozenset({"record"}),
        media_type=FHIR_JSON,
        content="Bundle of DiagnosticReport and Observation",
        authors=frozenset({"laboratory", "imaging"}),
        amenders=frozenset({"laboratory", "imaging"}),
        amendable=True,
        retractable=True,
        required=frozenset({"answers"}),
    ),
    EventType(
        tag="entry-amended.v1",
        stream_kinds=frozenset({"record", "patient"}),
        media_type=AMENDMENT_JSON,
        content="reason and the whole new version",
        required=frozenset({"amends"}),
    ),
    EventType(
        tag="entry-retracted.v1",
        stream_kinds=frozenset({"record", "patient"}),
        media_type=PLAIN_JSON,
        content="reason",
        required=frozenset({"retracts"}),
    ),
)

CATALOGUE: Final[Mapping[str, EventType]] = MappingProxyType({t.tag: t for t in _TYPES})
"""Every type that this version accepts, by tag, in the order of docs/events.md."""

RESERVED: Final[frozenset[str]] = frozenset(
    {
        "order-accepted.v1",
        "order-rejected.v1",
        "order-started.v1",
        "order-completed.v1",
        "result-verified.v1",
        "medication-administered.v1",
        "entry-cosigned.v1",
        "result-acknowledged.v1",
        "record-archived.v1",
        "record-held.v1",
        "record-released.v1",
        "stream-destroyed.v1",
        "access-logged.v1",
        "signature-judged.v1",
    }
)
"""Tags that mean something later; refused with a code of their own until they are built."""


def event_type(tag: str) -> EventType:
    """Look an event type up.

    Raises:
        SubmissionRejectedError: `type-reserved` or `type-unknown`.
    """
    found = CATALOGUE.get(tag)
    if found is not None:
        return found
    raise SubmissionRejectedError("type-reserved" if tag in RESERVED else "type-unknown", "/type")


def is_sealed(tag: str) -> bool:
    """Tell whether the stored body of such an event is encrypted under its stream's key.

    Raises:
        SubmissionRejectedError: for a tag outside the catalogue.
    """
    return event_type(tag).sealed
