"""Laws of decoding quickly: what it accepts is accepted the long way too, with the same values."""

import unicodedata
from decimal import Decimal
from typing import Any, Final

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.simulate.plan import plan_patient
from ledger.fhir import known, r4_quick
from ledger.fhir.quick import decode_quickly
from ledger.fhir.validation import decode_carefully
from ledger.jsontext import check_json_text, is_composed
from tests.fhir_examples import EXAMPLES, example_bytes, parse, places, write

ORIGIN: Final = "quick.example/ledger"
FHIR_JSON: Final = "application/fhir+json"
ENCODER: Final = msgspec.json.Encoder(enc_hook=Decimal, decimal_format="number")
SIMULATED: Final = [
    event.content
    for number in range(1, 9)
    for event in plan_patient(ORIGIN, seed=11, number=number).events
    if event.media_type == FHIR_JSON
]
COMPACT: Final = [write(parse(example_bytes(name))) for name in EXAMPLES]
QUICK: Final = [data for data in COMPACT if decode_quickly(data) is not None]
contents: Final = st.sampled_from(QUICK) | st.sampled_from(SIMULATED)
BITS: Final = [
    b"", b"{}", b"[]", b"null", b'"', b"0", b"-0", b"1e3", b"1.0", b"\\u0022", b"\\/", b"\\b", b"#",
    b"\xff", b"\xcc\x81", b"\xef\xbf\xbf", b" ", b"\n", b",", b":", b"}", b"]", b'"id":"x",',
    b'"status":"final",', b'"text":"x",', b'{"id":"x"}', b'"extension":[],', b'"contained":[],',
]  # fmt: skip


def check(data: bytes) -> bool:
    """Compare the two ways for one text; tell whether it was decoded quickly."""
    found = decode_quickly(data)
    if found is None:
        return False
    careful = decode_carefully(data, type(found).__name__)
    assert ENCODER.encode(found) == ENCODER.encode(careful)
    if is_composed(data):
        check_json_text(data)
    return True


def test_what_hospitals_write_is_decoded_quickly() -> None:
    """Else all of this is for nothing; twice, because elements are known the second time."""
    assert all(check(data) for data in SIMULATED + SIMULATED)
    assert len(QUICK) > len(EXAMPLES) / 4


@given(contents, st.data())
def test_damaged_bytes_are_never_accepted_wrongly(content: bytes, data: st.DataObject) -> None:
    text = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text) - 1))
        length = data.draw(st.integers(0, 2))
        text[place : place + length] = data.draw(st.sampled_from(BITS))
    check(bytes(text))


@given(contents, contents, st.data())
def test_an_element_of_elsewhere_is_never_accepted_wrongly(
    content: bytes, other: bytes, data: st.DataObject
) -> None:
    """What is known in one place need not be good in another."""
    document = parse(content)
    _, container, key, _ = data.draw(st.sampled_from(list(places(document))))
    container[key] = data.draw(st.sampled_from([child for *_, child in places(parse(other))]))
    check(write(document))


@given(contents, st.data())
def test_a_repeated_member_is_never_accepted(content: bytes, data: st.DataObject) -> None:
    """Whatever the first of the two is: of the elements that are looked up it is not decoded."""
    document = parse(content)
    objects: list[dict[str, Any]] = [
        child for *_, child in places({"": document}) if isinstance(child, dict)
    ]
    chosen = data.draw(st.sampled_from(objects))
    name = data.draw(st.sampled_from(sorted(chosen)))
    text = write(document)
    assert check(text)
    first = data.draw(st.sampled_from([b"null", b"{}", b'""', b'{"bad":1}', write(chosen[name])]))
    key = msgspec.json.encode(name) + b":"
    start = write(chosen)
    twice = text.replace(start, b"{" + key + first + b"," + start[1:], 1)
    assert twice != text
    assert not check(twice)


@pytest.mark.parametrize(
    "extra",
    [
        b'"contained":[]', b'"_status":{"id":"x"}', b'"subject":{}', b'"subject":{"id":"x"}',
        b'"subject":{"reference":"#"}', b'"subject":{"reference":"Encounter/1"}',
        b'"subject":{"display":"a\\u0041"}', b'"subject":{"display":"a\\bb"}',
        b'"subject":{"display":"","display":"x"}', b'"subject":{"display":1,"display":"x"}',
        b'"subject": {"display":"x"}', b'"valueInteger":-0', b'"valueInteger":1e3',
        b'"valueQuantity":{"value":1e999}', b'"valueQuantity":{"value":"1"}', b'"basedOn":[{}]',
        b'"effectiveDateTime":"2026-02-30"', b'"valueString":"a\\/b"', b'"identifier":[{}]',
        b'"valueString":"x","valueInteger":1', b'"subject":{"display":"x"},"subject":{"no":1}',
        b'"subject":{"no":1},"subject":{"display":"x"}',
    ],
)  # fmt: skip
def test_what_is_odd_is_left_to_the_long_way(extra: bytes) -> None:
    start = b'{"resourceType":"Observation","status":"final","code":{"text":"x"}'
    assert check(start + b"}")
    assert not check(start + b"," + extra + b"}")


@pytest.mark.parametrize("depth", [1, 2, 5, 6, 20, 60, 100])
def test_nesting_is_bounded_by_what_is_remembered(depth: int) -> None:
    extension = b'{"url":"x","extension":[' * depth + b'{"url":"x","valueBoolean":true}'
    text = b'{"resourceType":"Patient","active":true,"extension":[' + extension + b"]}" * depth
    assert check(text + b"]}") == (2 * depth + 2 <= known.MAX_BRACKETS)


def test_names_and_addresses_are_not_remembered() -> None:
    """They repeat seldom, and no process holds longer than it must who somebody is."""
    patients = [data for data in SIMULATED if data.startswith(b'{"resourceType":"Patient"')]
    assert all(b'"family"' in data and check(data) for data in patients)
    known_texts = [text for table in r4_quick.MEMORY.tables for text in table]
    assert known_texts
    for word in (b'"family"', b'"line"', b'"phone"', b'"birthDate"'):
        assert not any(word in text for text in known_texts)


def test_no_more_is_remembered_than_may_be() -> None:
    """The tables begin anew; what is looked up afterwards is judged again, and good."""
    tables = r4_quick.MEMORY.tables
    seen = 0
    for number in range(known.MAX_ELEMENTS + 10):
        text = b'{"resourceType":"Condition","subject":{"display":"%d"}}' % number
        assert decode_quickly(text) is None or number % 1000 or check(text)
        seen = max(seen, sum(map(len, tables)))
    assert seen <= known.MAX_ELEMENTS
    assert 0 < sum(map(len, tables)) < known.MAX_ELEMENTS
    assert all(check(data) for data in SIMULATED)


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("e\u0301")
@example("\u1e0b\u0323")
@example("ủ\u0323")
def test_texts_in_normal_form_are_told_from_others(text: str) -> None:
    assert is_composed(text.encode()) == unicodedata.is_normalized("NFC", text)


def test_letters_that_are_not_looked_at_closely_stay_what_they_are_anywhere() -> None:
    """None is a mark, changes by itself, or joins what stands before it."""
    parts = [unicodedata.decomposition(chr(code)).split() for code in range(0x110000)]
    joining = {chr(int(pair[1], 16)) for pair in parts if len(pair) == 2 and pair[0][0] != "<"}
    assert "\u0301" in joining
    for start, stop in ((0xA0, 0x300), (0x1E00, 0x1F00), (0x2010, 0x2028)):
        for letter in map(chr, range(start, stop)):
            assert unicodedata.combining(letter) == 0
            assert unicodedata.normalize("NFC", letter) == letter
            assert letter not in joining
