"""The interface that others script against changes only on purpose.

`interface.json` is the OpenAPI document without its words. After a wanted change:
`python -m tests.http.test_interface` writes it anew, and the diff shows what clients will notice.
"""

import json
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI

from api.app import add_routes
from api.openapi import openapi_document

SNAPSHOT = Path(__file__).with_name("interface.json")
WORDS = {"title", "description", "summary", "example", "operationId"}


def interface() -> str:
    """Return the OpenAPI document without its words, as text that diffs well."""
    app = FastAPI(title="clinledger")
    add_routes(app)
    return json.dumps(_bare(openapi_document(app)), indent=1, sort_keys=True) + "\n"


def _bare(value: Any, *, names: bool = False) -> Any:  # noqa: ANN401 - JSON
    """Drop the words; where the keys are names of things, all of them stay."""
    if isinstance(value, dict):
        return {
            key: _bare(part, names=key in {"properties", "schemas", "paths"})
            for key, part in cast("dict[str, Any]", value).items()
            if names or key not in WORDS
        }
    if isinstance(value, list):
        return [_bare(part) for part in cast("list[Any]", value)]
    return value


def test_the_interface_is_the_one_that_was_released() -> None:
    """Paths, parameters, fields, types and statuses are a promise."""
    assert json.loads(interface()) == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    SNAPSHOT.write_text(interface(), encoding="utf-8")
