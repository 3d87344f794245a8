"""Hold what the sequencer decides on: streams, directory, and the roots that authors have seen."""

from collections.abc import Sequence

import msgspec

from ledger.batch import Batch
from ledger.clock import Clock
from ledger.decide import streams_needed
from ledger.entry import decode_entry
from ledger.errors import CorruptionError
from ledger.lookup import Lookup
from ledger.reader import LedgerReader
from ledger.recent_roots import RecentRoots
from ledger.rows import Head
from ledger.standing import Standing, read_standing
from ledger.store import PARTITION_SPAN
from ledger.stream_cache import StreamCache
from ledger.submission import Submission


class Memory:
    """What was read from the ledger, and what the batches not yet committed have made of it.

    Attributes:
        head: the committed head.
        cache: as of the last decision, which may not be committed yet.
        received_at_ms: the last stamp given; the next one is never below it.
        roots: by size, among them every one that prepared submissions have seen.
        standing: of the ledger when it was loaded.
    """

    def __init__(self, clock: Clock) -> None:
        """Know nothing but the time; `load` comes first."""
        self._clock = clock
        self.head = Head(size=0, root=b"", peaks=())
        self.cache = StreamCache()
        self.received_at_ms = 0
        self.roots = RecentRoots()
        self.standing = Standing()

    async def load(self, head: Head, lookup: Lookup) -> None:
        """Forget everything and read the directory as of a head anew.

        Raises:
            CorruptionError: when the head or the directory is damaged.
            UnavailableError: when the server does not answer.
        """
        # A cache of its own until it is whole: others look at the directory meanwhile.
        cache = StreamCache()

        def look(reader: LedgerReader) -> int:
            cache.load_directory(reader)
            recorded = cache.directory.set_aside
            self.standing = read_standing(reader.store, head, recorded=recorded)
            reader.store.ensure_partition(head.size + PARTITION_SPAN // 2)  # see `Sequencer`
            entry = reader.store.entry_at(head.size - 1)
            if entry is None and head.size:
                raise CorruptionError("position-gap", head.size - 1)
            return decode_entry(entry).received_at_ms if entry else 0

        self.received_at_ms = max(await lookup.ask(look), self.received_at_ms)
        self.cache = cache
        self.commit(head)

    def commit(self, head: Head) -> None:
        """Take note that this is the committed head."""
        self.head = head
        self.roots[head.size] = head.root

    def batch(self, *, on: Batch | None) -> Batch:
        """Return an empty batch on top of another one, or else of the committed head."""
        # One stamp per batch; received_at never decreases even if the machine's clock does.
        self.received_at_ms = max(self._clock.now_ms(), self.received_at_ms)
        head = self.head if on is None else on.head()
        return Batch(
            head,
            self.cache,
            received_at_ms=self.received_at_ms,
            roots=self.roots,
            standing=self.standing,
        )

    async def prepare(self, submissions: Sequence[Submission], lookup: Lookup) -> None:
        """Load the streams and roots that deciding these submissions needs.

        A stream that must be loaded is in no batch on its way, for those are in memory: so what
        the ledger says of it is all there is.

        Raises:
            UnavailableError: when the server does not answer.
        """
        names: dict[str, None] = {}
        sizes: set[int] = set()
        for submission in submissions:
            statement = submission.statement
            names[statement.stream] = None
            for name in streams_needed(statement, submission.facts):
                names[name] = None
            if not isinstance(statement.seen, msgspec.UnsetType):
                sizes.add(statement.seen.size)
        streams = self.cache.missing(names)
        unknown = self.roots.missing(sizes, up_to=self.head.size)
        if streams:
            new = await lookup.unwritten(streams)
            self.cache.add_empty(new)
            streams = [stream for stream in streams if stream not in new]
        if not streams and not unknown:
            return

        def look(reader: LedgerReader) -> list[tuple[int, bytes]]:
            self.cache.load(reader, streams)
            return [(size, reader.root_at(size)) for size in unknown]

        self.roots.update(await lookup.ask(look))

    def trim(self, *, on_the_way: int) -> None:
        """Forget what was not used lately; nothing that is prepared may be undecided.

        Args:
            on_the_way: submissions in batches that are not committed yet. They were decided on
                two streams each at most, and the ledger knows less of these than the cache.
        """
        self.cache.trim(in_use=2 * on_the_way)
        self.roots.trim()


def partition_is_due(old: int, new: int) -> bool:
    """Tell whether the tree, growing, passed the middle of a partition: the next one is made.

    Half a partition ahead, so that appends never wait for one.
    """
    half = PARTITION_SPAN // 2
    return (old + half) // PARTITION_SPAN != (new + half) // PARTITION_SPAN
