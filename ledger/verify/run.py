"""Verify a whole ledger, or one record of it, in one pass over its stored bytes."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import msgspec

from ledger.database import Database
from ledger.errors import EnvironmentRefusedError
from ledger.keyring import Keyring
from ledger.verify.acks import Acks, read_acks
from ledger.verify.checkpoints import (
    CheckpointChecker,
    check_kept,
    check_stored,
    read_checkpoints,
    size_of,
    spread,
)
from ledger.verify.decisions import describe_decisions
from ledger.verify.directory import find_streams
from ledger.verify.helpers import Alone, Helpers, Moment, Processes
from ledger.verify.keys import StreamKeys, check_keys
from ledger.verify.ledger_row import check_ledger_row, names_key
from ledger.verify.passes import Passes
from ledger.verify.reading import Depth
from ledger.verify.report import NOWHERE, SELF_ONLY, Anchor, Findings, Marks, Place, Report
from ledger.verify.rows import LedgerRow
from ledger.verify.scope import WITHOUT_RULES, choose_scope, founding_origin
from ledger.verify.since import Basis
from ledger.verify.snapshot import Snapshot, open_snapshot
from ledger.verify.tasks import Job
from ledger.verify.worker import Worker

Progress = Callable[[int, int], None]
"""Is told how many entries were checked, and of how many."""

_BUCKET_EVENTS: Final = 32_768
_PARTS: Final = 4
_WEIGHTS: Final = {"entries": 1, "events": 8, "rules": 2}


class VerifyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to verify.

    Attributes:
        record: open only this record's stream, its patient's and the directory; None for all.
        hashes_only: leave out what needs the facility key.
        acks: a file of acknowledgements to compare with (see `ledger.verify.acks`).
        checkpoints: files of one signed checkpoint each, to compare with.
        since: a note of an earlier verification to rest on, and what to sample; not with `record`.
        processes: how many processes share the work; 1 for this one alone. The caller's main
            module must be importable; the first ones take a second or so to start.
        rules: whether contents are held against their profiles, and events against the rules.
        alone_below: ledgers of fewer entries are left to this process.
    """

    record: str | None = None
    hashes_only: bool = False
    acks: Path | None = None
    checkpoints: tuple[Path, ...] = ()
    since: Basis | None = None
    processes: int = 1
    rules: bool = True
    alone_below: int = 2048


def verify_ledger(
    database: Database,
    *,
    keyring: Keyring | None,
    options: VerifyOptions | None = None,
    progress: Progress | None = None,
) -> Report:
    """Derive everything again from the stored bytes and report every contradiction.

    Goes on after the first finding; one tampering may cause several. The steps, in one pass by
    position, as of one moment:

    1. There is one head row, one ledger row, and the head is that of the entries.
    2. Positions have no gap; no body and no tile lies where no entry does.
    3. Each entry is of the known form and has its leaf hash; peaks, root and tiles follow.
    4. Versions have no gap, links lead to the stream's previous entry, event ids are unique.
    5. The time of receipt never decreases.
    6. Bodies open; statement and container meet the entry; the statement is strict and says what
       the columns say.
    7. The content meets the statement.
    8. The signature is one by a key that the directory, derived from the same events, knew.
    9. The tree that the author had seen is a prefix of this one.
    10. The rules accept the event where it stands.
    11. The ledger row and the stream keys agree with the founding event and the facility key.
    12. What clients were acknowledged is there, unchanged.
    13. Checkpoints, those given and those stored, are signed by the key in force at their size,
        as the founding event and rotations name it, and are of this tree.

    14. What was set aside is what an event, signed by two, says was.

    Views are compared by `projections.check`; `merge_findings` brings both together.

    Args:
        database: where the ledger lies.
        keyring: the facility's keys; without it steps 6 to 10 reach the directory only, and the
            report says so.
        options: what to look at; default everything.
        progress: told now and then.

    Raises:
        EnvironmentRefusedError: there is no ledger, the acknowledgements or checkpoints cannot be
            read, or the facility key is one that this ledger neither names nor opens with.
        NotFoundError: there is no such record.
        UnavailableError: the database does not answer.
    """
    started = time.monotonic()
    options = options or VerifyOptions()
    if options.hashes_only:
        keyring = None
    # Read before the snapshot is taken: what is acknowledged later need not be in it.
    kept = _Kept(
        acks=Acks(()) if options.acks is None else read_acks(options.acks),
        checkpoints=read_checkpoints(options.checkpoints),
    )
    with open_snapshot(database, with_keys=keyring is not None) as snapshot:
        verification = _Verification(snapshot, keyring=keyring, options=options, kept=kept)
        return verification.run(
            progress or _no_progress, database, lambda: time.monotonic() - started
        )


class _Kept(NamedTuple):
    """What others kept outside the database."""

    acks: Acks
    checkpoints: tuple[bytes, ...]

    def anchors(self) -> Iterator[Anchor]:
        """Tell what the ledger is compared with."""
        if self.acks:
            yield Anchor(kind="receipts", count=len(self.acks), size=self.acks.size)
        if self.checkpoints:
            size = max(map(size_of, self.checkpoints))
            yield Anchor(kind="checkpoints", count=len(self.checkpoints), size=size)


class _Verification:
    """One run over one snapshot."""

    def __init__(
        self, snapshot: Snapshot, *, keyring: Keyring | None, options: VerifyOptions, kept: _Kept
    ) -> None:
        self._snapshot = snapshot
        self._options = options
        self._kept = kept
        self._ledger_rows = snapshot.ledger_rows()
        self._heads = snapshot.head_rows()
        self._successors = snapshot.successors()
        self._size = snapshot.span(max((head.size for head in self._heads), default=0))
        origin = founding_origin(snapshot) or _first_origin(self._ledger_rows)
        empty = origin is None and not any(head.size for head in self._heads)
        if empty and not kept.acks and not kept.checkpoints and options.since is None:
            raise EnvironmentRefusedError("there is no ledger here to verify")
        self._origin = origin or ""
        self._marks = Marks()
        if options.since is not None:
            options.since.check_ledger(origin)
        self._facility = keyring
        self._keyring = keyring if keyring is not None and keyring.origin == origin else None
        keys = None
        if self._keyring is not None:
            keys = StreamKeys(self._keyring, (), Findings())
        self._scope = choose_scope(
            snapshot, keys=keys, origin=self._origin, record=options.record, basis=options.since
        )
        self._streams, self._sizes = find_streams(snapshot, keys, self._origin)

    def run(self, progress: Progress, database: Database, seconds: Callable[[], float]) -> Report:
        """Make the passes, then compare what can only be compared at their end."""
        options, size = self._options, self._size
        with TemporaryDirectory(prefix="clinledger-verify-") as folder:
            job = Job(
                wrapper=None if self._keyring is None else self._keyring.wrapper,
                origin=self._origin,
                streams=self._scope.streams,
                basis=options.since,
                old_streams=self._scope.old_streams,
                depth=Depth(rules=options.rules),
                folder=folder,
                buckets=max(-(-size // _BUCKET_EVENTS), options.processes),
            )
            helpers = self._helpers(job, database)
            try:
                passes = Passes(job, self._snapshot, helpers, step=_Steps(progress, size).step)
                parts = _PARTS * options.processes if isinstance(helpers, Processes) else 1
                self._check_keys(passes.findings)  # (11)
                passes.check_entries(size, self._kept.acks, self._sizes, parts=parts)
                passes.check_events(size, self._streams, parts=parts)
                passes.check_rules()
            finally:
                helpers.close()
        self._check_rest(passes)
        progress(passes.joiner.checked, passes.joiner.checked)
        return self._report(passes, seconds())

    def _helpers(self, job: Job, database: Database) -> Helpers:
        count = self._options.processes
        if count == 1 or self._size < self._options.alone_below:
            return Alone(Worker(job, self._snapshot))
        moment = Moment(
            url=database.url,
            schema=database.schema,
            exported=self._snapshot.export(),
            with_keys=self._keyring is not None,
        )
        return Processes(job, moment, count=count)

    def _check_keys(self, findings: Findings) -> None:
        if self._keyring is None or check_keys(self._snapshot, self._keyring, findings):
            return
        if not names_key(self._ledger_rows, self._keyring):
            raise EnvironmentRefusedError("the facility key is not the one of this ledger")

    def _check_rest(self, passes: Passes) -> None:
        findings = passes.findings
        passes.joiner.finish(self._heads)  # (1), (3)
        check_ledger_row(  # (1), (11)
            self._ledger_rows,
            findings,
            place=Place(position=0) if passes.joiner.checked else NOWHERE,
            founded=passes.directory.state.origin,
            keyring=self._facility,
        )
        checker = CheckpointChecker(  # (13)
            findings, passes.tree, keys=passes.directory.state.checkpoint_keys
        )
        snapshot = self._snapshot
        stored = check_stored(snapshot.checkpoints(), checker, findings, table="checkpoint")
        given = spread(sorted(map(size_of, self._kept.checkpoints)))
        self._marks = Marks(stored=stored, given=given)
        check_stored(snapshot.publications(), checker, findings, table="publication")
        check_kept(self._kept.checkpoints, checker)
        if self._options.since is not None:
            keys = [key.spki for key in passes.directory.state.checkpoint_keys]
            self._options.since.check_ledger(passes.directory.state.origin or None, keys)
            self._options.since.check_tree(passes.tree, findings)

    def _report(self, passes: Passes, seconds: float) -> Report:
        """Return what was found."""
        findings = passes.findings.result()
        tree = passes.tree
        genesis = tree.leaf_hashes(0, 1)
        since = self._options.since
        anchors = (*self._kept.anchors(), *(() if since is None else since.anchors()))
        return Report(
            ok=not findings,
            origin=passes.directory.state.origin or _first_origin(self._ledger_rows),
            genesis=genesis[0].hex() if genesis else None,
            size=tree.size,
            root=tree.root().hex(),
            entries_checked=passes.joiner.checked,
            signatures_checked=passes.signatures_checked,
            anchors=anchors,
            findings=findings,
            seconds=round(seconds, 3),
            notes=(
                *self._scope.notes,
                *describe_decisions(passes.directory.state, self._successors),
                *(() if self._options.rules else (WITHOUT_RULES,)),
                *(() if anchors else (SELF_ONLY,)),
            ),
            opened=self._scope.opened,
            rules=self._options.rules,
            marks=self._marks,
            since=None if since is None else since.told(),
        )


class _Steps:
    """Turns the steps of several passes into one bar."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress = progress
        self._size = size
        self._done = 0

    def step(self, name: str, entries: int) -> None:
        """Go on by so many entries of a pass."""
        self._done += entries * _WEIGHTS[name]
        done = self._done // sum(_WEIGHTS.values())
        self._progress(min(done, self._size), self._size)


def _first_origin(rows: Sequence[LedgerRow]) -> str | None:
    return rows[0].origin if rows else None


def _no_progress(_done: int, _total: int) -> None:
    """Tell nobody."""
