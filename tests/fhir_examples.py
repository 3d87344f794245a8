"""The official FHIR examples, read as plain JSON whose decimals keep their digits."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

FOLDER = Path(__file__).parent / "vectors" / "fhir"
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.json"))


def example_bytes(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes()


def parse(data: bytes) -> Any:  # noqa: ANN401 - plain JSON
    return json.loads(data, parse_float=Decimal)


def write(value: Any) -> bytes:  # noqa: ANN401 - plain JSON
    """Write plain JSON compactly, decimals with the digits they have."""
    numbers: list[str] = []

    def keep(number: Any) -> str:  # noqa: ANN401 - what json cannot write: a Decimal
        numbers.append(str(number))
        return f"\0{len(numbers) - 1}\0"

    text = json.dumps(value, default=keep, ensure_ascii=False, separators=(",", ":"))
    for index, number in enumerate(numbers):
        text = text.replace(f'"\\u0000{index}\\u0000"', number)
    return text.encode()


def places(value: Any, pointer: str = "") -> Iterator[tuple[str, Any, Any, Any]]:  # noqa: ANN401
    """Yield pointer, container, key and value of everything inside a document."""
    if isinstance(value, dict):
        items: list[tuple[Any, Any]] = list(cast("dict[Any, Any]", value).items())
    elif isinstance(value, list):
        items = list(enumerate(cast("list[Any]", value)))
    else:
        return
    for key, child in items:
        place = f"{pointer}/{key}"
        yield place, value, key, child
        yield from places(child, place)
