"""Send arrays to PostgreSQL in its binary form, written by one join each.

psycopg's own lists are dumped element by element in Python, which was a sixth of what the
sequencer did for an event; and its 16-byte UUID objects are slower to make than bytes.
The form is that of array_send (src/backend/utils/adt/arrayfuncs.c): dimensions, null flag,
element type, then length and lower bound of the one dimension, then each element with its length.
"""

import struct
from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format
from typing_extensions import override

_BYTEA: Final = 17
_INT8: Final = 20
_TEXT: Final = 25
_UUID: Final = 2950
_HEADER: Final = struct.Struct(">iiIii")
_EMPTY: Final = struct.Struct(">iiI")
_LENGTH: Final = struct.Struct(">i")
_INT8_BYTES: Final = 8
_INT8_LENGTH: Final = _LENGTH.pack(_INT8_BYTES)
_UUID_LENGTH: Final = _LENGTH.pack(16)


class EncodedArray:
    """An encoded array; a holder of bytes, not a kind of bytes: that would copy all bodies."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        """Hold an array in PostgreSQL's binary form."""
        self.data: Final = data


class BytesArray(EncodedArray):
    """An encoded `bytea[]`."""


class IntegersArray(EncodedArray):
    """An encoded `bigint[]`."""


class TextsArray(EncodedArray):
    """An encoded `text[]`."""


class UuidsArray(EncodedArray):
    """An encoded `uuid[]`."""


def bytes_array(values: Sequence[bytes]) -> BytesArray:
    """Encode byte strings of any length."""
    return BytesArray(_joined(_BYTEA, values))


def texts_array(values: Sequence[str]) -> TextsArray:
    """Encode texts."""
    return TextsArray(_joined(_TEXT, [value.encode() for value in values]))


def uuids_array(values: Sequence[bytes]) -> UuidsArray:
    """Encode UUIDs, 16 bytes each."""
    return UuidsArray(_interleaved(_UUID, values, _UUID_LENGTH))


def integers_array(values: Sequence[int]) -> IntegersArray:
    """Encode integers of 64 bits."""
    items = [value.to_bytes(_INT8_BYTES, "big", signed=True) for value in values]
    return IntegersArray(_interleaved(_INT8, items, _INT8_LENGTH))


def _joined(element_type: int, values: Sequence[bytes]) -> bytes:
    """Write each element after its length."""
    if not values:
        return _EMPTY.pack(0, 0, element_type)
    pack = _LENGTH.pack
    parts = [_HEADER.pack(1, 0, element_type, len(values), 1)]
    for value in values:
        parts += (pack(len(value)), value)
    return b"".join(parts)


def _interleaved(element_type: int, values: Sequence[bytes], length: bytes) -> bytes:
    """Write each element after the one length that all have."""
    if not values:
        return _EMPTY.pack(0, 0, element_type)
    return _HEADER.pack(1, 0, element_type, len(values), 1) + length + length.join(values)


class _Encoded(Dumper):
    format = Format.BINARY

    @override
    def dump(self, obj: EncodedArray) -> Buffer:
        return obj.data


class _BytesDumper(_Encoded):
    oid = psycopg.adapters.types["bytea"].array_oid


class _IntegersDumper(_Encoded):
    oid = psycopg.adapters.types["int8"].array_oid


class _TextsDumper(_Encoded):
    oid = psycopg.adapters.types["text"].array_oid


class _UuidsDumper(_Encoded):
    oid = psycopg.adapters.types["uuid"].array_oid


psycopg.adapters.register_dumper(BytesArray, _BytesDumper)
psycopg.adapters.register_dumper(IntegersArray, _IntegersDumper)
psycopg.adapters.register_dumper(TextsArray, _TextsDumper)
psycopg.adapters.register_dumper(UuidsArray, _UuidsDumper)
