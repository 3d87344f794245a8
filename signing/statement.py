"""Parse and build statements: the strict JSON about one event that its author signs.

A statement has one spelling only: what was parsed, encoded again, equals the input
(docs/format.md, Statement).
"""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal, NoReturn

import msgspec
from msgspec import UNSET, Meta, UnsetType

from signing.algorithms import Algorithm
from signing.errors import MalformedStatementError

STATEMENT_FORMAT: Final = "clinledger/statement/v1"
MAX_STATEMENT_BYTES: Final = 16 * 1024
MAX_CONTENT_BYTES: Final = 1024 * 1024
MAX_INTEGER: Final = 2**53 - 1
_MAX_ORIGIN: Final = 200
_MAX_MEDIA_TYPE: Final = 100
_MAX_TYPE: Final = 64

StreamKind = Literal["patient", "record", "staff", "facility", "access"]
Relation = Literal[
    "answers",
    "amends",
    "retracts",
    "cosigns",
    "acknowledges",
    "verifies",
    "based-on",
    "replaces",
]

# `$` alone also matches before a final line feed in Python, and `\Z` means nothing to JSON Schema,
# in which these patterns are published; `\d` would match every script's digits.
UUID_PATTERN: Final = (
    r"^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$(?!\n)"
)
HASH_PATTERN: Final = r"^[0-9a-f]{64}$(?!\n)"
ORIGIN_PATTERN: Final = (
    r"^[a-z0-9]+([.-][a-z0-9]+)*(:[1-9][0-9]{0,4})?(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$(?!\n)"
)
TYPE_PATTERN: Final = r"^[a-z]+(-[a-z]+)*\.v[1-9][0-9]*$(?!\n)"
MEDIA_TYPE_PATTERN: Final = r"^[a-z0-9]+([.+-][a-z0-9]+)*/[a-z0-9]+([.+-][a-z0-9]+)*$(?!\n)"
TIME_PATTERN: Final = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$(?!\n)"
)

UuidText = Annotated[str, Meta(pattern=UUID_PATTERN)]
HashText = Annotated[str, Meta(pattern=HASH_PATTERN)]
OriginText = Annotated[str, Meta(pattern=ORIGIN_PATTERN, max_length=_MAX_ORIGIN)]
TimeText = Annotated[str, Meta(pattern=TIME_PATTERN)]
_TimeLength = Annotated[str, Meta(min_length=24, max_length=24)]  # `_check_times` sees to the rest


class ContentClaim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the statement says of its content.

    Attributes:
        digest: salted content digest, lower-case hex.
        media_type: lower case, without parameters.
        size: length of the content in bytes.
    """

    digest: str
    media_type: str
    size: Annotated[int, Meta(ge=1, le=MAX_CONTENT_BYTES)]


class Ref(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reference to an earlier event by its text.

    Attributes:
        event_id: the event referred to.
        relation: what this event is to that one.
        statement: SHA-256 of that event's statement, lower-case hex.
    """

    event_id: str
    relation: Relation
    statement: str


class Seen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest head that the author's client knew.

    Attributes:
        root: Merkle root, lower-case hex.
        size: number of entries under that root.
    """

    root: str
    size: Annotated[int, Meta(ge=1, le=MAX_INTEGER)]


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement of version 1 (docs/format.md, Statement, for the meaning of each field).

    The fields stand in the order of their names: that order is the canonical encoding, here and
    in the structs above. The forms of texts are not in these types: msgspec would match each by
    itself, most of the time of parsing. `parse_statement` demands them.
    """

    alg: Algorithm
    content: ContentClaim
    event_id: str
    format: Literal["clinledger/statement/v1"]
    key_id: str
    ledger: str
    occurred_at: str
    refs: Annotated[tuple[Ref, ...], Meta(min_length=1)] | UnsetType = UNSET
    seen: Seen | UnsetType = UNSET
    signed_at: str
    signer: str
    stream: str
    stream_kind: StreamKind
    type: str


# The same with the form of every text: they name the place of a fault.
class _FormedClaim(ContentClaim, frozen=True, kw_only=True):
    digest: HashText
    media_type: Annotated[str, Meta(pattern=MEDIA_TYPE_PATTERN, max_length=_MAX_MEDIA_TYPE)]


class _FormedRef(Ref, frozen=True, kw_only=True):
    event_id: UuidText
    statement: HashText


class _FormedSeen(Seen, frozen=True, kw_only=True):
    root: HashText


class _FormedStatement(Statement, frozen=True, kw_only=True):
    content: _FormedClaim
    event_id: UuidText
    key_id: HashText
    ledger: OriginText
    occurred_at: _TimeLength
    refs: Annotated[tuple[_FormedRef, ...], Meta(min_length=1)] | UnsetType = UNSET
    seen: _FormedSeen | UnsetType = UNSET
    signed_at: _TimeLength
    signer: UuidText
    stream: UuidText
    type: Annotated[str, Meta(pattern=TYPE_PATTERN, max_length=_MAX_TYPE)]


def _spelling() -> re.Pattern[bytes]:
    """Return what nearly all statements match: order of keys, no white space, and every form.

    Numbers, and words of which there are few, are left to the decoder; years before 1900 and
    29 February to `_parse_slowly`.
    """

    def inner(pattern: str, longest: int | None = None) -> str:
        bare = pattern.removeprefix("^").removesuffix(r"$(?!\n)").replace("(", "(?:")
        return bare if longest is None else f'(?=[^"]{{1,{longest}}}"){bare}'

    uuid, digest, number, word = inner(UUID_PATTERN), inner(HASH_PATTERN), "[1-9][0-9]*", r"[\w-]+"
    time = (
        r"(?:19|20)[0-9]{2}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
        r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
        r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
    )
    ref = rf'\{{"event_id":"{uuid}","relation":"{word}","statement":"{digest}"\}}'
    text = (
        rf'\{{"alg":"{word}","content":\{{"digest":"{digest}",'
        rf'"media_type":"{inner(MEDIA_TYPE_PATTERN, _MAX_MEDIA_TYPE)}","size":{number}\}},'
        rf'"event_id":"{uuid}","format":"{STATEMENT_FORMAT}","key_id":"{digest}",'
        rf'"ledger":"{inner(ORIGIN_PATTERN, _MAX_ORIGIN)}","occurred_at":"{time}",'
        rf'(?:"refs":\[{ref}(?:,{ref})*\],)?(?:"seen":\{{"root":"{digest}","size":{number}\}},)?'
        rf'"signed_at":"{time}","signer":"{uuid}","stream":"{uuid}","stream_kind":"{word}",'
        rf'"type":"{inner(TYPE_PATTERN, _MAX_TYPE)}"\}}'
    )
    return re.compile(text.encode("ascii"))


_decoder: Final = msgspec.json.Decoder(Statement)
_judge: Final = msgspec.json.Decoder(_FormedStatement)
_encoder: Final = msgspec.json.Encoder()
_spelled: Final = _spelling()
_time: Final = re.compile(TIME_PATTERN)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_place: Final = re.compile(r"at `\$(?P<path>[^`]*)`$")


def parse_statement(data: bytes) -> Statement:
    """Parse a statement in its only permitted spelling.

    Raises:
        MalformedStatementError: ``statement-too-large``; ``statement-malformed`` (not JSON, or not
            of the schema; the pointer says where); ``statement-not-canonical`` (white space,
            order or repetition of keys, escapes, spellings of numbers).
    """
    if len(data) > MAX_STATEMENT_BYTES:
        raise MalformedStatementError(
            "statement-too-large", f"longer than {MAX_STATEMENT_BYTES} bytes"
        )
    if _spelled.fullmatch(data):
        try:
            return _decoder.decode(data)
        except msgspec.DecodeError:
            pass  # a number or a word that may not be: where, is said below
    return _parse_slowly(data)


def read_statement(data: bytes) -> Statement:
    """Read a statement that was parsed when it was admitted, without judging it again.

    For bytes that met the digest under which they were stored; a quarter of the time of
    `parse_statement`.

    Raises:
        MalformedStatementError: ``statement-malformed``: not of the schema at all.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _refuse(error)


def encode_statement(statement: Statement) -> bytes:
    """Return the statement's bytes, checked as `parse_statement` checks them.

    Raises:
        MalformedStatementError: a field has a value that no statement may have.
    """
    try:
        data = _encoder.encode(statement)
    except (UnicodeEncodeError, OverflowError):
        raise MalformedStatementError("statement-malformed", "not of the schema") from None
    parse_statement(data)
    return data


def statement_digest(data: bytes) -> bytes:
    """Return SHA-256 of the statement's exact bytes."""
    return hashlib.sha256(data).digest()


def parse_time_ms(text: str) -> int:
    """Return milliseconds since 1970 of ``YYYY-MM-DDTHH:MM:SS.mmmZ``, negative before.

    Raises:
        ValueError: any other form, or no date of the calendar.
    """
    if _time.match(text) is None:
        raise ValueError("not of the form YYYY-MM-DDTHH:MM:SS.mmmZ")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("no date of the calendar") from None
    return (moment - _EPOCH) // _MILLISECOND


def format_time_ms(ms: int) -> str:
    """Return ``YYYY-MM-DDTHH:MM:SS.mmmZ`` of milliseconds since 1970.

    Raises:
        ValueError: before the year 1 or after 9999.
    """
    try:
        moment = _EPOCH + ms * _MILLISECOND
    except OverflowError:
        raise ValueError("outside the years 1 to 9999") from None
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _parse_slowly(data: bytes) -> Statement:
    """Judge field by field what is misspelled, or bears a time that is seldom."""
    try:
        formed = _judge.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _refuse(error)
    # msgspec keeps the last of two equal keys, skips white space and undoes escapes: all of that
    # shows as a difference here.
    statement = _decoder.decode(data)
    if _encoder.encode(statement) != data:
        raise MalformedStatementError("statement-not-canonical", "not the only permitted spelling")
    _check_times(formed)
    return statement


def _check_times(statement: Statement) -> None:
    for pointer, text in (
        ("/occurred_at", statement.occurred_at),
        ("/signed_at", statement.signed_at),
    ):
        try:
            parse_time_ms(text)
        except ValueError as error:
            raise MalformedStatementError(
                "statement-malformed", str(error), pointer=pointer
            ) from None


def _refuse(error: Exception) -> NoReturn:
    # Only the place is taken over: the decoder's own words may quote the document.
    place = _place.search(str(error))
    path = "" if place is None else place["path"]
    pointer = path.replace("[", "/").replace("]", "").replace(".", "/")
    detail = (
        "not of the schema" if isinstance(error, msgspec.ValidationError) else "not strict JSON"
    )
    raise MalformedStatementError("statement-malformed", detail, pointer=pointer) from None
