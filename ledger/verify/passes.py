"""Make the passes over a ledger's stored rows, each divided into tasks.

1. Entries: hashes, links, tiles and tree, by spans of positions.
2. The directory: its few streams, here, in order.
3. Events: bodies, statements, contents and signatures, by spans of positions.
4. Rules: the same events once more, sorted by their streams.

What a pass needs of the one before is small: the tree's blocks, and the directory.
"""

import sys
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Final

from ledger.heads import StreamHead, encode_head, root_over
from ledger.keyring import Keyring
from ledger.merkle import leaf_hash
from ledger.verify.acks import Acks
from ledger.verify.directory import Directory, replay
from ledger.verify.entries import Newest, uuid_text
from ledger.verify.events import EventJudge
from ledger.verify.helpers import Helpers
from ledger.verify.joining import PackedNewest, SpanJoiner
from ledger.verify.keys import StreamKeys
from ledger.verify.reading import EventReader
from ledger.verify.repeated import RepeatedNumbers
from ledger.verify.report import Findings, Place
from ledger.verify.snapshot import Snapshot
from ledger.verify.spans import BEFORE, EVERYTHING, Span, beyond, divide
from ledger.verify.spill import SortedFile, pack_patients
from ledger.verify.tasks import (
    CheckEntries,
    CheckEvents,
    CheckRules,
    EntriesChecked,
    EventsChecked,
    Job,
    Known,
    RulesChecked,
)
from ledger.verify.tree import LedgerTree

Step = Callable[[str, int], None]
"""Is told the pass that goes on, and by how many of its entries."""

EVENTS_AT_ONCE: Final = 16_384
_ID_BYTES: Final = 8


class Passes:
    """One verification's passes; call them in their order.

    Attributes:
        findings: what they found.
        signatures_checked: signatures looked at, valid or not.
        directory: as replayed.
        joiner: what is known of all entries together.
    """

    def __init__(self, job: Job, snapshot: Snapshot, helpers: Helpers, *, step: Step) -> None:
        self.findings = Findings()
        self.signatures_checked = 0
        self.directory = Directory.empty()
        self._job = job
        self._snapshot = snapshot
        self._helpers = helpers
        self._step = step
        self._newest = PackedNewest()
        self._heads: dict[int, tuple[int, str]] = {}
        self.joiner = SpanJoiner(self.findings, newest=self._newest, leaves_of=snapshot.leaves_of)
        self._numbers = count()
        self._patients: dict[bytes, int] = {}
        self._files: list[SortedFile] = []

    @property
    def tree(self) -> LedgerTree:
        """The tree of all entries before the first gap."""
        return self.joiner.tree

    def check_entries(self, size: int, acks: Acks, sizes: Iterable[int], *, parts: int) -> None:
        """Check the rows of `entry`, and join what the spans say.

        Args:
            size: how far positions are divided; there may be rows beyond.
            acks: what clients were acknowledged.
            sizes: at which the heads of all streams will be asked for.
            parts: how many tasks there should be at least.
        """
        self.joiner.expect(self._snapshot.tiles())
        spans = [BEFORE, *divide(0, size, parts=parts), beyond(size)]
        tasks = (CheckEntries(span=span, acks=acks.within(span.first, span.last)) for span in spans)
        wanted = sorted(sizes)
        done = self._helpers.map(tasks, EntriesChecked)
        with RepeatedNumbers(Path(self._job.folder) / "ids") as ids:
            for span, checked in zip(spans, done, strict=True):
                self._derive_heads(span, [at for at in wanted if span.first < at <= span.last + 1])
                self.findings.merge(checked.found)
                self.joiner.join(checked.span)
                ids.add(checked.span.ids)
                self._step("entries", checked.span.rows)
            self._report_repeated(ids.repeated())

    def check_events(self, size: int, streams: frozenset[str], *, parts: int) -> None:
        """Replay the directory, and open and check all other events.

        An event of the directory that lies in none of its streams is found only then; all is done
        again with its stream.

        Args:
            size: how far positions are divided.
            streams: the directory's, as `find_streams` found them.
            parts: how many tasks there should be at least.
        """
        late = frozenset[str]()
        while True:
            streams |= late
            findings = Findings()
            self.signatures_checked, self._patients, self._files = 0, {}, []
            self._replay(streams, findings)
            known = Known(tree=self.tree.state(), directory=self.directory)
            self._helpers.tell(known)
            late = self._check_spans(self._event_spans(size, parts=parts), size, findings)
            if not late:
                self.findings.merge(findings.take())
                return

    def check_rules(self) -> None:
        """Judge all events but the directory's by the rules, stream by stream."""
        patients, files = pack_patients(self._patients), tuple(self._files)
        tasks = (
            CheckRules(bucket=bucket, files=files, patients=patients)
            for bucket in range(self._job.buckets if files else 0)
        )
        for checked in self._helpers.map(tasks, RulesChecked):
            self.findings.merge(checked.found)
            self._step("rules", checked.events)

    def _event_spans(self, size: int, *, parts: int) -> list[Span]:
        """Divide positions so that what a note covers and what is new lie in different spans."""
        basis = self._job.basis
        border = 0 if basis is None else min(basis.size, size)
        return [
            *divide(0, border, parts=parts, widest=EVENTS_AT_ONCE),
            *divide(border, size, parts=parts, widest=EVENTS_AT_ONCE),
        ]

    def _replay(self, streams: frozenset[str], findings: Findings) -> None:
        job = self._job
        keys = None
        if job.wrapper is not None:
            rows = self._snapshot.keys_of(streams)
            keys = StreamKeys(Keyring(job.wrapper, job.origin), rows, findings)
        judge = EventJudge(
            findings, whole=keys is not None, tree=self.tree, heads_at=self._heads_at
        )
        judge.set_aside.expect(self._snapshot.set_aside())
        reader = EventReader(findings, self.tree, keys=keys, key_of=judge.key_of, origin=job.origin)
        rows = self._snapshot.events_of(streams)
        events = replay(rows, reader, judge, sealed=keys is not None)
        self.directory = Directory(streams=streams, events=events, state=judge.directory)
        judge.set_aside.finish(judge.directory.set_aside)  # (14)
        self.signatures_checked += reader.signatures_checked

    def _check_spans(self, spans: list[Span], size: int, findings: Findings) -> frozenset[str]:
        tasks = (
            CheckEvents(number=next(self._numbers), span=span)
            for span in (BEFORE, *spans, beyond(size))
        )
        late = set[str]()
        for checked in self._helpers.map(tasks, EventsChecked):
            findings.merge(checked.found)
            self.signatures_checked += checked.signatures
            late |= checked.late
            for stream, position in checked.patients.items():
                self._patients.setdefault(stream, position)
            if checked.sorted.path:
                self._files.append(checked.sorted)
            self._step("events", checked.events)
        return frozenset(late - self.directory.streams)

    def _derive_heads(self, span: Span, sizes: list[int]) -> None:
        """Derive the heads of all streams at sizes within a span that is about to be joined."""
        if not sizes:
            return
        rows = self._snapshot.entries(Span(first=span.first, last=sizes[-1] - 1))
        within: dict[bytes, Newest] = {}
        row = next(rows, None)
        for size in sizes:
            while row is not None and row.position < size:
                within[row.stream] = (row.version, leaf_hash(row.entry))
                row = next(rows, None)
            self._heads[size] = self._newest.root_with(within)

    def _heads_at(self, size: int) -> tuple[int, str]:
        if size not in self._heads:  # of an event in a stream that was not known to have any
            newest = {
                row.stream: StreamHead(row.version, leaf_hash(row.entry))
                for row in self._snapshot.entries(Span(first=0, last=size - 1))
            }
            self._heads[size] = root_over(
                encode_head(uuid_text(stream), head) for stream, head in newest.items()
            )
        return self._heads[size]

    def _report_repeated(self, numbers: frozenset[int]) -> None:
        """Find (4) the rows of repeated event ids: a second look, only when there are any.

        Args:
            numbers: the last eight bytes of ids, as numbers.
        """
        if not numbers:
            return
        first: dict[bytes, int] = {}
        for row in self._snapshot.entries(EVERYTHING):
            if int.from_bytes(row.event_id[-_ID_BYTES:], sys.byteorder) not in numbers:
                continue
            before = first.setdefault(row.event_id, row.position)
            if before != row.position:
                place = Place(
                    position=row.position,
                    stream=uuid_text(row.stream),
                    event_id=uuid_text(row.event_id),
                )
                self.findings.add(
                    "duplicate-event", place, f"position {before} has the same event_id"
                )
