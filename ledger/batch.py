"""Decide one batch of submissions in order and build the entries that follow the head. No I/O.

Everything a decision needs is loaded before: streams, the directory, the roots that statements
have seen. What is refused changes nothing; what is accepted changes the states at once, so that
the next submission of the same batch is decided on them. If the batch is then not committed, the
caller must throw the states away.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from ledger.decide import RuleContext, decide, streams_needed
from ledger.entry import ZERO_HASH, Entry, encode_entry, link_hash
from ledger.errors import (
    EventConflictError,
    SubmissionRejectedError,
    UnavailableError,
    stream_damaged,
)
from ledger.evolve import evolve
from ledger.ids import uuid_bytes
from ledger.merkle import CompactRange, TileHash, leaf_hash
from ledger.rows import Head, Receipt
from ledger.set_aside import TAG as SET_ASIDE
from ledger.set_aside import SetAside
from ledger.standing import Standing
from ledger.state import StreamState
from ledger.store import NewEntry
from ledger.stream_cache import CachedStream, StreamCache
from ledger.submission import Submission
from signing.statement import format_time_ms

MAX_CLOCK_AHEAD_MS: Final = 5 * 60 * 1000
_AS_USUAL: Final = Standing()
_FIRST: Final = "entries were set aside: that decision must be recorded before anything else"


class Duplicate(msgspec.Struct, frozen=True, kw_only=True):
    """The same statement was accepted before: its receipt is the answer."""

    event_id: str


class Batch:
    """One batch under construction on top of a head."""

    def __init__(
        self,
        head: Head,
        cache: StreamCache,
        *,
        received_at_ms: int,
        roots: Mapping[int, bytes],
        standing: Standing = _AS_USUAL,
    ) -> None:
        """Start an empty batch.

        Args:
            head: the committed tree that the batch will extend.
            cache: every stream that the submissions need, loaded.
            received_at_ms: the one stamp of the batch, never below an earlier batch's.
            roots: root by size, for every size that a submission has seen and the tree has.
            standing: what must be recorded before anything else, unless it is by now.
        """
        self.old = head
        self.entries: list[NewEntry] = []
        self.tiles: list[TileHash] = []
        self.receipts: dict[str, Receipt] = {}
        self.touches_directory = False
        self._tree = CompactRange.from_peaks(head.size, head.peaks)
        self._cache = cache
        self.received_at_ms = received_at_ms
        self._roots = roots
        self._standing = standing
        self._latest_time = format_time_ms(received_at_ms + MAX_CLOCK_AHEAD_MS)

    def head(self) -> Head:
        """Return the head that includes this batch."""
        tree = self._tree
        return Head(size=tree.size, root=tree.root(), peaks=tuple(tree.peaks))

    def add(self, submission: Submission, *, link_salt: bytes) -> Receipt | Duplicate:
        """Decide one submission; on acceptance append it and return its receipt.

        The order of the checks is ARCHITECTURE §5: what was accepted before is answered before
        clock, key validity and rules are looked at.

        Raises:
            RejectedError: when it is refused; nothing changed.
            UnavailableError: when its stream is damaged, or entries were set aside and the decision
                is not recorded yet.
        """
        statement = submission.statement
        cached = self._cache.get(statement.stream)
        if cached.damage is not None:
            raise stream_damaged()
        known = cached.state.events.get(statement.event_id)
        if known is not None:
            if known.statement_digest != submission.statement_digest:
                raise EventConflictError
            return Duplicate(event_id=statement.event_id)
        if statement.event_id in self.receipts:
            raise EventConflictError
        pending = self._pending()
        if pending is not None and statement.type != SET_ASIDE:
            raise UnavailableError(_FIRST, retry_after_seconds=60)
        self._check_times(submission)
        self._check_seen(submission)
        if submission.salt in cached.salts:
            raise SubmissionRejectedError("salt-reused", "/salt")
        context = self._context(submission, cached.state, pending)
        decide(context, statement, submission.facts)
        evolve(context, statement, submission.facts, statement_digest=submission.statement_digest)
        return self._append(submission, cached, link_salt)

    def _pending(self) -> SetAside | None:
        """Return what was set aside and is not recorded, as of the last decision."""
        found = self._standing.set_aside
        if found is None:
            return None
        recorded = self._cache.directory.set_aside
        return None if any(one.decided == found for one in recorded) else found

    def _context(
        self, submission: Submission, state: StreamState, pending: SetAside | None
    ) -> RuleContext:
        statement = submission.statement
        streams = {statement.stream: state}
        for name in streams_needed(statement, submission.facts):
            streams[name] = self._cache.get(name).state
        return RuleContext(
            directory=self._cache.directory,
            streams=streams,
            position=self._tree.size,
            set_aside=pending,
            successor=self._standing.successor,
        )

    def _append(self, submission: Submission, cached: CachedStream, link_salt: bytes) -> Receipt:
        statement, state, position = submission.statement, cached.state, self._tree.size
        previous = state.leaf_hash if state.version else ZERO_HASH
        version = state.version + 1
        entry = encode_entry(
            Entry(
                received_at_ms=self.received_at_ms,
                link=link_hash(link_salt, version, previous),
                statement_digest=submission.statement_digest,
                container_digest=submission.container_digest,
            )
        )
        leaf = leaf_hash(entry)
        self.tiles += self._tree.append(leaf)
        state.version, state.leaf_hash = version, leaf
        if state.kind in {"facility", "staff"}:
            self._cache.pin(statement.stream)
            self.touches_directory = True
        cached.remember(submission.salt)
        self.entries.append(
            NewEntry(
                stream=cached.stream,
                version=version,
                event_id=uuid_bytes(statement.event_id),
                entry=entry,
                leaf_hash=leaf,
                link_salt=link_salt,
                body=submission.body,
            )
        )
        receipt = Receipt(
            event_id=statement.event_id,
            stream=statement.stream,
            position=position,
            version=version,
            received_at_ms=self.received_at_ms,
            entry=entry,
            previous=previous,
            link_salt=link_salt,
            leaf_hash=leaf,
            head_size=position + 1,
            head_peaks=tuple(self._tree.peaks),
        )
        self.receipts[statement.event_id] = receipt
        return receipt

    def _check_times(self, submission: Submission) -> None:
        # Statement times have one spelling of one length, so that text compares as time does.
        statement = submission.statement
        if statement.signed_at > self._latest_time:
            raise SubmissionRejectedError("clock-ahead", "/signed_at")
        if statement.occurred_at > self._latest_time:
            raise SubmissionRejectedError("clock-ahead", "/occurred_at")

    def _check_seen(self, submission: Submission) -> None:
        """Recompute the root that the author says the ledger had.

        A wrong root under a good signature is a signed proof that the author was shown another
        history, or that this one was rewritten.
        """
        seen = submission.statement.seen
        if isinstance(seen, msgspec.UnsetType):
            if self._tree.size == 0:
                return
            raise SubmissionRejectedError("seen-missing", "/seen")
        root = self._roots.get(seen.size)
        if root is None and seen.size > self.old.size:
            raise SubmissionRejectedError("seen-inconsistent", "/seen/size")
        if root is None or root.hex() != seen.root:
            raise SubmissionRejectedError("seen-inconsistent", "/seen/root")
