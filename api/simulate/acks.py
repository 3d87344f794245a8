"""Write down every acknowledgement as it comes: one JSON line each, for `verify --acks`."""

import os
from pathlib import Path
from typing import Final

import msgspec

from api.schemas import EventReceipt
from ledger.errors import EnvironmentRefusedError

_CHUNK: Final = 4096


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """What proves later that an event was acknowledged; `leaf_hash` in lower-case hex."""

    event_id: str
    position: int
    leaf_hash: str


class AckFile:
    """A file to which acknowledgements are appended, each flushed before the next event."""

    def __init__(self, path: Path) -> None:
        """Open the file at its end; a line that a killed process left unfinished is dropped.

        Raises:
            EnvironmentRefusedError: it cannot be opened or written.
        """
        try:
            self._file = path.open("r+b" if path.exists() else "w+b", buffering=0)
        except OSError as error:
            raise EnvironmentRefusedError(f"cannot write {path}: {error.strerror}") from None
        self._drop_torn_line()

    def write(self, receipt: EventReceipt | Acknowledgement) -> None:
        """Append one line. It is with the operating system on return: kill -9 does not lose it."""
        line = Acknowledgement(
            event_id=receipt.event_id, position=receipt.position, leaf_hash=receipt.leaf_hash
        )
        self._file.write(msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _drop_torn_line(self) -> None:
        end = self._file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _CHUNK)
            self._file.seek(start)
            line_end = self._file.read(end - start).rfind(b"\n")
            if line_end >= 0:
                end = start + line_end + 1
                break
            end = start
        self._file.truncate(end)
        self._file.seek(end)
