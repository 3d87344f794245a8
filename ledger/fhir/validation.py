"""Decode content and say exactly what is wrong with it, without quoting it.

Most content is decoded by quick.py. What that leaves is judged in three steps:

1. Empty objects, which structs cannot see, are looked for in the bytes.
2. The generated structs decode and check everything that lies within one element.
3. Where the bytes hint at them, control characters are looked for, and references to contained
   resources are resolved over the whole resource.

Callers keep the exact bytes: what is decoded here is never encoded again. Duplicate keys, NUL,
surrogates and NFC are jsontext.py's.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import Struct

from ledger.errors import ContentRejectedError
from ledger.fhir import primitives, r4
from ledger.fhir.decoding import EMPTY, SUSPECT, decoder_of
from ledger.fhir.quick import decode_quickly
from ledger.fhir.rules import RuleBrokenError

S = TypeVar("S", bound=Struct)

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_STEP: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]")
_SAFE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_NAMED: Final = re.compile(
    r"Object (?:contains unknown|missing required) field `([^`]+)`"
    r"(?: - at `\$([A-Za-z0-9_.\[\]]*)`)?"
)

_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError)

# What msgspec says (after any quoted content) → our code.
_BY_MESSAGE: Final = {
    "Object missing required field": "fhir-required-element",
    "Object contains unknown field": "fhir-unknown-element",
    "Invalid enum value": "fhir-code",
    "Invalid value": "fhir-resource-type",
}
_BY_PATTERN: Final = {
    primitives.DATE_PATTERN: "fhir-date",
    primitives.DATE_TIME_PATTERN: "fhir-date",
    primitives.INSTANT_PATTERN: "fhir-date",
    primitives.REFERENCE_PATTERN: "fhir-reference-form",
}


_RESOURCE: Final = decoder_of(r4.AnyResource)
_PLAIN: Final = msgspec.json.Decoder(float_hook=Decimal)


def decode_resource(data: bytes, resource_type: str) -> r4.AnyResource:
    """Decode a FHIR R4 resource of the given type and check every rule we enforce.

    Raises:
        ContentRejectedError: ``content-not-json``, ``content-too-deep``, or a ``fhir-…`` code of
            docs/events.md with the place as RFC 6901 pointer.
    """
    found = decode_quickly(data)
    if found is not None and type(found).__name__ == resource_type:
        return found
    return decode_carefully(data, resource_type)


def decode_carefully(data: bytes, resource_type: str) -> r4.AnyResource:
    """Do as `decode_resource`, whatever the content is like."""
    if EMPTY.search(data):
        _check_empty(data)
    resource = _decode(_RESOURCE, data, _fhir_code)
    if type(resource).__name__ != resource_type:
        raise ContentRejectedError("fhir-resource-type", "/resourceType")
    # Most texts have neither byte, which is quickly seen.
    if (b"\\" in data or b"\xef\xbf" in data) and SUSPECT.search(data):
        _check_text(_PLAIN.decode(data))
    if b'"contained"' in data or (b"#" in data and b'"#' in data) or b"\\u0023" in data:
        _check_contained(_PLAIN.decode(data), "")
    return resource


def decode_document(data: bytes, kind: type[S]) -> S:
    """Decode administrative JSON of ours into a closed struct.

    Raises:
        ContentRejectedError: ``content-not-json``, ``content-too-deep``,
            ``content-unknown-field``, ``content-missing-field`` or ``content-invalid``.
    """
    return _decode(_document_decoder(kind), data, _document_code)


@lru_cache(maxsize=128)
def _document_decoder(kind: type[S]) -> msgspec.json.Decoder[S]:
    return msgspec.json.Decoder(kind)


def _decode(decoder: msgspec.json.Decoder[S], data: bytes, code_of: Callable[[str], str]) -> S:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        rejection = _rejection(error, code_of)
    except _UNREADABLE:
        rejection = ContentRejectedError("content-not-json")
    except RecursionError:
        rejection = ContentRejectedError("content-too-deep")
    except ArithmeticError:  # a number that even Decimal cannot hold
        rejection = ContentRejectedError(code_of("Expected `decimal`"))
    raise rejection  # out here, so that msgspec's message is not even its context


def _rejection(
    error: msgspec.ValidationError, code_of: Callable[[str], str]
) -> ContentRejectedError:
    """Translate msgspec's message, of which no text is passed on."""
    message = str(error)
    text, _, path = message.removesuffix("`").rpartition(" - at `$")
    name = ""
    if named := _NAMED.fullmatch(message):
        text, name, path = message, named[1], named[2] or ""
    elif not text or message.startswith("Object"):  # no path, or a name that imitates one
        text, path = message, ""
    pointer = _pointer(path)
    cause = error.__cause__
    if isinstance(cause, RuleBrokenError):
        return ContentRejectedError(cause.code, pointer + cause.pointer)
    if _SAFE_NAME.fullmatch(name):
        pointer += f"/{name}"
    return ContentRejectedError(code_of(text), pointer)


def _pointer(path: str) -> str:
    """Write msgspec's path as an RFC 6901 pointer, up to a key that could be content."""
    plain = path.partition("[...]")[0]
    return "".join(f"/{name or index}" for name, index in _STEP.findall(plain))


def _fhir_code(text: str) -> str:
    for said, code in _BY_MESSAGE.items():
        if text.startswith(said):
            return code
    if text.endswith("got `null`"):
        return "fhir-null"
    if "of length >= 1" in text:
        return "fhir-empty"
    if "matching regex" in text:
        pattern = text.partition("matching regex ")[2][1:-1].replace("\\\\", "\\")
        return _BY_PATTERN.get(pattern, "fhir-value")
    return "fhir-type" if ", got `" in text else "fhir-value"


def _document_code(text: str) -> str:
    if text.startswith("Object missing required field"):
        return "content-missing-field"
    if text.startswith("Object contains unknown field"):
        return "content-unknown-field"
    return "content-invalid"


def _walk(document: object, pointer: str) -> Iterator[tuple[str, object]]:
    """Yield every value of a document with its pointer, in document order."""
    waiting = [(pointer, document)]
    while waiting:
        place, value = waiting.pop()
        yield place, value
        if isinstance(value, dict):
            members = cast("dict[str, object]", value).items()
            waiting += [(f"{place}/{name}", child) for name, child in members][::-1]
        elif isinstance(value, list):
            children = enumerate(cast("list[object]", value))
            waiting += [(f"{place}/{index}", child) for index, child in children][::-1]


def _check_empty(data: bytes) -> None:
    """ele-1: all FHIR elements must have a value or children."""
    try:
        document = _PLAIN.decode(data)
    except (*_UNREADABLE, RecursionError, ArithmeticError):
        return  # the structs' decoder says what is wrong
    for pointer, value in _walk(document, ""):
        if isinstance(value, dict) and not value.keys() - {"id"}:
            raise ContentRejectedError("fhir-empty", pointer)


def _check_text(document: object) -> None:
    """Refuse control characters, which XML, the other form of FHIR, cannot carry.

    Also an object with nothing but an id, which ``EMPTY`` misses when its name is escaped.
    """
    for pointer, value in _walk(document, ""):
        if isinstance(value, str) and _CONTROL.search(value):
            raise ContentRejectedError("fhir-control-character", pointer)
        if isinstance(value, dict) and not value.keys() - {"id"}:
            raise ContentRejectedError("fhir-empty", pointer)


def _check_contained(resource: Any, pointer: str) -> None:  # noqa: ANN401 - plain JSON
    """ref-1 and dom-3: ``#id`` names a contained resource, and each of these is named."""
    if resource["resourceType"] == "Bundle":
        for index, entry in enumerate(resource.get("entry", ())):
            if "resource" in entry:
                _check_contained(entry["resource"], f"{pointer}/entry/{index}/resource")
        return
    contained = [item.get("id") for item in resource.get("contained", ())]
    known = set(contained)
    if None in known or len(known) != len(contained):
        raise ContentRejectedError("fhir-dom-3", f"{pointer}/contained")
    named: set[str] = set()
    for place, value in _walk(resource, ""):
        if isinstance(value, str) and value.startswith("#"):
            name = value[1:] or _container_of(place, contained)
            if place.endswith("/reference") and name and name not in known:
                raise ContentRejectedError("fhir-ref-1", pointer + place)
            named.add(name)
    for index, name in enumerate(contained):
        if name not in named:
            raise ContentRejectedError("fhir-dom-3", f"{pointer}/contained/{index}")


def _container_of(place: str, contained: list[str]) -> str:
    """Name the contained resource in which ``#`` stands: it refers to its container."""
    _, top, inside = place.partition("/contained/")
    return contained[int(inside.partition("/")[0])] if top else ""
