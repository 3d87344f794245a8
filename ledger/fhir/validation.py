"""Decode content and say exactly what is wrong with it, without quoting it.

1. The generated structs decode and check everything that lies within one element.
2. Empty objects, which the structs cannot see, are looked for in the bytes.
3. References to contained resources are resolved over the whole resource.

Callers keep the exact bytes: what is decoded here is never encoded again. Duplicate keys, NUL,
surrogates and NFC are jsontext.py's.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import UNSET, Struct

from ledger.errors import ContentRejectedError
from ledger.fhir import primitives, r4
from ledger.fhir.primitives import ExactDecimal
from ledger.fhir.rules import RuleBrokenError

S = TypeVar("S", bound=Struct)

_EMPTY: Final = re.compile(rb'\{[ \t\r\n]*(?:"id"[ \t\r\n]*:[ \t\r\n]*"[^"\\]*"[ \t\r\n]*)?\}')
_LOCAL: Final = b'"#'
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_SAFE_NAME: Final = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")
_MISSING: Final = re.compile(r"Object missing required field `([^`]+)`")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `([^`]+)`")

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


def _decimal_hook(kind: type, value: object) -> object:
    """Take numbers, as written, for a decimal, and nothing else."""
    if kind is ExactDecimal:
        if type(value) is ExactDecimal:
            return value
        if type(value) is int:
            return ExactDecimal(value)
    raise RuleBrokenError("fhir-type", "")


_RESOURCE: Final = msgspec.json.Decoder(
    r4.AnyResource, dec_hook=_decimal_hook, float_hook=ExactDecimal
)
_PLAIN: Final = msgspec.json.Decoder(float_hook=Decimal)


def decode_resource(data: bytes, resource_type: str) -> r4.AnyResource:
    """Decode a FHIR R4 resource of the given type and check every rule we enforce.

    Raises:
        ContentRejectedError: ``content-not-json``, ``content-too-deep``, or a ``fhir-…`` code of
            docs/events.md with the place as RFC 6901 pointer.
    """
    resource = _decode(_RESOURCE, data, _fhir_code)
    if type(resource).__name__ != resource_type:
        raise ContentRejectedError("fhir-resource-type", "/resourceType")
    if _EMPTY.search(data):
        _check_empty(data)
    if _LOCAL in data or getattr(resource, "contained", UNSET) is not UNSET:
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


def _decode(decoder: "msgspec.json.Decoder[S]", data: bytes, code_of: Callable[[str], str]) -> S:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise _rejection(error, code_of) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ContentRejectedError("content-not-json") from None
    except RecursionError:
        raise ContentRejectedError("content-too-deep") from None


def _rejection(
    error: msgspec.ValidationError, code_of: Callable[[str], str]
) -> ContentRejectedError:
    """Translate msgspec's message, of which no text is passed on."""
    message = str(error)
    text, found, path = message.removesuffix("`").rpartition(" - at `$")
    if not found:
        text, path = message, ""
    pointer = "".join(f"/{name or index}" for name, index in _STEP.findall(path))
    cause = error.__cause__
    if isinstance(cause, RuleBrokenError):
        return ContentRejectedError(cause.code, pointer + cause.pointer)
    named = _MISSING.fullmatch(text) or _UNKNOWN.fullmatch(text)
    if named is not None and _SAFE_NAME.fullmatch(named[1]):
        pointer += f"/{named[1]}"
    return ContentRejectedError(code_of(text), pointer)


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


def _walk(value: object, pointer: str) -> Iterator[tuple[str, object]]:
    """Yield every value with its pointer."""
    yield pointer, value
    if isinstance(value, dict):
        for name, item in cast("dict[str, object]", value).items():
            yield from _walk(item, f"{pointer}/{name}")
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from _walk(item, f"{pointer}/{index}")


def _check_empty(data: bytes) -> None:
    """ele-1: all FHIR elements must have a value or children."""
    for pointer, value in _walk(_PLAIN.decode(data), ""):
        if isinstance(value, dict) and not value.keys() - {"id"}:
            raise ContentRejectedError("fhir-empty", pointer)


def _check_contained(resource: Any, pointer: str) -> None:  # noqa: ANN401 - plain JSON
    """ref-1 and dom-3: ``#id`` names a contained resource, and each of these is named."""
    if "entry" in resource and resource["resourceType"] == "Bundle":
        for index, entry in enumerate(resource["entry"]):
            if "resource" in entry:
                _check_contained(entry["resource"], f"{pointer}/entry/{index}/resource")
        return
    contained = {
        item.get("id"): f"{pointer}/contained/{index}"
        for index, item in enumerate(resource.get("contained", ()))
    }
    if len(contained) != len(resource.get("contained", ())) or None in contained:
        raise ContentRejectedError("fhir-dom-3", f"{pointer}/contained")
    unused = set(contained)
    for place, value in _walk(resource, pointer):
        if isinstance(value, str) and value.startswith("#"):
            name = place.rpartition("/")[2]
            if name == "reference" and value != "#" and value[1:] not in contained:
                raise ContentRejectedError("fhir-ref-1", place)
            unused.discard(value[1:])
            if value == "#" and place.startswith(f"{pointer}/contained/"):
                index = int(place.removeprefix(f"{pointer}/contained/").partition("/")[0])
                unused.discard(resource["contained"][index]["id"])
    if unused:
        raise ContentRejectedError("fhir-dom-3", min(contained[name] for name in unused))
