"""Cut a file into chunks of lines, in bounded memory whatever the file holds."""

from collections.abc import Iterator
from typing import IO, Final

import msgspec
from typing_extensions import override

from api.bodies import MAX_EVENT_BYTES

_CHUNK_LINES: Final = 256
_CHUNK_BYTES: Final = 1024 * 1024


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines of a file, in their order.

    Attributes:
        numbers: of the lines, from 1. Blank lines are counted and left out.
        lines: their bytes; None for a line that is longer than an event may be.
        end: bytes of the file up to here.
    """

    numbers: list[int]
    lines: list[bytes | None]
    end: int

    @override
    def __repr__(self) -> str:
        return "Chunk()"  # its bytes are patients'


def read_chunks(file: IO[bytes]) -> Iterator[Chunk]:
    """Yield all lines of a file that are not blank."""
    number = end = 0
    while True:
        chunk = Chunk(numbers=[], lines=[], end=0)
        size = 0
        while len(chunk.lines) < _CHUNK_LINES and size < _CHUNK_BYTES:
            line = file.readline(MAX_EVENT_BYTES + 1)
            if not line:
                break
            number += 1
            whole = len(line) <= MAX_EVENT_BYTES or line.endswith(b"\n")
            length = len(line) if whole else len(line) + _skip_line(file)
            size, end = size + length, end + length
            if not whole or not line.isspace():
                chunk.numbers.append(number)
                chunk.lines.append(line if whole else None)
        if size == 0:
            return
        yield Chunk(numbers=chunk.numbers, lines=chunk.lines, end=end)


def _skip_line(file: IO[bytes]) -> int:
    """Read to the end of a line and return how many bytes that were."""
    skipped = 0
    while rest := file.readline(_CHUNK_BYTES):
        skipped += len(rest)
        if rest.endswith(b"\n"):
            break
    return skipped
