"""Verify a whole ledger, or one record of it, in one pass over its stored bytes."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from ledger.database import Database
from ledger.errors import EnvironmentRefusedError
from ledger.keyring import Keyring
from ledger.verify.acks import AckChecker, Acks, read_acks
from ledger.verify.bodies import Bodies
from ledger.verify.checkpoints import (
    CheckpointChecker,
    StoredChecker,
    check_kept,
    read_checkpoints,
    size_of,
)
from ledger.verify.decisions import describe_decisions
from ledger.verify.entries import EntryChecker
from ledger.verify.events import EventJudge
from ledger.verify.keys import StreamKeys
from ledger.verify.ledger_row import check_ledger_row, names_key
from ledger.verify.report import NOWHERE, SELF_ONLY, Anchor, Findings, Place, Report
from ledger.verify.scope import choose_scope, founding_origin
from ledger.verify.signatures import SignatureChecker
from ledger.verify.snapshot import LedgerRow, Snapshot, open_snapshot

Progress = Callable[[int, int], None]
"""Is told how many entries were checked, and of how many."""

_PROGRESS_EVERY: Final = 500


class VerifyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to verify.

    Attributes:
        record: open only this record's stream, its patient's and the directory; None for all.
        hashes_only: leave out what needs the facility key.
        acks: a file of acknowledgements to compare with (see `ledger.verify.acks`).
        checkpoints: files of one signed checkpoint each, to compare with.
        processes: how many further processes check signatures; 1 for none. They are spawned, so
            the caller's main module must be importable.
    """

    record: str | None = None
    hashes_only: bool = False
    acks: Path | None = None
    checkpoints: tuple[Path, ...] = ()
    processes: int = 1


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
        try:
            verification.run(progress)
        finally:
            verification.close()
        return verification.report(time.monotonic() - started)


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
        self._keyring = keyring
        self._kept = kept
        self._findings = findings = Findings()
        self._ledger_rows = snapshot.ledger_rows()
        self._heads = snapshot.head_rows()
        self._successors = snapshot.successors()
        origin = founding_origin(snapshot) or _first_origin(self._ledger_rows)
        empty = origin is None and not any(head.size for head in self._heads)
        if empty and not kept.acks and not kept.checkpoints:
            raise EnvironmentRefusedError("there is no ledger here to verify")
        self._keys: StreamKeys | None = None
        if keyring is not None and keyring.origin == origin:
            self._keys = StreamKeys(keyring, snapshot.keys(), findings)
            if self._keys.stored and not self._keys.opened and not self._names(keyring):
                raise EnvironmentRefusedError("the facility key is not the one of this ledger")
        self._scope = choose_scope(
            snapshot, keys=self._keys, origin=origin or "", record=options.record
        )
        self._entries = EntryChecker(findings, snapshot.tiles())
        self._signatures = SignatureChecker(findings, processes=options.processes)
        self._events = EventJudge(
            findings,
            self._entries,
            signatures=self._signatures,
            keys=self._keys,
            origin=origin or "",
        )
        self._events.set_aside.expect(snapshot.set_aside())
        self._checkpoints = CheckpointChecker(
            findings, self._entries, keys=self._events.directory.checkpoint_keys
        )
        self._stored = (
            StoredChecker(snapshot.checkpoints(), self._checkpoints, findings, table="checkpoint"),
            StoredChecker(
                snapshot.publications(), self._checkpoints, findings, table="publication"
            ),
        )

    def run(self, progress: Progress | None) -> None:
        """Make the pass, then compare what can only be compared at its end."""
        total = max((head.size for head in self._heads), default=0)
        acknowledged = AckChecker(self._kept.acks, self._findings)
        bodies = Bodies(self._snapshot.bodies(streams=self._scope.streams), self._findings)
        for row in self._snapshot.entries():
            place = Place(position=row.position, stream=row.stream, event_id=row.event_id)
            leaf, entry = self._entries.check(row, place)  # (2) to (5)
            acknowledged.check(row, leaf, place)  # (12)
            if self._keys is not None and row.version == 1:
                self._keys.report_faults(place)  # (11)
            body = bodies.at(row.position)
            if body is None:
                self._findings.add("body-missing", place, "the event has no stored body")
            elif self._scope.opens(row.stream, body):
                self._events.judge(row, entry, body, place)  # (6) to (10)
            self._check_stored()  # (13)
            if progress is not None and self._entries.checked % _PROGRESS_EVERY == 0:
                progress(self._entries.checked, max(total, self._entries.checked))
        self._signatures.finish()  # (8)
        bodies.finish()  # (2)
        acknowledged.finish()  # (12)
        self._report_repeated_ids()  # (4)
        self._entries.finish(self._heads)  # (1), (3)
        self._check_ledger_row()  # (1), (11)
        self._check_checkpoints()  # (13)
        self._events.set_aside.finish(self._events.directory.set_aside)  # (14)
        if self._keys is not None:
            self._keys.finish()
        if progress is not None:
            progress(self._entries.checked, self._entries.checked)

    def close(self) -> None:
        """Let go of processes."""
        self._signatures.close()

    def report(self, seconds: float) -> Report:
        """Return what was found."""
        findings = self._findings.result()
        tree = self._entries.tree
        genesis = tree.leaf_hashes(0, 1)
        anchors = tuple(self._kept.anchors())
        return Report(
            ok=not findings,
            origin=self._events.directory.origin or _first_origin(self._ledger_rows),
            genesis=genesis[0].hex() if genesis else None,
            size=tree.size,
            root=tree.root().hex(),
            entries_checked=self._entries.checked,
            signatures_checked=self._signatures.checked,
            anchors=anchors,
            findings=findings,
            seconds=round(seconds, 3),
            notes=(
                *self._scope.notes,
                *describe_decisions(self._events.directory, self._successors),
                *(() if anchors else (SELF_ONLY,)),
            ),
        )

    def _check_ledger_row(self) -> None:
        check_ledger_row(
            self._ledger_rows,
            self._findings,
            place=Place(position=0) if self._entries.checked else NOWHERE,
            founded=self._events.directory.origin,
            keyring=self._keyring,
        )

    def _check_stored(self) -> None:
        for stored in self._stored:
            stored.check_up_to(self._entries.tree.size)

    def _check_checkpoints(self) -> None:
        for stored in self._stored:
            stored.finish()
        check_kept(self._kept.checkpoints, self._checkpoints)

    def _names(self, keyring: Keyring) -> bool:
        """Tell whether the ledger row names this facility key."""
        return names_key(self._ledger_rows, keyring)

    def _report_repeated_ids(self) -> None:
        """Find the rows of repeated event ids: a second look, only when there are any."""
        hashes = self._entries.repeated_ids()
        if not hashes:
            return
        first: dict[str, int] = {}
        for row in self._snapshot.entries():
            if hash(row.event_id) not in hashes:
                continue
            before = first.setdefault(row.event_id, row.position)
            if before != row.position:
                self._findings.add(
                    "duplicate-event",
                    Place(position=row.position, stream=row.stream, event_id=row.event_id),
                    f"position {before} has the same event_id",
                )


def _first_origin(rows: Sequence[LedgerRow]) -> str | None:
    return rows[0].origin if rows else None
