"""Be the library's ApplicationRecorder over the ledger's own tables."""

import os
import threading
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    OperationalError,
    ProgrammingError,
    StoredEvent,
)
from typing_extensions import override

from ledger.clock import Clock
from ledger.database import Connection, Database
from ledger.entry import ZERO_HASH, Entry, encode_entry, link_hash
from ledger.merkle import CompactRange, TileHash, leaf_hash
from ledger.recorder.states import Parts, States
from ledger.recorder.subscription import LedgerSubscription
from ledger.rows import Head
from ledger.store import APPEND, LAST_POSITION, EntryStore, NewEntry, append_parameters
from signing.statement import statement_digest

_TRIES: Final = 100
_TIPS: Final = """
SELECT DISTINCT ON (stream) stream, version, leaf_hash
FROM {ledger}.entry
WHERE stream = ANY(%(streams)s)
ORDER BY stream, version DESC
"""


class LedgerRecorder(ApplicationRecorder):
    """The storage layer as the library's recorder. Safe to share between threads."""

    def __init__(self, database: Database, states: States, *, clock: Clock) -> None:
        """Open one connection for everything; the library's own pool is not needed."""
        self.database = database
        self._states = states
        self._clock = clock
        self._connection: Connection = database.connect("writer", name="clinledger-recorder")
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connection, once nobody uses it any more."""
        # Closed under another thread's hands, the socket's number goes to the next connection of
        # this process, whose answers that thread would then read.
        with self._lock:
            self._connection.close()

    @override
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append events on the bare layer; all or none, durable on return.

        Raises:
            IntegrityError: when a version is not the next of its stream.
            ProgrammingError: when these states may not be appended, or `tracking` is given.
        """
        if kwargs:
            raise ProgrammingError("nothing else is written in the transaction of events")
        if not stored_events:
            return []
        parts = [self._states.to_parts(event) for event in stored_events]
        with self._lock:
            for _ in range(_TRIES):
                first = self._try_append(stored_events, parts)
                if first is not None:
                    return list(range(first + 1, first + 1 + len(stored_events)))
        raise OperationalError("other writers moved the head each time")

    @override
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return a stream's events with gt < version <= lte, by version."""
        with self._lock:
            store = EntryStore(self._connection, self.database)
            rows = [
                row
                for row in store.rows_of_streams([str(originator_id)])
                if (gt is None or row.version > gt) and (lte is None or row.version <= lte)
            ]
            chosen = (rows[::-1] if desc else rows)[:limit]
            states = self._states.from_rows(store, chosen)
        return [
            StoredEvent(row.stream, row.version, topic, state)
            for row, (topic, state) in zip(chosen, states, strict=True)
        ]

    @override
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return notifications by id, from `start` (or after it) up to `stop`, at most `limit`."""
        after = max((start or 0) - (1 if inclusive_of_start else 0), 0) - 1
        last = LAST_POSITION if stop is None else stop
        found: list[Notification] = []
        with self._lock:
            store = EntryStore(self._connection, self.database)
            while len(found) < limit:
                end = min(after + 1 + max(limit, 100), last)
                rows = store.rows_after(after, end=end)
                if not rows:
                    break
                after = rows[-1].position
                found.extend(
                    Notification(row.stream, row.version, topic, state, row.position + 1)
                    for row, (topic, state) in zip(
                        rows, self._states.from_rows(store, rows), strict=True
                    )
                    if not topics or topic in topics
                )
        return found[:limit]

    @override
    def max_notification_id(self) -> int | None:
        """Return the newest event's notification id, which is the ledger's size."""
        with self._lock:
            return EntryStore(self._connection, self.database).head().size or None

    @override
    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> "LedgerSubscription":
        """Follow the ledger from after notification `gt`, for ever."""
        return LedgerSubscription(self, gt=gt, topics=topics)

    def _try_append(self, events: Sequence[StoredEvent], parts: Sequence[Parts]) -> int | None:
        store = EntryStore(self._connection, self.database)
        old = store.head()
        tree = CompactRange.from_peaks(old.size, list(old.peaks))
        entries, tiles = self._chain(events, parts, tree)
        new = Head(size=tree.size, root=tree.root(), peaks=tuple(tree.peaks))
        parameters = append_parameters(old, new, entries, tiles, channel=self.database.schema)
        try:
            cursor = self._connection.execute(self.database.query(APPEND), parameters)
        except psycopg.errors.UniqueViolation:
            raise IntegrityError("an event of this stream and version exists already") from None
        return old.size if cursor.fetchone() else None

    def _chain(
        self, events: Sequence[StoredEvent], parts: Sequence[Parts], tree: CompactRange
    ) -> tuple[list[NewEntry], list[TileHash]]:
        streams = list({UUID(str(event.originator_id)) for event in events})
        cursor = self._connection.execute(
            self.database.query(_TIPS), {"streams": streams}, binary=True
        )
        tips: dict[UUID, tuple[int, bytes]] = {row[0]: (row[1], row[2]) for row in cursor}
        received_at_ms = self._clock.now_ms()
        entries: list[NewEntry] = []
        tiles: list[TileHash] = []
        for event, part in zip(events, parts, strict=True):
            stream = UUID(str(event.originator_id))
            version, previous = tips.get(stream, (0, ZERO_HASH))
            if event.originator_version != version + 1:
                raise IntegrityError("a version is not the next of its stream")
            link_salt = os.urandom(32)
            entry = encode_entry(
                Entry(
                    received_at_ms=received_at_ms,
                    link=link_hash(link_salt, version + 1, previous),
                    statement_digest=statement_digest(part.statement),
                    container_digest=statement_digest(part.container),
                )
            )
            leaf = leaf_hash(entry)
            tiles.extend(tree.append(leaf))
            tips[stream] = (version + 1, leaf)
            entries.append(
                NewEntry(
                    stream=stream.bytes,
                    version=version + 1,
                    event_id=part.event_id.bytes,
                    entry=entry,
                    leaf_hash=leaf,
                    link_salt=link_salt,
                    body=part.body,
                )
            )
        return entries, tiles
