"""Replay the directory from its few streams: all else is judged by keys and roles as of a position.

Which streams are the directory's is told by the database, by what a superuser can change; so a
reader who comes upon an event of the directory elsewhere names its stream, and all is done again
with it.
"""

from collections.abc import Iterable

import msgspec

from ledger.errors import CorruptionError, RejectedError
from ledger.facts import AnyFacts, HeadsFacts, read_facts
from ledger.heads import MAX_LAG
from ledger.sealing import associated_data, open_body
from ledger.state import DirectoryState, KeyState
from ledger.verify.events import EventJudge
from ledger.verify.keys import StreamKeys
from ledger.verify.reading import DIRECTORY_KINDS, EventReader, ReadEvent
from ledger.verify.rows import StoredEvent
from ledger.verify.snapshot import Snapshot
from signing.errors import SigningError
from signing.statement import Statement, parse_statement

_HEADS = "heads-published.v1"


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """The directory's history, small enough to be sent to every process.

    Attributes:
        streams: whose events it is made of.
        events: those that were taken in, by position.
        state: after the last of them.
    """

    streams: frozenset[str]
    events: tuple[ReadEvent, ...]
    state: DirectoryState

    @classmethod
    def empty(cls) -> "Directory":
        """Return the directory of a ledger that has none."""
        return cls(streams=frozenset(), events=(), state=DirectoryState.empty())

    def key_of(
        self, statement: Statement, _facts: AnyFacts | None, position: int
    ) -> KeyState | None:
        """Find the key that a statement names if it was enrolled before a position."""
        key = self.state.keys.get(statement.key_id)
        return None if key is None or key.enrolled_at_position >= position else key


def find_streams(
    snapshot: Snapshot, keys: StreamKeys | None, origin: str
) -> tuple[frozenset[str], frozenset[int]]:
    """Return the streams that have an event of the directory, and the sizes of published heads."""
    candidates = snapshot.directory_streams(with_keys=keys is not None)
    if keys is not None:
        keys.add(snapshot.keys_of(keys.missing(candidates)))
    streams: set[str] = set()
    sizes: set[int] = set()
    for row in snapshot.events_of(candidates):
        found = _glance(row, keys, origin)
        if found is None:
            continue
        statement, content = found
        if statement.stream_kind in DIRECTORY_KINDS:
            streams.add(row.stream)
        if statement.type == _HEADS:
            sizes.update(_size_in(statement, content, row.position))
    return frozenset(streams), frozenset(sizes)


def replay(
    rows: Iterable[StoredEvent], reader: EventReader, judge: EventJudge, *, sealed: bool
) -> tuple[ReadEvent, ...]:
    """Read and judge the directory's events in their order.

    Args:
        rows: the events of the directory's streams.
        reader: opens them; finds keys by the judge.
        judge: knows nothing yet.
        sealed: whether sealed bodies can be opened.

    Returns:
        The events that were taken in.
    """
    taken: list[ReadEvent] = []
    for row in rows:
        if not sealed and row.body is not None and row.body[:1] == b"\x01":
            continue
        event = reader.read(row)
        if event is not None and judge.judge(event):
            taken.append(event)
    return tuple(taken)


def _glance(
    row: StoredEvent, keys: StreamKeys | None, origin: str
) -> tuple[Statement, bytes] | None:
    """Open an event without finding any fault with it."""
    key = None if keys is None else keys.key(row.stream)
    aad = associated_data(origin, row.stream, row.event_id)
    try:
        frame = open_body(row.body or b"", key=key, aad=aad)
        return parse_statement(frame.statement), frame.content
    except (CorruptionError, SigningError):
        return None


def _size_in(statement: Statement, content: bytes, position: int) -> set[int]:
    try:
        facts = read_facts(statement, content)
    except (RejectedError, RecursionError):
        return set()
    if isinstance(facts, HeadsFacts) and 0 <= position - facts.size <= MAX_LAG:
        return {facts.size}
    return set()
