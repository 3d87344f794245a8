"""Encode rows in PostgreSQL's binary form: one by one for COPY, by columns for array parameters.

psycopg dumps value by value, and lists and UUIDs in Python. The forms are those of COPY
(documentation of COPY, "Binary Format") and of array_send (src/backend/utils/adt/arrayfuncs.c):
every value has its length before it in 4 bytes, and nothing has -1 instead.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format
from typing_extensions import override

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
        kinds: the columns' types: uuid (given as canonical text), text, bigint or bytea.
    """
    encoders = [_ENCODERS[kind] for kind in kinds]
    head = _COUNT.pack(len(kinds))

    def encode(row: Sequence[Any]) -> bytes:
        parts = [head]
        for encoder, value in zip(encoders, row, strict=True):
            parts.append(_NULL if value is None else encoder(value))
        return b"".join(parts)

    return encode


def array_data(kind: str, values: Sequence[Any]) -> "_Array":
    """Return the values of a column as an array parameter, to be sent as binary."""
    array = _ARRAYS[kind]
    if not values:
        return array(_EMPTY.pack(0, 0, array.element))
    encode = _ENCODERS[kind]
    parts = [_ARRAY.pack(1, int(None in values), array.element, len(values), 1)]
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


class _Array(bytes):
    """An encoded array, of which psycopg must know the type.

    Attributes:
        element: object id of the elements' type.
    """

    element: int


class _Uuids(_Array):
    element = psycopg.adapters.types["uuid"].oid


class _Texts(_Array):
    element = psycopg.adapters.types["text"].oid


class _Bigints(_Array):
    element = psycopg.adapters.types["int8"].oid


class _Byteas(_Array):
    element = psycopg.adapters.types["bytea"].oid


class _Encoded(Dumper):
    format = Format.BINARY

    @override
    def dump(self, obj: bytes) -> Buffer:
        return obj


class _UuidsDumper(_Encoded):
    oid = psycopg.adapters.types["uuid"].array_oid


class _TextsDumper(_Encoded):
    oid = psycopg.adapters.types["text"].array_oid


class _BigintsDumper(_Encoded):
    oid = psycopg.adapters.types["int8"].array_oid


class _ByteasDumper(_Encoded):
    oid = psycopg.adapters.types["bytea"].array_oid


psycopg.adapters.register_dumper(_Uuids, _UuidsDumper)
psycopg.adapters.register_dumper(_Texts, _TextsDumper)
psycopg.adapters.register_dumper(_Bigints, _BigintsDumper)
psycopg.adapters.register_dumper(_Byteas, _ByteasDumper)

_ARRAYS: Final[dict[str, type[_Array]]] = {
    "uuid": _Uuids,
    "text": _Texts,
    "bigint": _Bigints,
    "bytea": _Byteas,
}
_ENCODERS: Final[dict[str, Callable[[Any], bytes]]] = {
    "uuid": _uuid,
    "text": _text,
    "bigint": _bigint,
    "bytea": _bytea,
}
