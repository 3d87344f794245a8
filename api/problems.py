"""Answer every error as problem details (RFC 9457): one table from class to type and status.

Types are stable names (`urn:clinledger:problem:<code>`); the finer `errors[].code` says which rule
it was, `errors[].pointer` where. No problem names a patient or quotes a request.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from starlette.responses import Response

from api.errors import (
    BodyInvalidError,
    BodyMalformedError,
    BodyTimeoutError,
    BodyTooLargeError,
    MediaTypeError,
    MethodNotAllowedError,
    NoSuchRouteError,
    NotAllowedError,
    NotAuthenticatedError,
    ParameterError,
    RequestError,
)
from ledger.errors import (
    CommandRefusedError,
    ContentRejectedError,
    CorruptionError,
    EnvironmentRefusedError,
    EventConflictError,
    LedgerError,
    NotFoundError,
    RejectedError,
    SubmissionRejectedError,
    UnavailableError,
)
from ledger.merkle import InvalidProofError
from projections.errors import ProjectionBehindError, ProjectionError, ProjectionFailedError
from signing.errors import (
    InvalidSignatureError,
    MalformedContainerError,
    MalformedKeyError,
    MalformedNoteError,
    MalformedStatementError,
    MalformedTokenError,
    QuorumMissingError,
    SigningError,
    UnknownKeyError,
)

TYPE_PREFIX: Final = "urn:clinledger:problem:"
PROBLEM_JSON: Final = "application/problem+json"


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table: a problem type, its HTTP status and its title.

    Attributes:
        code: last part of the `type` URN; permanent.
        told: whether the error's own code, pointer and detail are the caller's to know.
    """

    code: str
    status: int
    title: str
    told: bool = True


class ProblemError(msgspec.Struct, frozen=True, kw_only=True):
    """One fault: where (RFC 6901 pointer into the document concerned) and which rule."""

    pointer: str
    code: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every error response (RFC 9457 §3.1)."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: tuple[ProblemError, ...] = ()


def _kind(code: str, status: int, title: str, *, told: bool = True) -> Kind:
    return Kind(code=code, status=status, title=title, told=told)


_INTERNAL: Final = _kind("internal", 500, "The server made a mistake", told=False)
_SIGNED: Final = _kind("signature-rejected", 422, "The signed bytes are not acceptable")

TABLE: Final[Mapping[type[Exception], Kind]] = MappingProxyType(
    {
        Exception: _INTERNAL,
        # Before the ledger is asked.
        RequestError: _kind("request-rejected", 400, "The request is not acceptable"),
        BodyMalformedError: _kind("body-malformed", 400, "The body is not JSON text"),
        BodyInvalidError: _kind("body-invalid", 422, "The body is not of the documented schema"),
        BodyTooLargeError: _kind("body-too-large", 413, "The body is too large"),
        BodyTimeoutError: _kind("body-timeout", 408, "The body did not arrive in time"),
        MediaTypeError: _kind("media-type-unsupported", 415, "The media type is not taken here"),
        ParameterError: _kind("parameter-invalid", 400, "A parameter has an impossible value"),
        NotAuthenticatedError: _kind("not-authenticated", 401, "A valid bearer token is needed"),
        NotAllowedError: _kind("not-allowed", 403, "The principal may not do this"),
        NoSuchRouteError: _kind("no-such-route", 404, "There is nothing at this path"),
        MethodNotAllowedError: _kind("method-not-allowed", 405, "Not a method of this resource"),
        # The ledger.
        LedgerError: _INTERNAL,
        RejectedError: _kind("rejected", 422, "The ledger does not accept this"),
        SubmissionRejectedError: _kind("submission-rejected", 422, "The submission is malformed"),
        ContentRejectedError: _kind("content-rejected", 422, "The content is not acceptable"),
        CommandRefusedError: _kind("command-refused", 409, "The ledger's rules refuse this now"),
        EventConflictError: _kind("event-id-taken", 409, "Another event has this event_id"),
        NotFoundError: _kind("not-found", 404, "There is no such thing in this ledger"),
        UnavailableError: _kind("unavailable", 503, "Not now; try again later", told=False),
        CorruptionError: _kind("corruption", 500, "Stored bytes are damaged", told=False),
        EnvironmentRefusedError: _kind(
            "environment", 500, "The server is set up badly", told=False
        ),
        InvalidProofError: _INTERNAL,
        # Signed bytes.
        SigningError: _SIGNED,
        MalformedStatementError: _SIGNED,
        MalformedContainerError: _SIGNED,
        MalformedKeyError: _SIGNED,
        MalformedTokenError: _SIGNED,
        MalformedNoteError: _SIGNED,
        UnknownKeyError: _SIGNED,
        InvalidSignatureError: _SIGNED,
        QuorumMissingError: _SIGNED,
        # Views.
        ProjectionError: _INTERNAL,
        ProjectionBehindError: _kind("projection-behind", 503, "Views lag; try again", told=False),
        ProjectionFailedError: _kind("projection-failed", 500, "Views are damaged", told=False),
    }
)

ELSEWHERE: Final = frozenset(
    {"InconsistentLedgerError", "SequencerRunningError", "SignerRefusedError", "WitnessError"}
)
"""Errors of other processes (the checkpoint signer, the asker of witnesses, a second sequencer),
which no route raises. They are named here on purpose; were one raised, its parent's row answers.
"""


def kind_of(error: Exception) -> Kind:
    """Return the row of the error's class, or of its nearest ancestor."""
    return next(TABLE[cls] for cls in type(error).__mro__ if cls in TABLE)


def problem_of(error: Exception) -> Problem:
    """Describe an error to whoever caused it, or say only that it was not them."""
    kind = kind_of(error)
    if not kind.told:
        return Problem(type=TYPE_PREFIX + kind.code, title=kind.title, status=kind.status)
    fault = ProblemError(
        pointer=getattr(error, "pointer", ""), code=getattr(error, "code", kind.code)
    )
    return Problem(
        type=TYPE_PREFIX + kind.code,
        title=kind.title,
        status=kind.status,
        detail=getattr(error, "detail", ""),
        errors=(fault,),
    )


def headers_of(error: Exception) -> dict[str, str]:
    """Return the headers that the problem's response must carry."""
    if isinstance(error, NotAuthenticatedError):
        given = "" if error.code == "token-missing" else ', error="invalid_token"'  # RFC 6750 §3.1
        return {"WWW-Authenticate": f'Bearer realm="clinledger"{given}'}
    if kind_of(error).status == 503:  # noqa: PLR2004 - RFC 9110 §15.6.4
        return {"Retry-After": str(getattr(error, "retry_after_seconds", 1))}
    return {}


def problem_response(error: Exception, headers: Mapping[str, str] | None = None) -> Response:
    """Return the response for an error."""
    problem = problem_of(error)
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        headers={"Cache-Control": "no-store", **headers_of(error), **(headers or {})},
        media_type=PROBLEM_JSON,
    )
