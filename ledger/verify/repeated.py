"""Notice event ids that occur twice, by way of the disk: memory does not grow with the ledger."""

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_BUCKETS: Final = 256
_BUCKET_SHIFT: Final = 56
_NUMBER_BYTES: Final = 8


class RepeatedNumbers:
    """Notices numbers that occur twice among all that are added.

    They lie in a file, each span's in order; a 256th of the numbers is looked at at a time.
    """

    def __init__(self, path: Path) -> None:
        """Write to a new file at `path`."""
        self._file = path.open("x+b")
        self._bounds: list[array[int]] = []

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()

    def add(self, ordered: bytes) -> None:
        """Take sorted numbers, as the bytes of an `array("Q")`."""
        numbers = array("Q", ordered)
        begin = self._file.seek(0, os.SEEK_END)
        bounds, place = array("Q", [begin]), 0
        for bucket in range(1, _BUCKETS):
            place = bisect_left(numbers, bucket << _BUCKET_SHIFT, place)
            bounds.append(begin + place * _NUMBER_BYTES)
        bounds.append(begin + len(ordered))
        self._bounds.append(bounds)
        self._file.write(ordered)

    def repeated(self) -> frozenset[int]:
        """Return the numbers that occurred more than once."""
        found: set[int] = set()
        for bucket in range(_BUCKETS):
            numbers = array("Q")
            for part in self._parts(bucket):
                numbers.frombytes(part)
            if len(set(numbers)) < len(numbers):
                seen: set[int] = set()
                for number in numbers:
                    (found if number in seen else seen).add(number)
        return frozenset(found)

    def _parts(self, bucket: int) -> Iterator[bytes]:
        for bounds in self._bounds:
            begin, end = bounds[bucket : bucket + 2]
            if begin < end:
                self._file.seek(begin)
                yield self._file.read(end - begin)
