"""Write operator logs: one JSON line each, with nothing in it that is about a patient.

No paths (they hold ids), no query strings, no bodies, no messages of database errors (they repeat
rows). A request is logged by its route template.
"""

import logging
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, TextIO, TypeAlias

import msgspec
import structlog

_ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None] | None
)
# They log addresses, which hold ids.
_TALKATIVE: Final = ("httpx2", "httpcore2")
SERVER_LOGGERS: Final = ("uvicorn", "uvicorn.error", "psycopg.pool")


def _json(fields: object, **_: object) -> str:
    """Encode as JSON in half the time that Python's own encoder takes: one line each request."""
    return msgspec.json.encode(fields, enc_hook=repr).decode()


class _JsonLines(logging.Handler):
    """Turn the records of other loggers into the same JSON lines."""

    def __init__(self, log: structlog.typing.FilteringBoundLogger) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        # Without record.exc_info: the message of an unknown exception may quote content.
        event = record.getMessage()
        self._log.log(record.levelno, event, logger=record.name, **_place(record.exc_info))


def configure_logs(stream: TextIO = sys.stderr, *, level: int = logging.INFO) -> None:
    """Send everything that this process logs to the stream, as JSON lines."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_JsonLines(structlog.get_logger())]
    root.setLevel(level)
    for name in SERVER_LOGGERS:
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def error_fields(error: BaseException) -> Mapping[str, Any]:
    """Describe an exception by its type and the places it passed, never by its message."""
    return _place((type(error), error, error.__traceback__))


def _place(exc_info: _ExcInfo) -> dict[str, Any]:
    if exc_info is None or exc_info[0] is None:
        return {}
    frames = traceback.extract_tb(exc_info[2])
    fields: dict[str, Any] = {
        "error": exc_info[0].__name__,
        "places": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    }
    sqlstate = getattr(exc_info[1], "sqlstate", None)
    if sqlstate:
        fields["sqlstate"] = sqlstate
    return fields
