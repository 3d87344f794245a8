"""Send arrays to PostgreSQL in its binary form, written by one join each.

psycopg's own lists are dumped element by element in Python, which was a sixth of what the
sequencer did for an event; and its 16-byte UUID objects are slower to make than bytes.
The form is that of array_send (src/backend/utils/adt/arrayfuncs.c): dimensions, null flag,
element type, then length and lower bound of the one dimension, then each element with its length.
"""

import struct
from collections.abc import Sequence
from itertools import chain
from typing import Final

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format
from typing_extensions import override

_BYTEA: Final = 17
_INT8: Final = 20
_UUID: Final = 2950
_HEADER: Final = struct.Struct(">iiIii")
_EMPTY: Final = struct.Struct(">iiI")
_LENGTH: Final = struct.Struct(">i")
_UUID_BYTES: Final = 16
_INT8_BYTES: Final = 8


class BytesArray(bytes):
    """An encoded `bytea[]`."""


class IntegersArray(bytes):
    """An encoded `bigint[]`."""


class UuidsArray(bytes):
    """An encoded `uuid[]`."""


def bytes_array(values: Sequence[bytes]) -> BytesArray:
    """Encode byte strings of any length."""
    pack = _LENGTH.pack
    parts = chain.from_iterable([(pack(len(value)), value) for value in values])
    return BytesArray(_header(_BYTEA, len(values)) + b"".join(parts))


def uuids_array(values: Sequence[bytes]) -> UuidsArray:
    """Encode UUIDs, 16 bytes each."""
    return UuidsArray(_header(_UUID, len(values)) + _elements(values, _UUID_BYTES))


def integers_array(values: Sequence[int]) -> IntegersArray:
    """Encode integers of 64 bits."""
    items = [value.to_bytes(_INT8_BYTES, "big", signed=True) for value in values]
    return IntegersArray(_header(_INT8, len(items)) + _elements(items, _INT8_BYTES))


def _header(element_type: int, count: int) -> bytes:
    return _HEADER.pack(1, 0, element_type, count, 1) if count else _EMPTY.pack(0, 0, element_type)


def _elements(items: Sequence[bytes], size: int) -> bytes:
    length = _LENGTH.pack(size)
    return length + length.join(items) if items else b""


class _Encoded(Dumper):
    format = Format.BINARY

    @override
    def dump(self, obj: bytes) -> Buffer:
        return obj


class _BytesDumper(_Encoded):
    oid = psycopg.adapters.types["bytea"].array_oid


class _IntegersDumper(_Encoded):
    oid = psycopg.adapters.types["int8"].array_oid


class _UuidsDumper(_Encoded):
    oid = psycopg.adapters.types["uuid"].array_oid


psycopg.adapters.register_dumper(BytesArray, _BytesDumper)
psycopg.adapters.register_dumper(IntegersArray, _IntegersDumper)
psycopg.adapters.register_dumper(UuidsArray, _UuidsDumper)
