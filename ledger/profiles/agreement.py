"""Check what content and statement must agree on; shared by all profiles.

Each function raises ContentRejectedError with a pointer into the resource and never quotes a
value. Pointers are given in two parts, `at` being where the resource stands in its bundle, so that
they are put together only when something is wrong.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

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
_MILLISECOND: Final = timedelta(milliseconds=1)
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


def require(resource: msgspec.Struct, elements: tuple[str, ...], at: str = "") -> None:
    """Demand that the elements are there (`element-missing`); "a|b" demands one of several."""
    if _are_there(resource, elements):
        return
    for element in elements:
        if all(getattr(resource, name, UNSET) is UNSET for name in _attributes(element)):
            raise reject("element-missing", f"{at}/{element.split('|')[0]}")


def _are_there(resource: msgspec.Struct, elements: tuple[str, ...]) -> bool:
    # Written out, because this runs for every element of every event.
    single, several = _getters(elements)
    for value in single(resource):
        if value is UNSET:
            return False
    for names in several:
        for name in names:
            if getattr(resource, name, UNSET) is not UNSET:
                break
        else:
            return False
    return True


@lru_cache(maxsize=64)
def _getters(
    elements: tuple[str, ...],
) -> tuple[Callable[[msgspec.Struct], tuple[Any, ...]], list[list[str]]]:
    """Return what reads all elements without alternatives at once, and the alternatives."""
    names = [_attributes(element) for element in elements]
    single = [name for name, *others in names if not others]
    # Of one name alone attrgetter would not return a tuple.
    return attrgetter(*single, single[0]), [several for several in names if len(several) > 1]


def _attributes(element: str) -> list[str]:
    return ["class_" if name == "class" else name for name in element.split("|")]


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


def patient_of(reference: r4.Reference | UnsetType, pointer: str, at: str = "") -> str:
    """Read `Patient/<stream id>` (`subject-mismatch`)."""
    text = UNSET if reference is UNSET else reference.reference
    if text is not UNSET:
        found_type, found = _named(text)
        if found and found_type == "Patient":
            return found
    raise _no_local_id("Patient", "subject-mismatch", at + pointer)


def check_encounter(
    reference: r4.Reference | UnsetType, claim: Claim, pointer: str, at: str = ""
) -> None:
    """Demand `Encounter/<record stream id>` (`encounter-mismatch`)."""
    text = UNSET if reference is UNSET else reference.reference
    found_type, found = ("", "") if text is UNSET else _named(text)
    if not found or found_type != "Encounter":
        raise _no_local_id("Encounter", "encounter-mismatch", at + pointer)
    if found != claim.stream:
        raise reject("encounter-mismatch", at + pointer)


def _no_local_id(resource_type: str, code: str, pointer: str) -> ContentRejectedError:
    return reject(code, f"{pointer}/reference", f"must be {resource_type}/ and a stream id")


@lru_cache(maxsize=8192)
def _named(reference: str) -> tuple[str, str]:
    """Split a reference's text into a type and a stream id, "" where it has none.

    Remembered, because the same patients, records and staff are named again and again.
    """
    found_type, _, found = reference.partition("/")
    return found_type, found if is_uuid(found) else ""


def check_moment(text: str | UnsetType, claim: Claim, pointer: str, at: str = "") -> None:
    """Demand that a date or time is the statement's `occurred_at` (`time-mismatch`).

    With a time it must be the same instant, to the millisecond; a date, month or year must
    contain it in Vietnamese civil time.
    """
    if text is not UNSET and not _denotes(text, claim.occurred_at_ms):
        raise reject("time-mismatch", at + pointer, "must agree with occurred_at")


def _denotes(text: str, instant_ms: int) -> bool:
    if "T" in text:
        return _instant_of(text) == instant_ms
    try:
        local = (_EPOCH + timedelta(milliseconds=instant_ms)).astimezone(VIETNAM)
    except OverflowError:  # the last hours of the year 9999
        return False
    return local.isoformat().startswith(text)


@lru_cache(maxsize=1024)
def _instant_of(text: str) -> int | None:
    """Return milliseconds since 1970. Remembered: all members of a bundle bear one time."""
    try:
        moment = datetime.fromisoformat(_MICROSECONDS.sub(r"\1", text) if "." in text else text)
    except ValueError:  # a leap second, which occurred_at cannot have
        return None
    return (moment - _EPOCH) // _MILLISECOND


class NamedStaff:
    """Collect the staff whom a resource names, those responsible first. Owned by one caller."""

    def __init__(self) -> None:
        self._responsible: dict[str, StaffKind] = {}
        self._mentioned: dict[str, StaffKind] = {}

    def add(
        self,
        references: Sequence[r4.Reference] | UnsetType,
        pointer: str,
        at: str = "",
        *,
        responsible: bool = False,
    ) -> None:
        """Add the persons and devices among the references; others (organisations) are skipped.

        Raises:
            ContentRejectedError: `reference-form`: a Practitioner or Device that is no stream id.
        """
        for index, reference in enumerate(references or ()):
            if not self._take(reference.reference, responsible=responsible):
                raise _no_stream_id(f"{at}{pointer}/{index}")

    def add_one(
        self,
        reference: r4.Reference | UnsetType,
        pointer: str,
        at: str = "",
        *,
        responsible: bool = False,
    ) -> None:
        """Add the person or device of a single reference, as `add` does."""
        if reference is not UNSET and not self._take(reference.reference, responsible=responsible):
            raise _no_stream_id(at + pointer)

    def include(self, others: "NamedStaff") -> None:
        """Add all of another collection."""
        self._responsible.update(others._responsible)  # noqa: SLF001 - of this very class
        self._mentioned.update(others._mentioned)  # noqa: SLF001 - as above

    def _take(self, text: str | UnsetType, *, responsible: bool) -> bool:
        """Add whom the text names; False for a Practitioner or Device without a stream id."""
        if text is UNSET:
            return True
        found_type, found = _named(text)
        kind = _STAFF_KINDS.get(found_type)
        if kind is None:
            return True
        if found:
            (self._responsible if responsible else self._mentioned)[found] = kind
        return found != ""

    def check_signer(self, claim: Claim, pointer: str, at: str = "") -> None:
        """Demand that the signer is responsible (`signer-mismatch`)."""
        if not claim.amends and claim.signer not in self._responsible:
            raise reject("signer-mismatch", at + pointer, "must name the signer")

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
        mentioned = self._mentioned.items()
        return (
            *self._responsible.values(),
            *(kind for staff, kind in mentioned if staff not in self._responsible),
        )


def _no_stream_id(pointer: str) -> ContentRejectedError:
    return reject("reference-form", f"{pointer}/reference", "no stream id")
