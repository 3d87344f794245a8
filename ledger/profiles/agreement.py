"""Check what content and statement must agree on; shared by all profiles.

Each function raises ContentRejectedError with a pointer into the resource and never quotes a
value.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from ledger.errors import ContentRejectedError
from ledger.fhir import r4
from ledger.roles import StaffKind
from signing.statement import UUID_PATTERN, Statement, parse_time_ms

VIETNAM: Final = timezone(timedelta(hours=7))
"""The facility's civil time; Vietnam has one zone and no summer time."""

_UUID: Final = re.compile(UUID_PATTERN)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS: Final = re.compile(r"(\.[0-9]{6})[0-9]+")
_STAFF_KINDS: Final[dict[str, StaffKind]] = {"Practitioner": "practitioner", "Device": "device"}


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What the statement says that the content must agree with.

    Attributes:
        stream: id of the event's stream.
        stream_kind: "patient", "record" or "staff".
        event_id: of the event.
        signer: staff stream id of the author.
        occurred_at_ms: milliseconds since 1970.
        amends: whether the content is a new version of an earlier entry; its resource id, author
            and transition of status are then judged by the rules, against that entry.
    """

    stream: str
    stream_kind: str
    event_id: str
    signer: str
    occurred_at_ms: int
    amends: bool = False


def claim_of(statement: Statement, *, amends: bool = False) -> Claim:
    """Read from a statement what its content must agree with."""
    return Claim(
        stream=statement.stream,
        stream_kind=statement.stream_kind,
        event_id=statement.event_id,
        signer=statement.signer,
        occurred_at_ms=parse_time_ms(statement.occurred_at),
        amends=amends,
    )


def reject(code: str, pointer: str, detail: str = "") -> ContentRejectedError:
    """Build the refusal of a content."""
    return ContentRejectedError(code, pointer, detail)


def require(resource: msgspec.Struct, elements: Iterable[str], at: str = "") -> None:
    """Demand that the elements are there (`element-missing`); "a|b" demands one of several."""
    for element in elements:
        if getattr(resource, element, UNSET) is not UNSET:
            continue  # the common case, kept short: this runs for every element of every event
        names = ["class_" if name == "class" else name for name in element.split("|")]
        if all(getattr(resource, name, UNSET) is UNSET for name in names):
            raise reject("element-missing", f"{at}/{element.split('|')[0]}")


def is_uuid(text: str) -> bool:
    """Tell whether the text is a UUID in canonical lower-case form."""
    return _UUID.match(text) is not None


def check_id(found: str | UnsetType, claim: Claim, at: str = "") -> str:
    """Demand the id that the originating resource must have (`resource-id`); return it."""
    if claim.amends:
        expected = found if found is not UNSET and is_uuid(found) else UNSET
    else:
        expected = claim.event_id
    if found is UNSET or found != expected:
        raise reject("resource-id", f"{at}/id")
    return found


def check_stream_id(found: str | UnsetType, claim: Claim) -> str:
    """Demand that the resource's id is the stream's (`resource-id`); return it."""
    if found != claim.stream:
        raise reject("resource-id", "/id", "must be the id of the stream")
    return claim.stream


def check_status(
    status: str, claim: Claim, *, allowed: frozenset[str], amended: frozenset[str], at: str = ""
) -> str:
    """Demand a status that a new entry, or an amendment, may have (`status-not-allowed`)."""
    if status not in (amended if claim.amends else allowed):
        raise reject("status-not-allowed", f"{at}/status")
    return status


def patient_of(reference: r4.Reference | UnsetType, pointer: str) -> str:
    """Read `Patient/<stream id>` (`subject-mismatch`)."""
    return _local_id(reference, "Patient", code="subject-mismatch", pointer=pointer)


def check_encounter(reference: r4.Reference | UnsetType, claim: Claim, pointer: str) -> None:
    """Demand `Encounter/<record stream id>` (`encounter-mismatch`)."""
    found = _local_id(reference, "Encounter", code="encounter-mismatch", pointer=pointer)
    if found != claim.stream:
        raise reject("encounter-mismatch", pointer)


def _local_id(
    reference: r4.Reference | UnsetType, resource_type: str, *, code: str, pointer: str
) -> str:
    text = UNSET if reference is UNSET else reference.reference
    if text is not UNSET:
        found_type, _, found = text.partition("/")
        if found_type == resource_type and is_uuid(found):
            return found
    raise reject(code, f"{pointer}/reference", f"must be {resource_type}/ and a stream id")


def check_moment(text: str | UnsetType, claim: Claim, pointer: str) -> None:
    """Demand that a date or time is the statement's `occurred_at` (`time-mismatch`).

    With a time it must be the same instant, to the millisecond; a date, month or year must
    contain it in Vietnamese civil time.
    """
    if text is not UNSET and not _denotes(text, claim.occurred_at_ms):
        raise reject("time-mismatch", pointer, "must agree with occurred_at")


def _denotes(text: str, instant_ms: int) -> bool:
    if "T" in text:
        try:
            moment = datetime.fromisoformat(_MICROSECONDS.sub(r"\1", text))
        except ValueError:  # a leap second, which occurred_at cannot have
            return False
        return (moment - _EPOCH) // timedelta(milliseconds=1) == instant_ms
    try:
        local = (_EPOCH + timedelta(milliseconds=instant_ms)).astimezone(VIETNAM)
    except OverflowError:  # the last hours of the year 9999
        return False
    return local.isoformat().startswith(text)


class NamedStaff:
    """Collect the staff whom a resource names, those responsible first. Owned by one caller."""

    def __init__(self) -> None:
        self._responsible: dict[str, StaffKind] = {}
        self._mentioned: dict[str, StaffKind] = {}

    def add(
        self,
        references: Sequence[r4.Reference] | UnsetType,
        pointer: str,
        *,
        responsible: bool = False,
    ) -> None:
        """Add the persons and devices among the references; others (organisations) are skipped.

        Raises:
            ContentRejectedError: `reference-form`: a Practitioner or Device that is no stream id.
        """
        for index, reference in enumerate(references or ()):
            self.add_one(reference, f"{pointer}/{index}", responsible=responsible)

    def add_one(
        self, reference: r4.Reference | UnsetType, pointer: str, *, responsible: bool = False
    ) -> None:
        """Add the person or device of a single reference, as `add` does."""
        text = UNSET if reference is UNSET else reference.reference
        found_type, _, found = (text or "").partition("/")
        kind = _STAFF_KINDS.get(found_type)
        if kind is None:
            return
        if not is_uuid(found):
            raise reject("reference-form", f"{pointer}/reference", "no stream id")
        (self._responsible if responsible else self._mentioned)[found] = kind

    def check_signer(self, claim: Claim, pointer: str) -> None:
        """Demand that the signer is responsible (`signer-mismatch`)."""
        if not claim.amends and claim.signer not in self._responsible:
            raise reject("signer-mismatch", pointer, "must name the signer")

    @property
    def responsible(self) -> tuple[str, ...]:
        """Ids of those who answer for the resource."""
        return tuple(self._responsible)

    @property
    def mentioned(self) -> tuple[str, ...]:
        """Ids of those named otherwise, who are not responsible too."""
        return tuple(staff for staff in self._mentioned if staff not in self._responsible)

    @property
    def kinds(self) -> tuple[StaffKind, ...]:
        """How each of `responsible` and then `mentioned` is named."""
        named = self._mentioned | self._responsible
        return tuple(named[staff] for staff in self.responsible + self.mentioned)
