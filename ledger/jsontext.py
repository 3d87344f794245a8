"""Admit only JSON text that every reader understands in the same way.

Content is stored as the exact bytes that were submitted, so what two parsers may read differently
is refused at the door: other encodings, a byte order mark, duplicate keys, NUL, lone surrogates,
text that is not in Unicode normal form C, and nesting without end.
"""

import itertools
import json
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, NoReturn, cast

import msgspec

from ledger.errors import ContentRejectedError

MAX_DEPTH: Final = 64

_BOM: Final = b"\xef\xbb\xbf"
_ROUND_TRIP: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_SAFE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}|[0-9]{1,9}")
_DEEP_LINE: Final = b"\n" + b" " * MAX_DEPTH
_ASCII: Final = bytes(range(128))
# Whole letters and punctuation: none is taken apart by form C, none joins what stands before it.
_LATIN: Final = re.compile("[\u00a0-\u02ff\u1e00-\u1eff\u2010-\u2027]*")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class _Pairs(list[tuple[str, Any]]):
    """An object as its members in order, duplicates included."""


def check_json_text(data: bytes) -> None:
    """Check that bytes are one JSON text of the kind that we store.

    Text written compactly, as our own clients do, takes a fast path: when decoding and encoding
    gives the same bytes, no key was there twice.

    Raises:
        ContentRejectedError: ``content-not-utf8``, ``content-bom``, ``content-not-json``,
            ``content-duplicate-key``, ``content-nul``, ``content-lone-surrogate``,
            ``content-not-nfc`` or ``content-too-deep``; with the place as RFC 6901 pointer,
            cut before a member name that is not a plain word (it could be content).
    """
    if is_plain(data):
        return
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ContentRejectedError("content-not-utf8") from None
    if data.startswith(_BOM):
        raise ContentRejectedError("content-bom")
    _check_carefully(text)


def is_plain(data: bytes) -> bool:
    """Tell whether text is written so that the fast path of `check_json_text` accepts it."""
    if b"\\" in data and b"\\u" in data:  # most have neither, which one byte tells sooner
        return False
    try:
        value = _ROUND_TRIP.decode(data)
        return _ENCODER.encode(value) == data and _is_shallow(data, value) and is_composed(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError):
        return False


def is_composed(data: bytes) -> bool:
    """Tell of what is UTF-8 whether it is in Unicode normal form C."""
    # Which form a text is in depends on its marks, and on what lies beyond ASCII.
    beyond = data.translate(None, _ASCII)
    if not beyond or _LATIN.fullmatch(beyond.decode("utf-8", "replace")):
        return True
    return unicodedata.is_normalized("NFC", data.decode("utf-8"))


def _is_shallow(data: bytes, value: object) -> bool:
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return True
    # Indented by one space a level, no line of a shallow text starts with so many; strings have
    # no lines. The walk below takes several times as long.
    if _DEEP_LINE not in msgspec.json.format(data, indent=1):
        return True
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else cast("list[object]", node))
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return True
    return False


def _check_carefully(text: str) -> None:
    try:
        value = json.loads(
            text,
            object_pairs_hook=_Pairs,
            parse_constant=_refuse_constant,
            parse_float=_ignore_number,
            parse_int=_ignore_number,
        )
    except RecursionError:
        raise ContentRejectedError("content-too-deep") from None
    except ValueError:
        raise ContentRejectedError("content-not-json") from None
    _check_value(value, ())


def _refuse_constant(_name: str) -> NoReturn:
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError


def _ignore_number(_digits: str) -> None:
    """Numbers are valid as they stand; a million digits need no conversion."""


def _check_value(value: object, path: tuple[str, ...]) -> None:
    """Check a value, which is at ``path``, and everything in it."""
    if isinstance(value, str):
        _check_string(value, path)
    elif isinstance(value, list):
        if len(path) >= MAX_DEPTH:
            raise ContentRejectedError("content-too-deep", _pointer(path))
        if isinstance(value, _Pairs):
            _check_members(value, path)
        else:
            for index, child in enumerate(cast("list[object]", value)):
                _check_value(child, (*path, str(index)))


def _check_members(members: _Pairs, path: tuple[str, ...]) -> None:
    names: set[str] = set()
    for name, child in members:
        place = (*path, name)
        if name in names:
            raise ContentRejectedError("content-duplicate-key", _pointer(place))
        names.add(name)
        _check_string(name, place)
        _check_value(child, place)


def _check_string(text: str, path: tuple[str, ...]) -> None:
    if "\0" in text:
        raise ContentRejectedError("content-nul", _pointer(path))
    if _SURROGATE.search(text):
        raise ContentRejectedError("content-lone-surrogate", _pointer(path))
    if not unicodedata.is_normalized("NFC", text):
        raise ContentRejectedError("content-not-nfc", _pointer(path))


def _pointer(path: Iterable[str]) -> str:
    """Write an RFC 6901 pointer, cut before a name that could be content."""
    plain = itertools.takewhile(_SAFE_NAME.fullmatch, path)
    return "".join(f"/{step}" for step in plain)
