"""Build signed ledgers directly in the store, without a sequencer and without its refusals.

What it appends is whole (links, leaves, tiles, head, sealed bodies) and signed by whom the test
says; whether the rules allow it is the test's affair: attacks must be built as well.
"""

import hashlib
from typing import TypedDict, Unpack
from uuid import UUID

import msgspec

from ledger.catalogue import CATALOGUE, StreamKind
from ledger.database import Database
from ledger.draft import Draft, sign_event
from ledger.entry import ZERO_HASH, Entry, encode_entry, link_hash
from ledger.keyring import FileKeyWrapper, Keyring
from ledger.merkle import CompactRange, TileHash, leaf_hash
from ledger.rows import Head
from ledger.sealing import Frame, associated_data, encode_frame, plain_body, seal
from ledger.store import APPEND, EntryStore, NewEntry, append_parameters
from ledger.submitted import SubmittedEvent
from ledger.verify.rows import KeyRow, StoredEntry
from signing.keys import SoftKey
from signing.statement import Ref, Relation, Seen, Statement, parse_statement, statement_digest
from tests import contents

ORIGIN = "bvdk.thu.example/ledger"
START_MS = 1_790_000_000_000
STEP_MS = 1000
FACILITY_KEY = bytes(range(32))
_PART = 4_194_304


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with a key, enrolled or not."""

    staff: str
    key: SoftKey


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """One appended event."""

    position: int
    stream: str
    version: int
    event_id: str
    type: str
    event: SubmittedEvent
    leaf_hash: bytes
    received_at_ms: int

    def ref(self, relation: Relation) -> Ref:
        """Return a reference to it."""
        digest = statement_digest(self.event.statement).hex()
        return Ref(event_id=self.event_id, relation=relation, statement=digest)


class EventOptions(TypedDict, total=False):
    """What a test may say of an event, each with a sensible default."""

    kind: StreamKind
    event_id: str
    refs: tuple[Ref, ...]
    seen: Seen | None
    occurred_at_ms: int
    signed_at_ms: int
    origin: str


class _Stream(msgspec.Struct, kw_only=True):
    version: int = 0
    leaf_hash: bytes = ZERO_HASH

    def extend(self, event: SubmittedEvent, link_salt: bytes, received_at_ms: int) -> bytes:
        """Go on by one event; return its entry."""
        self.version += 1
        entry = encode_entry(
            Entry(
                received_at_ms=received_at_ms,
                link=link_hash(link_salt, self.version, self.leaf_hash),
                statement_digest=statement_digest(event.statement),
                container_digest=statement_digest(event.container),
            )
        )
        self.leaf_hash = leaf_hash(entry)
        return entry


class LedgerBuilder:
    """Appends events to a migrated database; `commit` writes what was added since."""

    def __init__(self, database: Database, *, origin: str = ORIGIN) -> None:
        self.database = database
        self.origin = origin
        self.keyring = Keyring(FileKeyWrapper(FACILITY_KEY), origin)
        self.events: list[Built] = []
        self.tree = CompactRange()
        self.roots: list[bytes] = [self.tree.root()]
        self._committed = Head(size=0, root=self.tree.root(), peaks=())
        self._streams: dict[str, _Stream] = {}
        self._entries: list[NewEntry] = []
        self._tiles: list[TileHash] = []
        self._new_keys: dict[str, tuple[StreamKind, bytes]] = {}
        self._ids = 0
        self._salts = 0

    def fork(self, database: Database) -> "LedgerBuilder":
        """Return a builder that goes on from here in a copy of the database; commit first."""
        copy = LedgerBuilder(database, origin=self.origin)
        copy.keyring = self.keyring
        copy.events, copy.roots = list(self.events), list(self.roots)
        copy.tree, copy._committed = self.tree.copy(), self._committed
        copy._streams = {
            stream: _Stream(version=state.version, leaf_hash=state.leaf_hash)
            for stream, state in self._streams.items()
        }
        copy._ids, copy._salts = self._ids, self._salts
        return copy

    def restart(self, last: Built) -> None:
        """Go on after an earlier event, the last one that is kept in its stream."""
        self.tree = CompactRange()
        for built in self.events:
            self.tree.append(built.leaf_hash)
        self._streams[last.stream] = _Stream(version=last.version, leaf_hash=last.leaf_hash)
        peaks = tuple(self.tree.peaks)
        self._committed = Head(size=self.tree.size, root=self.tree.root(), peaks=peaks)

    @property
    def now_ms(self) -> int:
        """The time at which the next event will be received."""
        return START_MS + len(self.events) * STEP_MS

    def new_id(self) -> str:
        """Return the next UUID; they look like UUIDv7."""
        self._ids += 1
        return str(UUID(int=0x01980000_0000_7000_8000_000000000000 + self._ids))

    def author(self, alg: str = "ES256") -> Author:
        """Return somebody with a new staff id and a new key, not enrolled."""
        return Author(staff=self.new_id(), key=SoftKey.generate(alg))

    def seen(self, size: int | None = None) -> Seen | None:
        """Return the head of a size, default the present one, as authors name it."""
        size = len(self.events) if size is None else size
        return Seen(root=self.roots[size].hex(), size=size) if size else None

    def sign(
        self,
        tag: str,
        author: Author,
        *,
        stream: str,
        content: bytes | contents.Json,
        **options: Unpack[EventOptions],
    ) -> SubmittedEvent:
        """Sign an event; all that is not said fits the ledger as it stands."""
        kind = CATALOGUE[tag]
        at_ms = options.get("occurred_at_ms", self.now_ms)
        draft = Draft(
            stream=stream,
            stream_kind=options.get("kind", max(kind.stream_kinds)),
            event_id=options.get("event_id", self.new_id()),
            type=tag,
            occurred_at_ms=at_ms,
            media_type=kind.media_type,
            content=content if isinstance(content, bytes) else contents.encode(content),
            refs=options.get("refs", ()),
        )
        self._salts += 1
        return sign_event(
            draft,
            author.key,
            origin=options.get("origin", self.origin),
            signer_staff=author.staff,
            seen=options.get("seen", self.seen()),
            salt=hashlib.sha256(self._salts.to_bytes(8)).digest(),
            signed_at_ms=options.get("signed_at_ms", at_ms),
        )

    def add(
        self,
        tag: str,
        author: Author,
        *,
        stream: str,
        content: bytes | contents.Json,
        **options: Unpack[EventOptions],
    ) -> Built:
        """Sign an event (see `sign`) and append it."""
        return self.append(self.sign(tag, author, stream=stream, content=content, **options))

    def append(
        self,
        event: SubmittedEvent,
        *,
        received_at_ms: int | None = None,
        claimed: Statement | None = None,
    ) -> Built:
        """Append a signed event at the end, whoever signed it.

        Args:
            event: its four byte strings.
            received_at_ms: default now.
            claimed: what the row says, when the statement is not one that can be parsed.
        """
        statement = claimed or parse_statement(event.statement)
        received = self.now_ms if received_at_ms is None else received_at_ms
        self._salts += 1
        link_salt = hashlib.sha256(b"link" + self._salts.to_bytes(8)).digest()
        state = self._streams.setdefault(statement.stream, _Stream())
        entry = state.extend(event, link_salt, received)
        self._tiles.extend(self.tree.append(state.leaf_hash))
        self.roots.append(self.tree.root())
        built = Built(
            position=len(self.events),
            stream=statement.stream,
            version=state.version,
            event_id=statement.event_id,
            type=statement.type,
            event=event,
            leaf_hash=state.leaf_hash,
            received_at_ms=received,
        )
        self.events.append(built)
        self._entries.append(
            NewEntry(
                stream=UUID(built.stream).bytes,
                version=built.version,
                event_id=UUID(built.event_id).bytes,
                entry=entry,
                leaf_hash=built.leaf_hash,
                link_salt=link_salt,
                body=self._body(built, statement.stream_kind),
            )
        )
        return built

    def commit(self) -> None:
        """Write what was added: one batch, as the sequencer would."""
        head = Head(size=self.tree.size, root=self.tree.root(), peaks=tuple(self.tree.peaks))
        with self.database.connect("owner") as connection:
            store = EntryStore(connection, self.database)
            if self._committed.size == 0:
                connection.execute(
                    self.database.query(
                        "INSERT INTO {ledger}.ledger (origin, facility_key_id)"
                        " VALUES (%(origin)s, %(key)s)"
                    ),
                    {"origin": self.origin, "key": self.keyring.facility_key_id},
                )
            for stream, (kind, wrapped) in self._new_keys.items():
                store.add_stream_key(
                    stream,
                    stream_kind=kind,
                    wrapped=wrapped,
                    facility_key_id=self.keyring.facility_key_id,
                )
            for first in range(0, head.size, _PART):
                store.ensure_partition(first)
            parameters = append_parameters(
                self._committed, head, self._entries, self._tiles, channel=self.database.schema
            )
            moved = connection.execute(self.database.query(APPEND), parameters).fetchone()
        assert moved is not None
        self._committed = head
        self._entries, self._tiles, self._new_keys = [], [], {}

    def pending_rows(self) -> list[tuple[StoredEntry, bytes]]:
        """Return what `commit` would write, as rows of `entry` with their bodies."""
        return [
            (
                StoredEntry(
                    self._committed.size + number,
                    new.stream,
                    new.version,
                    new.event_id,
                    new.entry,
                    new.leaf_hash,
                    new.link_salt,
                ),
                new.body,
            )
            for number, new in enumerate(self._entries)
        ]

    def pending_keys(self) -> list[KeyRow]:
        """Return the stream keys that `commit` would write."""
        name = self.keyring.facility_key_id
        return [
            KeyRow(stream, kind, wrapped, name)
            for stream, (kind, wrapped) in self._new_keys.items()
        ]

    def _body(self, built: Built, kind: StreamKind) -> bytes:
        event = built.event
        frame = encode_frame(
            Frame(
                statement=event.statement,
                container=event.container,
                salt=event.salt,
                content=event.content,
            )
        )
        if not CATALOGUE[built.type].sealed:
            return plain_body(frame)
        key = self.keyring.known(built.stream)
        if key is None:
            wrapped = self.keyring.new_wrapped(built.stream)
            key = self.keyring.remember(built.stream, wrapped)
            self._new_keys[built.stream] = (kind, wrapped)
        nonce = hashlib.sha256(b"nonce" + self._salts.to_bytes(8)).digest()[:12]
        aad = associated_data(self.origin, built.stream, built.event_id)
        return seal(frame, key=key, nonce=nonce, aad=aad)
