"""For all statements: one spelling, and no byte can change unnoticed."""

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


def text(pattern: str, limit: int = 10_000) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True).filter(lambda value: len(value) <= limit)


milliseconds = st.integers(-62_135_596_800_000, 253_402_300_799_999)
uuids = text(UUID_PATTERN)
hashes = text(HASH_PATTERN)
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
        media_type=text(MEDIA_TYPE_PATTERN, 100),
        size=st.integers(1, 1024 * 1024),
    ),
    event_id=uuids,
    format=st.just("clinledger/statement/v1"),
    key_id=hashes,
    ledger=text(ORIGIN_PATTERN, 200),
    occurred_at=milliseconds.map(format_time_ms),
    refs=st.lists(refs, min_size=1, max_size=3).map(tuple) | st.just(UNSET),
    seen=st.builds(Seen, root=hashes, size=st.integers(1, MAX_INTEGER)) | st.just(UNSET),
    signed_at=milliseconds.map(format_time_ms),
    signer=uuids,
    stream=uuids,
    stream_kind=st.sampled_from(["patient", "record", "staff", "facility", "access"]),
    type=text(TYPE_PATTERN, 64),
)


@given(statements)
def test_every_statement_survives_its_encoding(statement: Statement) -> None:
    data = encode_statement(statement)
    assert parse_statement(data) == statement
    assert encode_statement(parse_statement(data)) == data
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
    assert encode_statement(parsed) == changed
    assert (parsed == PARSED) == (changed == GOOD)


@given(st.integers(0, len(GOOD)), st.binary(min_size=1, max_size=4))
def test_inserted_bytes_are_refused_or_say_something_else(place: int, extra: bytes) -> None:
    changed = GOOD[:place] + extra + GOOD[place:]
    try:
        parsed = parse_statement(changed)
    except MalformedStatementError:
        return
    assert encode_statement(parsed) == changed
    assert parsed != PARSED


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 40))
def test_removed_bytes_are_refused_or_say_something_else(place: int, count: int) -> None:
    changed = GOOD[:place] + GOOD[place + count :]
    try:
        parsed = parse_statement(changed)
    except MalformedStatementError:
        return
    assert encode_statement(parsed) == changed
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
