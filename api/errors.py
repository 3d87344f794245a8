"""Name what can be wrong with a request before the ledger is asked at all."""

from typing import Final

BEARER: Final = "Bearer"


class RequestError(Exception):
    """Root of the errors of this package's HTTP side; the caller's fault, nothing was stored.

    Attributes:
        code: stable kebab-case name of the fault, part of the public interface.
        pointer: RFC 6901 pointer into the body, "" for the whole; `/query/NAME` for a parameter.
        detail: what is wrong, in words that quote nothing of the request.
    """

    def __init__(self, code: str, pointer: str = "", detail: str = "") -> None:
        self.code = code
        self.pointer = pointer
        self.detail = detail
        super().__init__(f"{code} at {pointer or '/'}" + (f": {detail}" if detail else ""))


class BodyMalformedError(RequestError):
    """The body is not JSON text at all: truncated, not UTF-8, with a byte order mark."""


class BodyInvalidError(RequestError):
    """The body is JSON, but not of the documented schema."""


class BodyTooLargeError(RequestError):
    """The body is longer than this resource takes."""

    def __init__(self, limit: int) -> None:
        super().__init__("body-too-large", detail=f"a body may have {limit} bytes here")


class BodyTimeoutError(RequestError):
    """The body did not arrive in time."""

    def __init__(self) -> None:
        super().__init__("body-timeout", detail="the body did not arrive in time")


class MediaTypeError(RequestError):
    """The body's media type or coding is not the one that this resource takes."""


class ParameterError(RequestError):
    """A path or query parameter has a value that it cannot have."""


class NotAuthenticatedError(RequestError):
    """No valid bearer token came with the request."""


class NotAllowedError(RequestError):
    """The principal is known, but may not do this."""


class NoSuchRouteError(RequestError):
    """There is nothing at this path."""


class MethodNotAllowedError(RequestError):
    """The resource exists but takes other methods."""
