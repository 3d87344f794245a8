"""Encode rows in PostgreSQL's binary form: one by one for COPY, by columns for array parameters.

psycopg dumps value by value, and lists and UUIDs in Python. The forms are those of COPY
(documentation of COPY, "Binary Format") and of array_send (src/backend/utils/adt/arrayfuncs.c):
every value has its length before it in 4 bytes, and nothing has -1 instead.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg

from ledger.binary_arrays import (
    BytesArray,
    EncodedArray,
    IntegersArray,
    TextsArray,
    UuidsArray,
)
from projections.packing import pack

COPY_BEGIN: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension
COPY_END: Final = b"\xff\xff"
_NULL: Final = b"\xff\xff\xff\xff"
_ARRAY: Final = struct.Struct(">iiIii")
_EMPTY: Final = struct.Struct(">iiI")
_COUNT: Final = struct.Struct(">h")
_LENGTH: Final = struct.Struct(">i")
_BIGINT: Final = struct.Struct(">iq")
_UUID_LENGTH: Final = _LENGTH.pack(16)


def row_encoder(kinds: Sequence[str]) -> Callable[[Sequence[Any]], bytes]:
    """Return what encodes rows of such columns for COPY.

    Args:
        kinds: the columns' types: uuid (given as canonical text), text, bigint, bytea or packed
            (given as what is to be packed).
    """
    encoders = [_ENCODERS[kind] for kind in kinds]
    head = _COUNT.pack(len(kinds))

    def encode(row: Sequence[Any]) -> bytes:
        parts = [head]
        for encoder, value in zip(encoders, row, strict=True):
            parts.append(_NULL if value is None else encoder(value))
        return b"".join(parts)

    return encode


def array_data(kind: str, values: Sequence[Any]) -> EncodedArray:
    """Return the values of a column as an array parameter, to be sent as binary."""
    array, element = _ARRAYS[kind]
    if not values:
        return array(_EMPTY.pack(0, 0, element))
    encode = _ENCODERS[kind]
    parts = [_ARRAY.pack(1, int(None in values), element, len(values), 1)]
    parts += [_NULL if value is None else encode(value) for value in values]
    return array(b"".join(parts))


def _uuid(text: str) -> bytes:
    return _UUID_LENGTH + bytes.fromhex(text.replace("-", ""))


def _text(text: str) -> bytes:
    data = text.encode()
    return _LENGTH.pack(len(data)) + data


def _bigint(number: int) -> bytes:
    return _BIGINT.pack(8, number)


def _bytea(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


def _packed(data: bytes) -> bytes:
    return _bytea(pack(data))


_ARRAYS: Final[dict[str, tuple[type[EncodedArray], int]]] = {
    "uuid": (UuidsArray, psycopg.adapters.types["uuid"].oid),
    "text": (TextsArray, psycopg.adapters.types["text"].oid),
    "bigint": (IntegersArray, psycopg.adapters.types["int8"].oid),
    "bytea": (BytesArray, psycopg.adapters.types["bytea"].oid),
    "packed": (BytesArray, psycopg.adapters.types["bytea"].oid),
}
_ENCODERS: Final[dict[str, Callable[[Any], bytes]]] = {
    "uuid": _uuid,
    "text": _text,
    "bigint": _bigint,
    "bytea": _bytea,
    "packed": _packed,
}
