"""Name the path and query parameters that several routes take."""

from typing import Annotated, Final, TypeAlias

from fastapi import Path, Query

# Rust's regex engine: `$` matches at the end only, never before a line feed.
_UUID: Final = "^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_MAX_POSITION: Final = 2**53 - 1

StreamId: TypeAlias = Annotated[str, Path(pattern=_UUID, description="Stream UUID, lower-case")]
EventId: TypeAlias = Annotated[str, Path(pattern=_UUID, description="Event UUID, lower-case")]
IdentifierValue: TypeAlias = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        description="An identifier: `VALUE`, or `SYSTEM|VALUE`. Never a name.",
    ),
]
MinPosition: TypeAlias = Annotated[
    int | None,
    Query(ge=0, le=_MAX_POSITION, description="Answer only when views have reached this position"),
]
AsOf: TypeAlias = Annotated[
    str | None,
    Query(max_length=30, description="Position, or received_at time with `Z`; inclusive"),
]
After: TypeAlias = Annotated[
    int, Query(ge=-1, le=_MAX_POSITION, description="Events after this position; -1 for all")
]
