"""Read request bodies: type and length checked before, text and schema after, bytes in between.

msgspec decodes them; its messages may quote the body, so only the place is told.
"""

import asyncio
import codecs
import re
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

from api.errors import (
    BodyInvalidError,
    BodyMalformedError,
    BodyTimeoutError,
    BodyTooLargeError,
    MediaTypeError,
)

# One content of 1 MiB, however a JSON writer may have escaped it.
MAX_EVENT_BYTES: Final = 4 * 1024 * 1024
MAX_BATCH_BYTES: Final = 16 * 1024 * 1024
MAX_SMALL_BYTES: Final = 64 * 1024
BODY_SECONDS: Final = 30.0

_JSON: Final = "application/json"
_PLACE: Final = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`\Z")
_STEP: Final = re.compile(r"\.(?P<name>[A-Za-z_]+)|\[(?P<index>\d+)\]")
_FIELD: Final = re.compile(r"Object missing required field `(?P<name>[a-z_]+)`")
T = TypeVar("T")


class JsonResponse(Response):
    """A response whose body is JSON bytes already; nothing in between keeps a copy of it."""

    media_type = _JSON

    def __init__(self, content: bytes, status_code: int = 200) -> None:
        """Take the body and the status."""
        # All that the class above does for other responses, which takes five times as long.
        self.status_code = status_code
        self.body = content
        self.background = None
        self.raw_headers = [
            (b"cache-control", b"no-store"),
            (b"content-length", b"%d" % len(content)),
            (b"content-type", b"application/json"),
        ]


def json_response(value: object, status_code: int = 200) -> JsonResponse:
    """Encode a value as the body of a response."""
    return JsonResponse(msgspec.json.encode(value), status_code)


async def read_body(request: Request, limit: int) -> bytes:
    """Read a JSON body of at most `limit` bytes, refusing before reading where possible.

    Raises:
        MediaTypeError: not `application/json` in UTF-8, or compressed.
        BodyTooLargeError: announced or found to be longer.
        BodyTimeoutError: it does not arrive.
    """
    _check_headers(request, limit)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(request.receive, limit)
    except TimeoutError:
        raise BodyTimeoutError from None


async def _read(receive: Receive, limit: int) -> bytes:
    # Not `Request.stream`, which makes a generator and an object for every chunk.
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            # Nobody reads the answer, but it is no fault of ours.
            raise BodyMalformedError("body-truncated", detail="the client went away")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLargeError(limit)
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def decode_body(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """Decode a body strictly.

    Raises:
        BodyMalformedError: not JSON text.
        BodyInvalidError: not of the decoder's schema.
    """
    if body.startswith(codecs.BOM_UTF8):
        raise BodyMalformedError("body-bom", detail="the body starts with a byte order mark")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except msgspec.DecodeError as error:
        truncated = "truncated" in str(error)
        code = "body-truncated" if truncated else "body-not-json"
        raise BodyMalformedError(code, detail="the body is not whole, valid JSON text") from None
    except UnicodeDecodeError:
        raise BodyMalformedError("body-not-utf8", detail="the body is not UTF-8") from None
    except RecursionError:
        raise BodyMalformedError("body-too-deep", detail="the body is nested too deep") from None


def _check_headers(request: Request, limit: int) -> None:
    # As the server gives them, in lower case (ASGI); of several of one name the first counts.
    headers: dict[bytes, bytes] = dict(reversed(request.scope["headers"]))
    media_type, _, parameters = headers.get(b"content-type", b"").partition(b";")
    if media_type.strip().lower() != _JSON.encode():
        raise MediaTypeError("content-type", detail=f"a body is {_JSON}")
    charset = parameters.strip().lower().replace(b'"', b"")
    if charset not in {b"", b"charset=utf-8"}:
        raise MediaTypeError("content-type-charset", detail="JSON is exchanged in UTF-8")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise MediaTypeError("content-encoding", detail="bodies are not compressed")
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and int(announced[:20]) > limit:
        raise BodyTooLargeError(limit)


def _invalid(message: str) -> BodyInvalidError:
    place = _PLACE.search(message)
    pointer = ""
    if place is not None:
        for step in _STEP.finditer(place["path"]):
            pointer += "/" + (step["name"] or step["index"])
    missing = _FIELD.match(message)
    if missing is not None:
        return BodyInvalidError("field-missing", f"{pointer}/{missing['name']}")
    if message.startswith("Object contains unknown field"):
        return BodyInvalidError("field-unknown", pointer)
    code = "type-wrong" if ", got `" in message else "value-invalid"
    return BodyInvalidError(code, pointer)
