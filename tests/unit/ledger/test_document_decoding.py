"""Administrative JSON of ours is decoded into closed structs."""

import pytest
from msgspec import Struct

from ledger.errors import ContentRejectedError
from ledger.fhir.validation import decode_document


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    count: int = 1


class Document(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    items: tuple[Item, ...]
    notes: dict[str, int] = {}


def test_a_document_is_decoded_with_its_defaults() -> None:
    document = decode_document(b'{"items":[{"name":"a"}]}', Document)
    assert document == Document(items=(Item(name="a", count=1),))


@pytest.mark.parametrize(
    ("data", "code", "pointer"),
    [
        (b'{"items":[{"name":"a","size":1}]}', "content-unknown-field", "/items/0/size"),
        (b'{"items":[{"name":"a"},{}]}', "content-missing-field", "/items/1/name"),
        (b'{"items":[{"name":1}]}', "content-invalid", "/items/0/name"),
        (b'{"items":[],"notes":{"Nguyen Van A":"x"}}', "content-invalid", "/notes"),
        (b'{"items":[]', "content-not-json", ""),
        (b"\xff", "content-not-json", ""),
        (b"[]", "content-invalid", ""),
    ],
    ids=range(7),
)
def test_any_other_document_is_refused_with_its_place(data: bytes, code: str, pointer: str) -> None:
    with pytest.raises(ContentRejectedError) as caught:
        decode_document(data, Document)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
