"""For all statements: one spelling, and no byte can change unnoticed."""

import re
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from signing.container import parse_container
from signing.errors import MalformedStatementError, SigningError
from signing.statement import (
    HASH_PATTERN,
    MAX_INTEGER,
    MEDIA_TYPE_PATTERN,
    ORIGIN_PATTERN,
    TIME_PATTERN,
    TYPE_PATTERN,
    UUID_PATTERN,
    ContentClaim,
    Ref,
    Seen,
    Statement,
    encode_statement,
    format_time_ms,
    parse_statement,
    parse_time_ms,
)
from tests.signed import signed_event, statement_bytes


def texts(pattern: str, limit: int = 10_000) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True).filter(lambda value: len(value) <= limit)


milliseconds = st.integers(-62_135_596_800_000, 253_402_300_799_999)
uuids = texts(UUID_PATTERN)
hashes = texts(HASH_PATTERN)
refs = st.builds(
    Ref,
    event_id=uuids,
    relation=st.sampled_from(["answers", "amends", "based-on"]),
    statement=hashes,
)
statements = st.builds(
    Statement,
    alg=st.sampled_from(["ES256", "ES384", "PS256", "RS256", "EdDSA"]),
    content=st.builds(
        ContentClaim,
        digest=hashes,
        media_type=texts(MEDIA_TYPE_PATTERN, 100),
        size=st.integers(1, 1024 * 1024),
    ),
    event_id=uuids,
    format=st.just("clinledger/statement/v1"),
    key_id=hashes,
    ledger=texts(ORIGIN_PATTERN, 200),
    occurred_at=milliseconds.map(format_time_ms),
    refs=st.lists(refs, min_size=1, max_size=3).map(tuple) | st.just(UNSET),
    seen=st.builds(Seen, root=hashes, size=st.integers(1, MAX_INTEGER)) | st.just(UNSET),
    signed_at=milliseconds.map(format_time_ms),
    signer=uuids,
    stream=uuids,
    stream_kind=st.sampled_from(["patient", "record", "staff", "facility", "access"]),
    type=texts(TYPE_PATTERN, 64),
)


FORMS = {
    UUID_PATTERN: ("event_id", "signer", "stream"),
    HASH_PATTERN: ("key_id",),
    ORIGIN_PATTERN: ("ledger",),
    TIME_PATTERN: ("occurred_at", "signed_at"),
    TYPE_PATTERN: ("type",),
}


def check_parsed(parsed: Statement, data: bytes) -> None:
    """Demand of what was parsed everything that its fields must be, without the parser's help."""
    assert encode_statement(parsed) == data
    for pattern, names in FORMS.items():
        assert all(re.match(pattern, getattr(parsed, name)) for name in names)
    assert re.match(MEDIA_TYPE_PATTERN, parsed.content.media_type)
    hashes = [parsed.content.digest, *(ref.statement for ref in parsed.refs or ())]
    hashes += [parsed.seen.root] if parsed.seen else []
    assert all(re.match(HASH_PATTERN, text) for text in hashes)
    assert all(re.match(UUID_PATTERN, ref.event_id) for ref in parsed.refs or ())
    assert len(parsed.ledger) <= 200
    assert len(parsed.content.media_type) <= 100
    assert len(parsed.type) <= 64
    for text in (parsed.occurred_at, parsed.signed_at):
        assert format_time_ms(parse_time_ms(text)) == text


@given(statements)
def test_every_statement_survives_its_encoding(statement: Statement) -> None:
    data = encode_statement(statement)
    assert parse_statement(data) == statement
    check_parsed(parse_statement(data), data)
    assert data.isascii()
    assert b"\\" not in data


GOOD = statement_bytes()
PARSED = parse_statement(GOOD)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_says_something_else(place: int, value: int) -> None:
    changed = GOOD[:place] + bytes([value]) + GOOD[place + 1 :]
    try:
        parsed = parse_statement(changed)
    except MalformedStatementError:
        return
    check_parsed(parsed, changed)
    assert (parsed == PARSED) == (changed == GOOD)


@given(st.integers(0, len(GOOD)), st.binary(min_size=1, max_size=4))
def test_inserted_bytes_are_refused_or_say_something_else(place: int, extra: bytes) -> None:
    changed = GOOD[:place] + extra + GOOD[place:]
    try:
        parsed = parse_statement(changed)
    except MalformedStatementError:
        return
    check_parsed(parsed, changed)
    assert parsed != PARSED


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 40))
def test_removed_bytes_are_refused_or_say_something_else(place: int, count: int) -> None:
    changed = GOOD[:place] + GOOD[place + count :]
    try:
        parsed = parse_statement(changed)
    except MalformedStatementError:
        return
    check_parsed(parsed, changed)
    assert parsed != PARSED


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_arbitrary_bytes_only_ever_raise_our_errors(data: bytes) -> None:
    for parse in (parse_statement, parse_container):
        try:
            parsed: Any = parse(data)
        except SigningError:
            continue
        raise AssertionError(parsed)


@given(milliseconds)
def test_times_survive_their_text(ms: int) -> None:
    assert parse_time_ms(format_time_ms(ms)) == ms


@given(
    st.sampled_from([1, 1899, 1900, 1996, 2023, 2024, 2099, 2100, 9999]),
    st.integers(0, 13),
    st.integers(0, 32),
)
def test_only_days_of_the_calendar_are_accepted(year: int, month: int, day: int) -> None:
    text = f"{year:04}-{month:02}-{day:02}"
    try:
        date.fromisoformat(text)
        expected = True
    except ValueError:
        expected = False
    for member in (b'"occurred_at":"', b'"signed_at":"'):
        before, _, after = GOOD.partition(member)
        changed = before + member + text.encode() + after[10:]
        try:
            parse_statement(changed)
            accepted = True
        except MalformedStatementError:
            accepted = False
        assert accepted == expected


CONTAINER = signed_event("ES256").container


@given(st.integers(0, len(CONTAINER) - 1), st.integers(0, 255))
def test_a_changed_byte_of_a_container_is_refused_or_is_another_signature(
    place: int, value: int
) -> None:
    changed = CONTAINER[:place] + bytes([value]) + CONTAINER[place + 1 :]
    try:
        parsed = parse_container(changed)
    except SigningError:
        return
    assert (parsed == parse_container(CONTAINER)) == (changed == CONTAINER)
