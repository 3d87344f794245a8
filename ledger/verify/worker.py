"""Do the tasks of a verification: in this process, or in several that see the same moment."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from ledger.errors import CommandRefusedError
from ledger.keyring import Keyring
from ledger.merkle import TILE_WIDTH
from ledger.rules.authority import check_key
from ledger.rules.context import RuleContext
from ledger.verify.acks import AckChecker, Acks
from ledger.verify.blocks import BlockChecker
from ledger.verify.directory import Directory
from ledger.verify.events import EventJudge
from ledger.verify.keys import StreamKeys
from ledger.verify.reading import DIRECTORY_KINDS, DepthOf, EventReader, ReadEvent
from ledger.verify.report import Findings, Place
from ledger.verify.rows import StoredEvent
from ledger.verify.snapshot import Snapshot
from ledger.verify.spans import Span
from ledger.verify.spill import EventWriter, Patients, read_bucket
from ledger.verify.tasks import (
    CheckEntries,
    CheckEvents,
    CheckRules,
    Done,
    EntriesChecked,
    EventsChecked,
    Job,
    Known,
    RulesChecked,
    Task,
)
from ledger.verify.tree import LedgerTree

_KEPT_KEYS: Final = 20_000


class Worker:
    """Does tasks one after the other, all on one snapshot."""

    def __init__(self, job: Job, snapshot: Snapshot) -> None:
        self._job = job
        self._snapshot = snapshot
        self._tree = LedgerTree()
        self._directory = Directory.empty()
        self._keyring = None if job.wrapper is None else Keyring(job.wrapper, job.origin)

    def do(self, task: Task) -> Done:
        """Do one task."""
        match task:
            case Known():
                self._tree = LedgerTree.of(task.tree, self._snapshot.leaves_of)
                self._directory = task.directory
                return None
            case CheckEntries():
                return self._check_entries(task)
            case CheckEvents():
                return self._check_events(task)
            case CheckRules():
                return self._check_rules(task)

    def _check_entries(self, task: CheckEntries) -> EntriesChecked:
        findings = Findings()
        checker = BlockChecker(findings, start=max(task.span.first, 0))
        span = task.span
        if not task.acks and self._snapshot.reads_blocks(span):
            for block in self._snapshot.entry_blocks(span):
                if not checker.take_block(block):  # then what is wrong is told by its rows
                    last = min(block.first + TILE_WIDTH - 1, span.last)
                    checker.take(self._snapshot.entries(Span(first=block.first, last=last)))
        else:
            rows = self._snapshot.entries(span)
            if task.acks:
                rows = AckChecker(Acks(task.acks), findings).watch(rows, at_end=span.is_end)
            checker.take(rows)
        return EntriesChecked(span=checker.finish(), found=findings.take())

    def _check_events(self, task: CheckEvents) -> EventsChecked:
        findings = Findings()
        keys = None
        if self._keyring is not None:
            keys = StreamKeys(self._keyring, (), findings)
        reader = EventReader(
            findings,
            self._tree,
            keys=keys,
            key_of=self._directory.key_of,
            origin=self._job.origin,
        )
        reader.depth_of = self._depth_of(task)
        path = Path(self._job.folder) / f"events-{task.number}"
        sorter = _Sorter(findings, self._directory, EventWriter(path, buckets=self._job.buckets))
        events = 0
        pages, orphans = self._rows(task.span)
        for page in pages:
            events += len(page)
            if keys is not None:
                keys.forget(beyond=_KEPT_KEYS)
                streams = {row.stream for row in page if row.body is not None}
                keys.add(self._snapshot.keys_of(keys.missing(streams)))
            wanted = [row for row in page if sorter.wants(row)]
            for row, event in zip(wanted, reader.read_page(wanted), strict=True):
                if event is not None:
                    sorter.take(event, alone=self._is_alone(row))
        for position in orphans:
            findings.add(
                "position-gap", Place(position=position), "a body without an entry of its own"
            )
        return EventsChecked(
            found=findings.take(),
            events=events,
            signatures=reader.signatures_checked,
            late=frozenset(sorter.late),
            patients=sorter.patients,
            sorted=sorter.writer.write(),
        )

    def _rows(self, span: Span) -> tuple[Iterator[Sequence[StoredEvent]], list[int]]:
        """Return the events of a span whose bodies are opened, and where bodies lie alone.

        Of the events that a note covers, and of those of other streams, only some are opened.
        """
        job, snapshot = self._job, self._snapshot
        if job.streams is not None:
            streams, sampled = job.streams, list[int]()
        elif job.basis is not None and job.basis.covers(span.last):
            streams = job.old_streams
            sampled = [at for at in job.basis.sampled if span.first <= at <= span.last]
        else:
            return snapshot.events(span), snapshot.orphans(span)
        found = snapshot.odd_bodies(span)
        odd = [one.position for one in found if one.has_entry]
        pages = snapshot.some_events(span, odd=odd, streams=streams, positions=sampled)
        return pages, [one.position for one in found if not one.has_entry]

    def _depth_of(self, task: CheckEvents) -> DepthOf:
        """Tell how much of events is looked at: of old signatures, those that are sampled."""
        depth, basis = task.depth or self._job.depth, self._job.basis
        if basis is None or not basis.covers(task.span.first):
            return lambda _row: depth
        sampled, unsigned = basis.sampled, msgspec.structs.replace(depth, signatures=False)
        return lambda row: (
            depth if row.position in sampled or not basis.covers(row.position) else unsigned
        )

    def _is_alone(self, row: StoredEvent) -> bool:
        """Tell whether the other events of this one's stream are not opened."""
        basis = self._job.basis
        return (
            basis is not None
            and basis.covers(row.position)
            and row.stream not in self._job.old_streams
        )

    def _check_rules(self, task: CheckRules) -> RulesChecked:
        findings = Findings()
        patients = Patients(task.patients)
        judge = EventJudge(findings, patients=patients.known_before)
        directory = iter(self._directory.events)
        start = 0 if self._job.basis is None else self._job.basis.size
        enrolled = next(directory, None)
        events = 0
        for event in read_bucket(task.files, task.bucket):
            position = event.place.position or 0
            while enrolled is not None and (enrolled.place.position or 0) < position:
                judge.apply(enrolled)
                enrolled = next(directory, None)
            if position < start:
                judge.apply(event)
            else:
                judge.judge(event)
            events += 1
        return RulesChecked(found=findings.take(), events=events)


class _Sorter:
    """Decides which events of a span are to be read, and where they go then."""

    def __init__(self, findings: Findings, directory: Directory, writer: EventWriter) -> None:
        self.writer = writer
        self.late: set[str] = set()
        self.patients: dict[bytes, int] = {}
        self._findings = findings
        self._directory = directory
        self._last = ("", -1)

    def wants(self, row: StoredEvent) -> bool:
        """Tell whether an event is to be read here; the directory's were read before."""
        if row.body is None:
            return True
        this = (row.event_id, row.position)
        if this == self._last and row.position >= 0:
            place = Place(position=row.position)
            self._findings.add("position-gap", place, "a body without an entry of its own")
            return False
        self._last = this
        return row.stream not in self._directory.streams

    def take(self, event: ReadEvent, *, alone: bool) -> None:
        """Keep an event for the rules, unless it stands alone: without the others of its stream."""
        statement, position = event.statement, event.place.position or 0
        if statement.stream_kind in DIRECTORY_KINDS:
            self.late.add(event.place.stream or "")
        elif alone or event.facts is None:
            self._check_key(event)
        else:
            if statement.stream_kind == "patient":
                self.patients.setdefault(UUID(statement.stream).bytes, position)
            self.writer.add(event)

    def _check_key(self, event: ReadEvent) -> None:
        """Check the key of an event to which no other rule is applied."""
        context = RuleContext(
            directory=self._directory.state, streams={}, position=event.place.position or 0
        )
        try:
            check_key(context, event.statement)
        except CommandRefusedError as error:
            self._findings.add(
                "key-not-valid", event.place, f"{error.code} {error.pointer}".strip()
            )
