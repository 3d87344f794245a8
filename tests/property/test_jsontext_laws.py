"""Laws of admissible JSON text, over texts that nobody chose."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import ContentRejectedError
from ledger.jsontext import check_json_text
from tests.fhir_examples import places

words = st.from_regex(r"[A-Za-z]{1,8}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).map(
    lambda text: unicodedata.normalize("NFC", text)
)
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
documents = st.recursive(
    leaves.filter(lambda leaf: leaf not in {float("inf"), float("-inf")}),
    lambda inner: st.lists(inner) | st.dictionaries(words, inner),
    max_leaves=30,
)


@given(documents, st.sampled_from([None, 0, 2]), st.booleans())
def test_any_document_is_accepted_however_it_is_laid_out(
    document: Any,  # noqa: ANN401 - plain JSON
    indent: int | None,
    ascii_only: bool,
) -> None:
    separators = (",", ":") if indent is None else None
    text = json.dumps(document, indent=indent, separators=separators, ensure_ascii=ascii_only)
    check_json_text(text.encode())


def is_object(value: Any) -> bool:  # noqa: ANN401 - plain JSON
    return isinstance(value, dict) and value != {}


@given(st.dictionaries(words, documents, min_size=1), st.data(), st.booleans())
def test_a_repeated_member_is_found_wherever_it_is(
    document: dict[str, Any], data: st.DataObject, compact: bool
) -> None:
    objects = [(place, item) for place, _, _, item in places({"": document}) if is_object(item)]
    place, chosen = data.draw(st.sampled_from(objects))
    place = place.removeprefix("/")
    name = data.draw(st.sampled_from(sorted(chosen)))
    chosen["REPEATED"] = data.draw(documents)
    separators = (",", ":") if compact else None
    text = json.dumps(document, separators=separators).replace('"REPEATED"', json.dumps(name))
    with pytest.raises(ContentRejectedError) as caught:
        check_json_text(text.encode())
    assert caught.value.code == "content-duplicate-key"
    assert caught.value.pointer == f"{place}/{name}"


@given(documents, st.data())
def test_damaged_text_is_judged_and_never_a_crash(
    document: Any,  # noqa: ANN401 - plain JSON
    data: st.DataObject,
) -> None:
    """What is accepted after all is JSON that Python reads too, without a repeated key."""
    text = bytearray(json.dumps(document, ensure_ascii=False).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        check_json_text(bytes(text))
    except ContentRejectedError:
        return
    pairs: list[list[tuple[str, Any]]] = []
    json.loads(text, object_pairs_hook=pairs.append)
    assert all(len(dict(members)) == len(members) for members in pairs)
    assert unicodedata.is_normalized("NFC", bytes(text).decode())
