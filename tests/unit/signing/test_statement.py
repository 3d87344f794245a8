"""A statement has one permitted spelling; everything else is refused, and the place is named."""

import json
from typing import Any

import pytest

from signing.errors import MalformedStatementError
from signing.statement import (
    MAX_STATEMENT_BYTES,
    Ref,
    Seen,
    encode_statement,
    format_time_ms,
    parse_statement,
    parse_time_ms,
    statement_digest,
)
from tests.signed import EVENT, HASH, statement, statement_bytes


def refusal(data: bytes) -> tuple[str, str]:
    with pytest.raises(MalformedStatementError) as caught:
        parse_statement(data)
    return caught.value.code, caught.value.pointer


def members() -> dict[str, Any]:
    return json.loads(statement_bytes())


def compact(value: object, *, sort_keys: bool = True) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=sort_keys).encode()


def with_member(pointer: str, value: object) -> bytes:
    """Return the default statement with one member replaced, otherwise well spelled."""
    document = members()
    *path, last = pointer.strip("/").split("/")
    target: Any = document
    for step in path:
        target = target[int(step)] if step.isdigit() else target[step]
    target[last] = value
    return compact(document)


def test_a_statement_is_what_an_independent_encoder_makes_of_it() -> None:
    assert compact(members()) == statement_bytes()


def test_parsing_gives_back_every_member() -> None:
    assert parse_statement(statement_bytes()) == statement()


def test_references_and_seen_may_be_absent() -> None:
    document = members()
    del document["refs"], document["seen"]
    parsed = parse_statement(compact(document))
    assert not parsed.refs
    assert not parsed.seen


def test_the_digest_is_sha_256_of_the_exact_bytes() -> None:
    assert (
        statement_digest(b"abc").hex()
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


@pytest.mark.parametrize("missing", sorted(set(members()) - {"refs", "seen"}))
def test_every_other_member_is_required(missing: str) -> None:
    document = members()
    del document[missing]
    assert refusal(compact(document)) == ("statement-malformed", "")


GOOD = statement_bytes()

SPELLINGS = {
    "white space at the end": GOOD + b"\n",
    "white space at the start": b" " + GOOD,
    "white space within": GOOD.replace(b'"size":7', b'"size": 7'),
    "a repeated member": GOOD.replace(b'"alg":"ES256",', b'"alg":"EdDSA","alg":"ES256",'),
    "a repeated inner member": GOOD.replace(b'"size":7', b'"size":8,"size":7'),
    "an equal member twice": GOOD.replace(b'"alg":"ES256",', b'"alg":"ES256","alg":"ES256",'),
    "members out of order": compact(dict(reversed(members().items())), sort_keys=False),
    "inner members out of order": GOOD.replace(
        b'"root":"%b","size":12' % HASH.encode(), b'"size":12,"root":"%b"' % HASH.encode()
    ),
    "an escaped letter": GOOD.replace(b"ES256", rb"\u0045S256"),
    "an escaped solidus": GOOD.replace(b"application/fhir", rb"application\/fhir"),
    "an escaped member name": GOOD.replace(b'"alg"', rb'"\u0061lg"'),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_another_spelling_of_the_same_statement_is_refused(spelling: str) -> None:
    assert SPELLINGS[spelling] != GOOD
    assert refusal(SPELLINGS[spelling])[0] == "statement-not-canonical"


@pytest.mark.parametrize(
    "number",
    [b"7.0", b"7e0", b"0.7e1", b"70e-1", b"07", b"+7", b"-7", b"0x7", b"1_0", b"-0", b"7."],
)
def test_integers_have_one_spelling(number: bytes) -> None:
    code, _ = refusal(GOOD.replace(b'"size":7', b'"size":' + number))
    assert code in {"statement-malformed", "statement-not-canonical"}


FIELDS: list[tuple[str, object]] = [
    ("/alg", "none"),
    ("/alg", "es256"),
    ("/alg", "HS256"),
    ("/alg", None),
    ("/content", None),
    ("/content", []),
    ("/content/digest", HASH.upper()),
    ("/content/digest", HASH[:-2]),
    ("/content/digest", HASH + "ab"),
    ("/content/digest", HASH[:-1] + "g"),
    ("/content/media_type", "application/fhir+json; charset=utf-8"),
    ("/content/media_type", "Application/json"),
    ("/content/media_type", "application"),
    ("/content/media_type", ""),
    ("/content/media_type", "a/" + "b" * 99),
    ("/content/size", 0),
    ("/content/size", -1),
    ("/content/size", 1.5),
    ("/content/size", "7"),
    ("/content/size", True),
    ("/content/size", 1024 * 1024 + 1),
    ("/event_id", EVENT.upper().replace("0", "A")),
    ("/event_id", EVENT.replace("-", "")),
    ("/event_id", "{" + EVENT + "}"),
    ("/event_id", "urn:uuid:" + EVENT),
    ("/event_id", "00000000-0000-0000-0000-000000000000"),
    ("/event_id", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    ("/event_id", 7),
    ("/format", "clinledger/statement/v2"),
    ("/format", ""),
    ("/key_id", HASH.upper()),
    ("/ledger", ""),
    ("/ledger", "https://bvdk.example/ledger"),
    ("/ledger", "bvdk.example/ledger/"),
    ("/ledger", "bvdk.example//ledger"),
    ("/ledger", "bvdk.example/../ledger"),
    ("/ledger", "BVDK.example/ledger"),
    ("/ledger", "bvdk.example+ledger"),
    ("/ledger", "bvdk.example/led ger"),
    ("/ledger", "a" * 201),
    ("/refs", []),
    ("/refs", None),
    ("/refs", {}),
    ("/refs/0/relation", "mentions"),
    ("/refs/0/statement", ""),
    ("/refs/0/event_id", "x"),
    ("/seen", None),
    ("/seen", {}),
    ("/seen/root", HASH.upper()),
    ("/seen/size", 0),
    ("/seen/size", 2**53),
    ("/seen/size", 2**64),
    ("/seen/size", 10**400),
    ("/signer", "nguyen-van-a"),
    ("/stream", ""),
    ("/stream_kind", "ward"),
    ("/type", "note-written"),
    ("/type", "note-written.v0"),
    ("/type", "note-written.v01"),
    ("/type", "note--written.v1"),
    ("/type", "Note-written.v1"),
    ("/type", "note_written.v1"),
    ("/type", "ledger.catalogue:NoteWritten"),
    ("/type", "a" * 62 + ".v1"),
]


@pytest.mark.parametrize(("pointer", "value"), FIELDS)
def test_a_value_outside_the_schema_is_refused_with_its_place(pointer: str, value: object) -> None:
    assert refusal(with_member(pointer, value)) == ("statement-malformed", pointer)


@pytest.mark.parametrize("place", ["", "content", "seen"])
def test_an_unknown_member_is_refused(place: str) -> None:
    document = members()
    target = document[place] if place else document
    target["zzz"] = "free text"
    assert refusal(compact(document))[0] == "statement-malformed"


@pytest.mark.parametrize("pointer", ["/ledger", "/type", "/occurred_at", "/event_id", "/key_id"])
@pytest.mark.parametrize(
    "tail", ["\n", " ", "\x00", "\x7f", "é", '"', "\\", "\u0661", "\U0001f9ea"]
)
def test_nothing_may_follow_a_value_within_its_string(pointer: str, tail: str) -> None:
    value: Any = members()[pointer.strip("/")]
    document = {**members(), pointer.strip("/"): value + tail}
    for ensure_ascii in (True, False):
        data = json.dumps(
            document, separators=(",", ":"), sort_keys=True, ensure_ascii=ensure_ascii
        ).encode()
        assert refusal(data) == ("statement-malformed", pointer)


TIMES = [
    "2026-11-22T03:04:05Z",
    "2026-11-22T03:04:05.6Z",
    "2026-11-22T03:04:05.67Z",
    "2026-11-22T03:04:05.6789Z",
    "2026-11-22T03:04:05,678Z",
    "2026-11-22T03:04:05.678",
    "2026-11-22T03:04:05.678z",
    "2026-11-22t03:04:05.678Z",
    "2026-11-22 03:04:05.678Z",
    "2026-11-22T03:04:05.678+00:00",
    "2026-11-22T10:04:05.678+07:00",
    "2026-11-22T03:04.678Z",
    "2026-11-22T24:00:00.000Z",
    "2026-11-22T23:60:00.000Z",
    "2026-12-31T23:59:60.000Z",
    "2026-13-01T00:00:00.000Z",
    "2026-00-01T00:00:00.000Z",
    "2026-01-00T00:00:00.000Z",
    "2026-01-32T00:00:00.000Z",
    "2026-02-31T00:00:00.000Z",
    "2026-02-29T00:00:00.000Z",
    "2100-02-29T00:00:00.000Z",
    "2026-04-31T00:00:00.000Z",
    "0000-01-01T00:00:00.000Z",
    "20261122T030405.678Z",
    "+2026-11-22T03:04:05.678Z",
    "-2026-11-22T03:04:05.678Z",
    "2026-W47-7T03:04:05.678Z",
    "2026-11-22",
    "",
]


@pytest.mark.parametrize("member", ["occurred_at", "signed_at"])
@pytest.mark.parametrize("time", TIMES)
def test_a_time_of_another_form_or_of_no_calendar_is_refused(member: str, time: str) -> None:
    assert refusal(with_member(member, time)) == ("statement-malformed", f"/{member}")
    with pytest.raises(ValueError, match=r"form|calendar"):
        parse_time_ms(time)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00.000Z", 0),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2026-11-22T03:04:05.678Z", 1_795_316_645_678),
        ("2024-02-29T12:00:00.000Z", 1_709_208_000_000),
        ("0001-01-01T00:00:00.000Z", -62_135_596_800_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ],
)
def test_times_are_milliseconds_since_1970(text: str, ms: int) -> None:
    assert parse_time_ms(text) == ms
    assert format_time_ms(ms) == text
    assert parse_statement(with_member("occurred_at", text)).occurred_at == text


@pytest.mark.parametrize("ms", [253_402_300_800_000, -62_135_596_800_001, 10**20])
def test_a_time_outside_the_calendar_cannot_be_written(ms: int) -> None:
    with pytest.raises(ValueError, match="years"):
        format_time_ms(ms)


NO_JSON = {
    "nothing": b"",
    "cut short": GOOD[:-1],
    "two statements": GOOD + GOOD,
    "an array": b"[" + GOOD + b"]",
    "a string": b'"statement"',
    "null": b"null",
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "a broken UTF-8 sequence": GOOD.replace(b"ES256", b"ES25\xff"),
    "a comment": b"/* */" + GOOD,
    "a trailing comma": GOOD[:-1] + b",}",
    "single quotes": GOOD.replace(b'"', b"'"),
    "not a number": GOOD.replace(b'"size":7', b'"size":NaN'),
    "deep arrays": b"[" * 8000 + b"]" * 8000,
    "deep objects": b'{"alg":' * 2000 + b"1" + b"}" * 2000,
    "deep inner arrays": GOOD.replace(b'"size":7', b'"size":' + b"[" * 7000 + b"]" * 7000),
    "deep unknown members": b'{"zzz":' + b"[" * 7000 + b"]" * 7000 + b"}",
}


@pytest.mark.parametrize("case", NO_JSON)
def test_what_is_no_json_object_of_the_schema_is_refused(case: str) -> None:
    assert refusal(NO_JSON[case])[0] == "statement-malformed"


def test_as_many_references_are_taken_as_fit_into_16_kib() -> None:
    ref = Ref(event_id=EVENT, relation="based-on", statement=HASH)
    most = max(n for n in range(1, 200) if len(statement_bytes_of(n, ref)) <= MAX_STATEMENT_BYTES)
    assert parse_statement(statement_bytes_of(most, ref)).refs == (ref,) * most
    assert refusal(statement_bytes_of(most + 1, ref)) == ("statement-too-large", "")


def statement_bytes_of(number: int, ref: Ref) -> bytes:
    document = members()
    entry = {"event_id": ref.event_id, "relation": ref.relation, "statement": ref.statement}
    document["refs"] = [entry] * number
    return compact(document)


def test_the_length_limit_is_exact() -> None:
    at_limit = b" " * (MAX_STATEMENT_BYTES - len(GOOD)) + GOOD
    assert refusal(at_limit)[0] == "statement-not-canonical"
    assert refusal(b" " + at_limit)[0] == "statement-too-large"


def test_a_statement_that_could_not_be_parsed_cannot_be_built() -> None:
    with pytest.raises(MalformedStatementError) as caught:
        encode_statement(statement(seen=Seen(root=HASH, size=0)))
    assert (caught.value.code, caught.value.pointer) == ("statement-malformed", "/seen/size")


@pytest.mark.parametrize(
    "change", [{"ledger": "\ud800"}, {"seen": Seen(root=HASH, size=2**70)}, {"alg": "none"}]
)
def test_values_that_json_cannot_carry_cannot_be_built(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedStatementError):
        encode_statement(statement(**change))


def test_a_refusal_quotes_nothing_of_the_statement() -> None:
    for data in (
        with_member("/alg", "Nguyễn Văn A"),
        compact({**members(), "Nguyen Van A": 1}),
        with_member("/type", "Nguyen Van A"),
    ):
        with pytest.raises(MalformedStatementError) as caught:
            parse_statement(data)
        assert "Nguy" not in str(caught.value)
        assert caught.value.__cause__ is None
