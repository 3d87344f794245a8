"""Read what clients were acknowledged: the only anchor outside the database until checkpoints.

One JSON object a line with `event_id`, `position` and `leaf_hash` (hex), as `simulate --acks`
writes them; a whole receipt on a line is one as well.
"""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta

from ledger.errors import EnvironmentRefusedError
from ledger.merkle import leaf_hash
from ledger.verify.entries import uuid_text
from ledger.verify.report import Findings, Place
from ledger.verify.rows import StoredEntry
from signing.statement import HashText, UuidText

_PACKED: Final = struct.Struct(">q16s32s")


class _AckLine(msgspec.Struct, frozen=True, kw_only=True):
    # Unknown members are let through here: a receipt has more of them.
    event_id: UuidText
    position: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    leaf_hash: HashText


class Ack(NamedTuple):
    """One acknowledgement: this event has this leaf hash at this position, for ever."""

    position: int
    event_id: bytes
    leaf_hash: bytes


class Acks:
    """Acknowledgements by position, packed into 56 bytes each.

    Attributes:
        size: the least size of a ledger that holds all of them.
    """

    def __init__(self, acks: Iterable[Ack]) -> None:
        # Big-endian positions come first, so that packed order is the order of positions.
        packed = sorted(_PACKED.pack(*ack) for ack in acks)
        self._packed = b"".join(packed)
        self.size = _PACKED.unpack(packed[-1])[0] + 1 if packed else 0

    def within(self, first: int, last: int) -> tuple[Ack, ...]:
        """Return those at positions from `first` to `last`."""
        width = _PACKED.size
        rows = range(len(self))
        low = bisect_left(rows, first, key=self._position)
        high = bisect_right(rows, last, key=self._position)
        return tuple(map(Ack._make, _PACKED.iter_unpack(self._packed[low * width : high * width])))

    def _position(self, number: int) -> int:
        at = number * _PACKED.size
        return int.from_bytes(self._packed[at : at + 8])

    def __len__(self) -> int:
        return len(self._packed) // _PACKED.size

    def __iter__(self) -> Iterator[Ack]:
        return map(Ack._make, _PACKED.iter_unpack(self._packed))


def read_acks(path: Path) -> Acks:
    """Read a file of acknowledgements.

    A last line without its line feed that cannot be read is passed over: whoever wrote the file
    was killed before the line was whole, and nobody took it for an acknowledgement.

    Raises:
        EnvironmentRefusedError: the file cannot be read, or a line is none of these.
    """
    try:
        with path.open("rb") as lines:
            return Acks(_parse(lines))
    except OSError as error:
        raise EnvironmentRefusedError(f"the acks file {path} cannot be read") from error


def _parse(lines: Iterable[bytes]) -> Iterator[Ack]:
    decoder = msgspec.json.Decoder(_AckLine)
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        try:
            found = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if not line.endswith(b"\n"):
                return
            raise EnvironmentRefusedError(
                f"line {number} of the acks file is not an acknowledgement"
            ) from None
        yield Ack(found.position, UUID(found.event_id).bytes, bytes.fromhex(found.leaf_hash))


class AckChecker:
    """Compares rows in position order with what was acknowledged."""

    def __init__(self, acks: Acks, findings: Findings) -> None:
        self._acks = iter(acks)
        self._findings = findings
        self._expected = next(self._acks, None)

    def watch(self, rows: Iterable[StoredEntry], *, at_end: bool) -> Iterator[StoredEntry]:
        """Compare (12) the rows that pass through with what was acknowledged at their positions.

        Args:
            rows: of a span that holds all positions of the acknowledgements.
            at_end: whether no row lies beyond the span.
        """
        for row in rows:
            self._check(row)
            yield row
        where = "beyond the end of the ledger" if at_end else "here, and there is no row"
        while self._expected is not None:
            self._miss(self._expected, f"was acknowledged {where}")
            self._expected = next(self._acks, None)

    def _check(self, row: StoredEntry) -> None:
        while self._expected is not None and self._expected.position <= row.position:
            ack = self._expected
            if ack.position < row.position:
                self._miss(ack, "was acknowledged here, and there is no row")
            elif ack.leaf_hash != leaf_hash(row.entry) or ack.event_id != row.event_id:
                place = Place(
                    position=row.position,
                    stream=uuid_text(row.stream),
                    event_id=uuid_text(row.event_id),
                )
                self._findings.add(
                    "acknowledged-missing", place, "another event was acknowledged here"
                )
            self._expected = next(self._acks, None)

    def _miss(self, ack: Ack, detail: str) -> None:
        place = Place(position=ack.position, event_id=uuid_text(ack.event_id))
        self._findings.add("acknowledged-missing", place, f"an event {detail}")
