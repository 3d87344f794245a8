"""Sort events by their streams on disk: rules are applied stream by stream, in little memory.

Events are written in the order of positions, each to the bucket of its stream; a bucket is read
again as a whole. What is written holds ids, statuses and digests, never content; it lies in a
folder of mode 700 that goes with the verification.
"""

from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Final
from uuid import UUID
from zlib import crc32

import msgspec

from ledger.facts import AnyFacts
from ledger.verify.reading import ReadEvent
from ledger.verify.report import Place
from signing.algorithms import Algorithm
from signing.statement import ContentClaim, Ref, Statement, StreamKind

_ROW: Final = 24
_UUID_BYTES: Final = 16
# The rules look at no claim of a content: what it says is in the facts.
_NO_CLAIM: Final = ContentClaim(digest="", media_type="", size=0)


class SortedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of events by buckets.

    Attributes:
        path: its path; "" when there are no events.
        offsets: where each bucket begins, and the last one ends: an `array("Q")`'s bytes.
    """

    path: str
    offsets: bytes


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    position: int
    column_stream: str
    column_event_id: str
    alg: Algorithm
    event_id: str
    key_id: str
    ledger: str
    refs: tuple[Ref, ...]
    signer: str
    stream: str
    stream_kind: StreamKind
    type: str
    facts: AnyFacts
    digest: bytes
    sound: bool


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[_Stored])


class EventWriter:
    """Gathers the events of some positions, and writes them to one file."""

    def __init__(self, path: Path, *, buckets: int) -> None:
        """Write to a new file at `path` when all events are there."""
        self._path = path
        self._buckets: list[list[_Stored]] = [[] for _ in range(buckets)]

    def add(self, event: ReadEvent) -> None:
        """Take the next event; it has facts."""
        statement, facts = event.statement, event.facts
        if facts is None:
            raise ValueError("without facts there is nothing to judge")
        bucket = crc32(statement.stream.encode()) % len(self._buckets)
        self._buckets[bucket].append(
            _Stored(
                event.place.position or 0,
                event.place.stream or "",
                event.place.event_id or "",
                statement.alg,
                statement.event_id,
                statement.key_id,
                statement.ledger,
                () if isinstance(statement.refs, msgspec.UnsetType) else statement.refs,
                statement.signer,
                statement.stream,
                statement.stream_kind,
                statement.type,
                facts,
                event.digest,
                event.sound,
            )
        )

    def write(self) -> SortedFile:
        """Write the file, if there are any events; return where they lie."""
        parts = [_encoder.encode(events) if events else b"" for events in self._buckets]
        self._buckets = []
        if not any(parts):
            return SortedFile(path="", offsets=b"")
        with self._path.open("xb") as file:
            file.writelines(parts)
        offsets = array("Q", accumulate(map(len, parts), initial=0))
        return SortedFile(path=str(self._path), offsets=offsets.tobytes())


def read_bucket(files: Iterable[SortedFile], bucket: int) -> Iterator[ReadEvent]:
    """Read the events of one bucket, file by file."""
    for file in files:
        if not file.path:
            continue
        start, end = array("Q", file.offsets)[bucket : bucket + 2]
        if start < end:
            with Path(file.path).open("rb") as opened:
                opened.seek(start)
                stored = _decoder.decode(opened.read(end - start))
            yield from map(_event, stored)


def _event(stored: _Stored) -> ReadEvent:
    return ReadEvent(
        place=Place(
            position=stored.position,
            stream=stored.column_stream,
            event_id=stored.column_event_id,
        ),
        statement=Statement(
            alg=stored.alg,
            content=_NO_CLAIM,
            event_id=stored.event_id,
            format="clinledger/statement/v1",
            key_id=stored.key_id,
            ledger=stored.ledger,
            occurred_at="",
            refs=stored.refs or msgspec.UNSET,
            signed_at="",
            signer=stored.signer,
            stream=stored.stream,
            stream_kind=stored.stream_kind,
            type=stored.type,
        ),
        facts=stored.facts,
        digest=stored.digest,
        sound=stored.sound,
    )


class Patients:
    """The streams of patients with the position of their first event, 24 bytes each."""

    def __init__(self, packed: bytes = b"") -> None:
        """Take what `pack_patients` returned."""
        self._packed = packed

    def known_before(self, stream: str, position: int) -> bool:
        """Tell whether a stream was a patient's before a position."""
        wanted = UUID(stream).bytes
        low, high = 0, len(self._packed) // _ROW
        while low < high:
            middle = (low + high) // 2
            row = self._packed[middle * _ROW : (middle + 1) * _ROW]
            if row[:_UUID_BYTES] == wanted:
                return int.from_bytes(row[_UUID_BYTES:]) < position
            if row < wanted:
                low = middle + 1
            else:
                high = middle
        return False


def pack_patients(first: dict[bytes, int]) -> bytes:
    """Return the streams, as 16 bytes, with their positions, sorted."""
    return b"".join(stream + first[stream].to_bytes(8) for stream in sorted(first))
