"""Name what a verifying process is asked to do, and what it answers: values that can be sent."""

import msgspec

from ledger.keyring import KeyWrapper
from ledger.verify.acks import Ack
from ledger.verify.directory import Directory
from ledger.verify.entries import CheckedSpan
from ledger.verify.reading import Depth
from ledger.verify.report import FoundPart
from ledger.verify.since import Basis
from ledger.verify.spans import Span
from ledger.verify.spill import SortedFile
from ledger.verify.tree import TreeState


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What all tasks of one verification have in common.

    Attributes:
        wrapper: the facility key; None when it is not at hand.
        origin: what bodies are bound to.
        streams: whose bodies are opened besides the directory's; None for all.
        basis: the note below whose size only some bodies are opened.
        old_streams: whose, besides the directory's and those that are sampled.
        depth: how much is looked at.
        folder: where events may be sorted on disk.
        buckets: into how many parts.
    """

    wrapper: KeyWrapper | None
    origin: str
    streams: frozenset[str] | None
    basis: Basis | None = None
    old_streams: frozenset[str] = frozenset()
    depth: Depth
    folder: str
    buckets: int


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out meanwhile, and events are judged by."""

    tree: TreeState
    directory: Directory


class CheckEntries(msgspec.Struct, frozen=True, kw_only=True):
    """Check the rows of `entry` in a span."""

    span: Span
    acks: tuple[Ack, ...] = ()


class EntriesChecked(msgspec.Struct, frozen=True, kw_only=True):
    """What `CheckEntries` found."""

    span: CheckedSpan
    found: FoundPart


class CheckEvents(msgspec.Struct, frozen=True, kw_only=True):
    """Open and check the bodies in a span.

    Attributes:
        number: of this task among its like, from 0.
        depth: how much is looked at here; None for the depth of the job.
    """

    number: int
    span: Span
    depth: Depth | None = None


class EventsChecked(msgspec.Struct, frozen=True, kw_only=True):
    """What `CheckEvents` found.

    Attributes:
        events: how many rows were looked at.
        signatures: how many were looked at.
        late: streams that have an event of the directory, and were not known to.
        patients: streams of patients, as 16 bytes, with the position of their first event here.
        sorted: where the events lie that the rules are still to judge.
    """

    found: FoundPart
    events: int
    signatures: int
    late: frozenset[str]
    patients: dict[bytes, int]
    sorted: SortedFile


class CheckRules(msgspec.Struct, frozen=True, kw_only=True):
    """Judge the events of one bucket by the rules.

    Attributes:
        bucket: number of the bucket.
        files: where its events lie, by position.
        patients: as `pack_patients` returns them.
    """

    bucket: int
    files: tuple[SortedFile, ...]
    patients: bytes


class RulesChecked(msgspec.Struct, frozen=True, kw_only=True):
    """What `CheckRules` found, and in how many events."""

    found: FoundPart
    events: int


Task = CheckEntries | CheckEvents | CheckRules | Known
Done = EntriesChecked | EventsChecked | RulesChecked | None
