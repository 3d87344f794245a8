"""Apply every rule of `ledger.verify` to what is new, round after round.

The directory, the streams' states and the tree stay in memory between rounds, so a round costs
what the new events cost. A finding is for ever: what was wrong once is never followed further.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

import msgspec

from ledger.checkpointing.rows import Growth, open_growth
from ledger.database import Connection, Database
from ledger.errors import CorruptionError
from ledger.heads import HeadTree, StreamHead, StreamHeads
from ledger.keyring import Keyring
from ledger.merkle import HASH_BYTES, TILE_WIDTH, leaf_hash
from ledger.state import DirectoryState
from ledger.verify.bodies import Bodies
from ledger.verify.entries import Newest, SpanChecker, place_of, uuid_text
from ledger.verify.events import EventJudge
from ledger.verify.joining import NewestEvents, SpanJoiner
from ledger.verify.keys import StreamKeys
from ledger.verify.ledger_row import check_ledger_row
from ledger.verify.reading import Depth, EventReader
from ledger.verify.report import NOWHERE, Finding, FindingCode, Findings, Place
from ledger.verify.rows import StoredEntry, StoredEvent
from ledger.verify.tree import LedgerTree

Progress = Callable[[int, int], None]
"""Is told how many entries were verified, and of how many."""

_BATCH: Final = 2048


class TrustedHead(msgspec.Struct, frozen=True, kw_only=True):
    """A size and root that were verified before."""

    size: int
    root: bytes


class InconsistentLedgerError(CorruptionError):
    """What the database holds must not be signed.

    Attributes:
        findings: what is wrong, by position.
    """

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        first = findings[0]
        more = f" ({len(findings) - 1} more findings)" if len(findings) > 1 else ""
        super().__init__(first.code, first.position, first.detail + more)
        self.findings: tuple[Finding, ...] = findings


class Follower:
    """Follows one ledger from position 0; not to be shared between threads."""

    def __init__(
        self,
        connection: Connection,
        database: Database,
        keyring: Keyring,
        *,
        trusted: TrustedHead | None = None,
    ) -> None:
        """Prepare; `advance` reads.

        Args:
            connection: in the role `reader`; used for this alone.
            database: where the ledger lies.
            keyring: opens its sealed bodies.
            trusted: what the same rules accepted before. Below this size signatures are not
                checked again; everything else is, and the root must come out the same.
        """
        self._connection = connection
        self._database = database
        self._keyring = keyring
        self._trusted = trusted or TrustedHead(size=0, root=b"")
        self._findings = Findings()
        self._keys = StreamKeys(keyring, (), self._findings)
        self._heads = StreamHeads(spare=_BATCH)
        self._leaves = bytearray()
        self._joiner = SpanJoiner(
            self._findings, newest=_NewestOf(self._heads), leaves_of=self._leaves_of
        )
        self._judge = EventJudge(self._findings, tree=self._joiner.tree, heads_at=self._heads_at)
        self._reader = EventReader(
            self._findings,
            self._joiner.tree,
            keys=self._keys,
            key_of=self._judge.key_of,
            origin=keyring.origin,
        )
        self._reader.depth_of = self._depth_of

    @property
    def tree(self) -> LedgerTree:
        """The tree of all entries verified so far, recomputed from their bytes."""
        return self._joiner.tree

    @property
    def origin(self) -> str:
        """The origin of the ledger."""
        return self._keyring.origin

    @property
    def directory(self) -> DirectoryState:
        """The directory as the events so far have made it."""
        return self._judge.directory

    def heads(self) -> HeadTree:
        """Return the tree over the newest entries of all streams verified so far."""
        return HeadTree(self._heads.at(self.tree.size))

    def advance(self, *, progress: Progress | None = None) -> int:
        """Verify what the ledger has grown by; return the size of the tree.

        Raises:
            InconsistentLedgerError: something is wrong, now or in an earlier round.
            UnavailableError: the database does not answer; ask again with a new `Follower`.
        """
        self.refuse_findings()
        with open_growth(self._connection, self._database) as growth:
            self._take(growth, progress)
        self.refuse_findings()
        return self.tree.size

    def add(self, code: FindingCode, detail: str, *, position: int | None = None) -> None:
        """Add a finding that was made elsewhere; nothing is followed after it.

        Args:
            code: what kind.
            detail: what contradicts what.
            position: where, or None.
        """
        place = NOWHERE if position is None else Place(position=position)
        self._findings.add(code, place, detail)

    def refuse_findings(self) -> None:
        """Refuse what has findings.

        Raises:
            InconsistentLedgerError: there are any.
        """
        if self._findings.result():
            raise self.refusal()

    def refusal(self) -> InconsistentLedgerError:
        """Return the error that tells the findings, of which there is at least one."""
        return InconsistentLedgerError(self._findings.result())

    def _take(self, growth: Growth, progress: Progress | None) -> None:
        start = self._joiner.next
        heads = growth.head_rows()
        total = max((head.size for head in heads), default=0)
        self._joiner.expect(growth.new_tiles(start))
        self._keys.add(growth.keys_of(self._keys.missing(growth.new_streams(start))))
        self._judge.set_aside.expect(growth.set_aside(start=start))
        bodies = Bodies(growth.new_bodies(start), self._findings)
        rows = growth.new_entries(start)
        while batch := list(islice(rows, _BATCH)):
            self._take_batch(batch, bodies)
            self._check_event_ids(growth, [uuid_text(row.event_id) for row in batch])
            if progress is not None:
                progress(batch[-1].position, max(total, batch[-1].position))
        bodies.finish()
        self._joiner.finish(heads)
        self._check_rest(growth)

    def _take_batch(self, batch: Sequence[StoredEntry], bodies: Bodies) -> None:
        before = self.tree.size
        checker = SpanChecker(self._findings, start=self._joiner.next, blocks=False)
        span = checker.check(batch)
        self._joiner.join(span)
        if self.tree.size > before:
            self._leaves += b"".join(span.leaves)
        if before < self._trusted.size <= self.tree.size:
            self._check_trusted()
        for row in batch:
            head = StreamHead(row.version, leaf_hash(row.entry))
            self._heads.move(row.position, uuid_text(row.stream), head)
        for row in batch:
            self._take_row(row, bodies)

    def _take_row(self, row: StoredEntry, bodies: Bodies) -> None:
        place = place_of(row)
        if row.version == 1:
            self._keys.report_faults(place)
        event = self._reader.read(
            StoredEvent(
                row.position,
                uuid_text(row.stream),
                uuid_text(row.event_id),
                row.entry,
                bodies.at(row.position),
            )
        )
        if event is not None:
            self._judge.judge(event)

    def _depth_of(self, row: StoredEvent) -> Depth:
        return Depth(signatures=row.position >= self._trusted.size)

    def _leaves_of(self, block: int) -> Sequence[bytes]:
        at = block * TILE_WIDTH * HASH_BYTES
        joined = bytes(self._leaves[at : at + TILE_WIDTH * HASH_BYTES])
        return [joined[one : one + HASH_BYTES] for one in range(0, len(joined), HASH_BYTES)]

    def _heads_at(self, size: int) -> tuple[int, str]:
        tree = HeadTree(self._heads.at(size))
        return tree.streams, tree.root().hex()

    def _check_trusted(self) -> None:
        if self.tree.root_at(self._trusted.size) != self._trusted.root:
            self._findings.add(
                "checkpoint-inconsistent",
                Place(position=self._trusted.size - 1),
                f"the first {self._trusted.size} entries are not those that were signed",
            )

    def _check_event_ids(self, growth: Growth, event_ids: list[str]) -> None:
        first: dict[str, int] = {}
        for position, event_id in growth.places_of(event_ids):
            before = first.setdefault(event_id, position)
            if before != position:
                self._findings.add(
                    "duplicate-event",
                    Place(position=position, event_id=event_id),
                    f"position {before} has the same event_id",
                )

    def _check_rest(self, growth: Growth) -> None:
        size = self.tree.size
        if size < self._trusted.size:
            self._findings.add(
                "checkpoint-inconsistent",
                Place(position=size),
                f"the ledger has {size} entries; {self._trusted.size} were signed",
            )
        self._judge.set_aside.finish(self.directory.set_aside)
        check_ledger_row(
            growth.ledger_rows(),
            self._findings,
            place=Place(position=0) if size else NOWHERE,
            founded=self.directory.origin,
            keyring=self._keyring,
        )


class _NewestOf(NewestEvents):
    """The newest events of streams whose heads are moved event by event."""

    def __init__(self, heads: StreamHeads) -> None:
        self._heads = heads

    def get(self, stream: bytes) -> Newest | None:
        return self._heads.get(uuid_text(stream))

    def update(self, newest: dict[bytes, Newest]) -> None:
        """Do nothing: the heads are moved as well."""
