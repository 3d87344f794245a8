"""Keep the states that rules are decided on, bounded, and reload them from the ledger's own events.

The directory (facility and staff) is small and always whole in memory. Patients and records come
and go. A stream whose stored events contradict their digests is *damaged*: nothing more is
appended to it, the rest of the hospital goes on working, and `verify` says what happened.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ledger.decide import RuleContext
from ledger.entry import ZERO_HASH, decode_entry, link_hash
from ledger.errors import CorruptionError
from ledger.evolve import evolve
from ledger.facts import read_facts
from ledger.ids import uuid_bytes
from ledger.merkle import leaf_hash
from ledger.reader import LedgerReader
from ledger.rows import Event
from ledger.state import DirectoryState, StreamState
from signing.statement import statement_digest

RECENT_SALTS = 256


class CachedStream(msgspec.Struct, kw_only=True):
    """A stream's state with what the sequencer alone needs of it.

    Attributes:
        stream: its id's 16 bytes.
        salts: the newest content salts of the stream, oldest first, at most RECENT_SALTS.
        damage: why nothing may be appended to the stream, or None.
    """

    state: StreamState
    stream: bytes
    salts: dict[bytes, None] = msgspec.field(default_factory=dict[bytes, None])
    damage: CorruptionError | None = None

    def remember(self, salt: bytes) -> None:
        """Take note of a new event's salt."""
        self.salts[salt] = None
        if len(self.salts) > RECENT_SALTS:
            del self.salts[next(iter(self.salts))]

    def __repr__(self) -> str:
        """Show nothing: it is about a patient."""
        return "CachedStream()"


def empty_stream(stream: str) -> CachedStream:
    """Return the state of a stream that has no events yet."""
    return CachedStream(state=StreamState.empty(stream), stream=uuid_bytes(stream))


class StreamCache:
    """States by stream. Methods that load do blocking I/O over the reader they are given."""

    def __init__(self, *, capacity: int = 20_000) -> None:
        """Keep about `capacity` patients' and records' states."""
        self._capacity = capacity
        self._recent: OrderedDict[str, CachedStream] = OrderedDict()
        self._pinned: dict[str, CachedStream] = {}
        self.directory = DirectoryState.empty()

    def load_directory(self, reader: LedgerReader) -> None:
        """Forget everything and fold the facility's and the staff's events anew.

        Raises:
            CorruptionError: when the directory is damaged; nothing can be decided without it.
        """
        self._recent.clear()
        self._pinned.clear()
        self.directory = DirectoryState.empty()
        events = reader.streams(reader.store.directory_streams())
        _fold(events, self._pinned, self.directory)

    def missing(self, streams: Iterable[str]) -> list[str]:
        """Return those of the streams that must be loaded first."""
        recent, pinned = self._recent, self._pinned
        return [stream for stream in streams if stream not in recent and stream not in pinned]

    def add_empty(self, streams: Iterable[str]) -> None:
        """Take in streams that have no events."""
        for stream in streams:
            self._recent[stream] = empty_stream(stream)

    def load(self, reader: LedgerReader, streams: Sequence[str]) -> None:
        """Load these streams; the ones without events become empty states."""
        try:
            self._load_together(reader, streams)
        except CorruptionError:
            for stream in streams:
                self._load_alone(reader, stream)

    def get(self, stream: str) -> CachedStream:
        """Return a loaded stream."""
        found = self._pinned.get(stream)
        if found is None:
            found = self._recent[stream]
            self._recent.move_to_end(stream)
        return found

    def pin(self, stream: str) -> None:
        """Keep a stream for good: it has become part of the directory."""
        found = self._recent.pop(stream, None)
        if found is not None:
            self._pinned[stream] = found

    def trim(self, *, in_use: int = 0) -> None:
        """Drop the least recently used states above the bound, but not the newest `in_use`.

        Those that batches on their way were decided on must stay: the ledger knows less of them.
        """
        while len(self._recent) > max(self._capacity, in_use):
            self._recent.popitem(last=False)

    def _load_together(self, reader: LedgerReader, streams: Sequence[str]) -> None:
        loaded = {stream: empty_stream(stream) for stream in streams}
        # The directory is whole already, and replaying into it would undo what came later.
        _fold(reader.streams(streams), loaded, DirectoryState.empty())
        self._recent.update(loaded)

    def _load_alone(self, reader: LedgerReader, stream: str) -> None:
        try:
            self._load_together(reader, [stream])
        except CorruptionError as error:
            damaged = empty_stream(stream)
            damaged.damage = error
            self._recent[stream] = damaged


class _States(Mapping[str, StreamState]):
    """Shows cached streams as the plain states that rules know."""

    def __init__(self, cached: Mapping[str, CachedStream]) -> None:
        self._cached = cached

    def __getitem__(self, stream: str) -> StreamState:
        return self._cached[stream].state

    def __iter__(self):  # noqa: ANN204 - the iterator of a mapping's keys
        return iter(self._cached)

    def __len__(self) -> int:
        return len(self._cached)


def _check_chain(event: Event, state: StreamState) -> None:
    previous = state.leaf_hash if state.version else ZERO_HASH
    if event.version != state.version + 1:
        raise CorruptionError("version-gap", event.position)
    if leaf_hash(event.entry) != event.leaf_hash:
        raise CorruptionError("leaf-mismatch", event.position)
    if link_hash(event.link_salt, event.version, previous) != decode_entry(event.entry).link:
        raise CorruptionError("link-broken", event.position)


def _fold(
    events: Sequence[Event], into: dict[str, CachedStream], directory: DirectoryState
) -> None:
    for event in events:
        cached = into.setdefault(event.stream, empty_stream(event.stream))
        _check_chain(event, cached.state)
        evolve(
            RuleContext(directory=directory, streams=_States(into), position=event.position),
            event.statement,
            read_facts(event.statement, event.content or b""),
            statement_digest=statement_digest(event.statement_bytes),
        )
        cached.state.version = event.version
        cached.state.leaf_hash = event.leaf_hash
        cached.remember(event.salt)
