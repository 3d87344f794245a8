"""Every error has a row in the table of problems, and none tells more than it should."""

import importlib
import pkgutil
from types import ModuleType

import msgspec
import pytest

import api
import ledger
import projections
import signing
from api.errors import RequestError
from api.problems import ELSEWHERE, TABLE, TYPE_PREFIX, headers_of, kind_of, problem_of
from ledger.errors import (
    CommandRefusedError,
    CorruptionError,
    EnvironmentRefusedError,
    LedgerError,
    UnavailableError,
)
from projections.errors import ProjectionBehindError, ProjectionError
from signing.errors import SigningError

ROOTS = (LedgerError, SigningError, ProjectionError, RequestError)


def _import_all(package: ModuleType) -> None:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)


def _with_descendants(cls: type[Exception]) -> set[type[Exception]]:
    """Return a class of ours and those derived from it; not those that other tests made."""
    ours = cls.__module__.partition(".")[0] in {"api", "projections", "ledger", "signing"}
    children = (_with_descendants(child) for child in cls.__subclasses__())
    return ({cls} if ours else set[type[Exception]]()).union(*children)


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.__name__)
def test_every_error_of_a_hierarchy_has_a_row(root: type[Exception]) -> None:
    """A new error class is given a type and a status on purpose, or this fails."""
    for package in (signing, ledger, projections, api):
        _import_all(package)
    without = {cls.__name__ for cls in _with_descendants(root) if cls not in TABLE}
    assert without <= ELSEWHERE


def test_types_are_stable_names() -> None:
    """What clients match on; a change here breaks them."""
    assert {kind.code: kind.status for kind in TABLE.values()} == {
        "internal": 500,
        "request-rejected": 400,
        "body-malformed": 400,
        "body-invalid": 422,
        "body-too-large": 413,
        "body-timeout": 408,
        "media-type-unsupported": 415,
        "parameter-invalid": 400,
        "not-authenticated": 401,
        "not-allowed": 403,
        "no-such-route": 404,
        "method-not-allowed": 405,
        "rejected": 422,
        "submission-rejected": 422,
        "content-rejected": 422,
        "command-refused": 409,
        "event-id-taken": 409,
        "not-found": 404,
        "unavailable": 503,
        "corruption": 500,
        "environment": 500,
        "signature-rejected": 422,
        "projection-behind": 503,
        "projection-failed": 500,
    }


def test_a_refusal_tells_where_and_which_rule() -> None:
    """RFC 9457 with our `errors`."""
    problem = problem_of(CommandRefusedError("record-closed", "/stream", "only corrections"))
    assert msgspec.json.decode(msgspec.json.encode(problem)) == {
        "type": f"{TYPE_PREFIX}command-refused",
        "title": "The ledger's rules refuse this now",
        "status": 409,
        "detail": "only corrections",
        "errors": [{"pointer": "/stream", "code": "record-closed"}],
    }


@pytest.mark.parametrize(
    "error",
    [
        CorruptionError("body-missing", 7),
        EnvironmentRefusedError("the key file /secret/place is gone"),
        UnavailableError("the database does not answer (57P01)"),
        ValueError("Nguyễn Thị Hồng Ánh"),
    ],
)
def test_what_is_not_the_callers_fault_is_not_explained_to_them(error: Exception) -> None:
    """Places, positions and messages are for the operator's log."""
    answer = msgspec.to_builtins(problem_of(error))
    assert set(answer) == {"type", "title", "status"}
    assert answer["status"] >= 500


def test_whoever_is_to_come_back_is_told_when() -> None:
    """RFC 9110 §10.2.3."""
    assert headers_of(UnavailableError("x", retry_after_seconds=7)) == {"Retry-After": "7"}
    assert headers_of(ProjectionBehindError(9, 3)) == {"Retry-After": "1"}
    assert headers_of(ValueError()) == {}


def test_a_subclass_without_a_row_is_answered_as_its_parent() -> None:
    """A forgotten row is a failing test, never a crash."""

    class NewError(CommandRefusedError):
        pass

    assert kind_of(NewError("x")).code == "command-refused"
