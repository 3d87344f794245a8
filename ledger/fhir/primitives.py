"""Name the FHIR primitive types, with the lexical rules of FHIR R4 §2.24 (datatypes).

Patterns are anchored and linear in the input (no nested repetition over the same characters);
dates are checked against the calendar by the pattern itself: 31 February does not match.
"""

from decimal import Decimal
from typing import Annotated, Final, TypeVar

from msgspec import Meta, Struct
from typing_extensions import override

T = TypeVar("T")

_YEAR: Final = r"(?!0000)[0-9]{4}"
_LEAP_YEAR: Final = (
    r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
)
_DAY: Final = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_FULL_DATE: Final = rf"(?:{_YEAR}-{_DAY}|{_LEAP_YEAR}-02-29)"
_CLOCK: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE: Final = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_PARTIAL_DATE: Final = rf"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?"

DATE_PATTERN: Final = rf"^(?:{_FULL_DATE}|{_PARTIAL_DATE})\Z"
DATE_TIME_PATTERN: Final = rf"^(?:{_FULL_DATE}(?:T{_CLOCK}{_ZONE})?|{_PARTIAL_DATE})\Z"
INSTANT_PATTERN: Final = rf"^{_FULL_DATE}T{_CLOCK}{_ZONE}\Z"
TIME_PATTERN: Final = rf"^{_CLOCK}\Z"
# Printable ASCII comes first: it is what nearly all are, and quicker to match.
CODE_PATTERN: Final = r"\A[!-~]+\Z|\A\S+(?:\s\S+)*\Z"
CURRENCY_PATTERN: Final = r"\A[A-Z]{3}\Z"
ID_PATTERN: Final = r"\A[A-Za-z0-9.-]{1,64}\Z"
URI_PATTERN: Final = r"\A[!-~]+\Z|\A\S+\Z"
OID_PATTERN: Final = r"\Aurn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+\Z"
UUID_PATTERN: Final = r"\Aurn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"
BASE64_PATTERN: Final = (
    r"\A\s*+(?:(?:[A-Za-z0-9+/]\s*+){4})*+"
    r"(?:(?:[A-Za-z0-9+/]\s*+){2}(?:=\s*+=|[A-Za-z0-9+/]\s*+=)\s*+)?\Z"
)
MIME_TYPE_PATTERN: Final = r"\A[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?:\s*+;\s*+[^\s;]++)*+\Z"
# Relative (with the type's name), absolute, urn: or contained; never a bare name or a search.
REFERENCE_PATTERN: Final = (
    r"\A(?:[A-Z][A-Za-z]{2,63}/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?"
    r"|#[A-Za-z0-9.-]{0,64}|urn:[a-z]+:\S+|[a-z][a-z0-9+.-]*://\S+)\Z"
)

Many = Annotated[tuple[T, ...], Meta(min_length=1)]
String = Annotated[str, Meta(min_length=1)]
Markdown = Annotated[str, Meta(min_length=1)]
Xhtml = Annotated[str, Meta(min_length=1)]
Code = Annotated[str, Meta(pattern=CODE_PATTERN)]
CurrencyCode = Annotated[str, Meta(pattern=CURRENCY_PATTERN)]
MimeType = Annotated[str, Meta(pattern=MIME_TYPE_PATTERN)]
Id = Annotated[str, Meta(pattern=ID_PATTERN)]
Uri = Annotated[str, Meta(pattern=URI_PATTERN)]
Url = Annotated[str, Meta(pattern=URI_PATTERN)]
Canonical = Annotated[str, Meta(pattern=URI_PATTERN)]
ReferenceText = Annotated[str, Meta(pattern=REFERENCE_PATTERN)]
Oid = Annotated[str, Meta(pattern=OID_PATTERN)]
Uuid = Annotated[str, Meta(pattern=UUID_PATTERN)]
Date = Annotated[str, Meta(pattern=DATE_PATTERN)]
DateTime = Annotated[str, Meta(pattern=DATE_TIME_PATTERN)]
Instant = Annotated[str, Meta(pattern=INSTANT_PATTERN)]
Time = Annotated[str, Meta(pattern=TIME_PATTERN)]
Base64Binary = Annotated[str, Meta(min_length=1, pattern=BASE64_PATTERN)]
Integer = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
UnsignedInt = Annotated[int, Meta(ge=0, le=2**31 - 1)]
PositiveInt = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class ExactDecimal(Decimal):
    """A number as it was written: 72.50 keeps its digits.

    A type of its own so that a string, which msgspec takes for a Decimal, is refused.
    """

    __slots__ = ()


class FhirStruct(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Any complex element or resource. Its repr shows no content."""

    @override
    def __repr__(self) -> str:
        return type(self).__name__
