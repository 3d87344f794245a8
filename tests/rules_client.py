"""A ledger client for tests that checks and decides for real but keeps nothing on disk."""

import asyncio
import base64
import hashlib
from collections.abc import Mapping, Sequence

from msgspec import UNSET

from api.client import LedgerClient, LedgerInfo
from api.schemas import EventReceipt, TreeHead
from ledger.catalogue import event_type
from ledger.content import check_content, check_salt
from ledger.decide import RuleContext, decide, streams_needed
from ledger.entry import ZERO_HASH, Entry, encode_entry, link_hash
from ledger.errors import EventConflictError, UnavailableError
from ledger.evolve import evolve
from ledger.facts import FoundingFacts, read_facts
from ledger.jsontext import check_json_text
from ledger.merkle import CompactRange, leaf_hash
from ledger.state import DirectoryState, StreamState
from ledger.submitted import SubmittedEvent
from signing.container import verify_container
from signing.keys import load_verifying_key
from signing.statement import Seen, Statement, format_time_ms, parse_statement, statement_digest

RECEIVED_AT = "2026-11-22T03:04:05.678Z"
_RECEIVED_MS = 1_795_316_645_678


class RulesClient(LedgerClient):
    """Admission and the rules, one event at a time, in memory.

    Attributes:
        submitted: every event taken, in order.
        fails_after: how many submissions are answered before the ledger is unavailable for good.
        falters: positions whose first submission fails, "before" or "after" it is stored.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.submitted: list[SubmittedEvent] = []
        self.receipts: dict[str, EventReceipt] = {}
        self.fails_after: int | None = None
        self.falters: dict[int, str] = {}
        self._directory = DirectoryState.empty()
        self._streams: dict[str, StreamState] = {}
        self._digests: dict[str, str] = {}
        self._tree = CompactRange()
        self._roots = [self._tree.root().hex()]
        self._nonces = 0

    async def ledger_info(self) -> LedgerInfo:
        size = len(self.submitted)
        head = Seen(root=self._roots[size], size=size) if size else None
        return LedgerInfo(origin=self.origin, head=head)

    async def known_events(self, event_ids: Sequence[str]) -> Mapping[str, str]:
        await asyncio.sleep(0)  # lets the others go first, as a network would
        return {one: self._digests[one] for one in event_ids if one in self._digests}

    async def possession_nonce(self, staff: str) -> str:
        self._nonces += 1
        return hashlib.sha256(f"{staff} {self._nonces}".encode()).hexdigest()

    async def close(self) -> None:
        pass

    async def submit(self, event: SubmittedEvent) -> EventReceipt:
        await asyncio.sleep(0)
        if self.fails_after is not None and len(self.submitted) >= self.fails_after:
            raise UnavailableError("stopped by the test", retry_after_seconds=0)
        fault = self.falters.pop(len(self.submitted), "")
        if fault == "before":
            raise UnavailableError("away for a moment", retry_after_seconds=0)
        statement = parse_statement(event.statement)
        digest = statement_digest(event.statement)
        known = self._digests.get(statement.event_id)
        if known is not None:
            if known != digest.hex():
                raise EventConflictError
            return self.receipts[statement.event_id]
        self._judge(event, statement, digest)
        receipt = self._append(event, statement, digest)
        if fault == "after":
            raise UnavailableError("the answer was lost", retry_after_seconds=0)
        return receipt

    def _judge(self, event: SubmittedEvent, statement: Statement, digest: bytes) -> None:
        event_type(statement.type)
        assert statement.ledger == self.origin
        check_salt(event.salt)
        check_content(statement.content, salt=event.salt, content=event.content)
        check_json_text(event.content)
        facts = read_facts(statement, event.content)
        if isinstance(facts, FoundingFacts):
            founder = facts.registrars[0]
            key = load_verifying_key(founder.spki, founder.alg)
        else:
            assert statement.seen is not UNSET
            assert self._roots[statement.seen.size] == statement.seen.root
            state = self._directory.keys[statement.key_id]
            key = load_verifying_key(state.spki, state.alg)
        verify_container(event.container, event.statement, key)
        names = (statement.stream, *streams_needed(statement, facts))
        context = RuleContext(
            directory=self._directory,
            streams={
                name: self._streams.setdefault(name, StreamState.empty(name)) for name in names
            },
            position=len(self.submitted),
        )
        decide(context, statement, facts)
        evolve(context, statement, facts, statement_digest=digest)

    def _append(self, event: SubmittedEvent, statement: Statement, digest: bytes) -> EventReceipt:
        stream = self._streams[statement.stream]
        previous = stream.leaf_hash or ZERO_HASH
        stream.version += 1
        salt = hashlib.sha256(digest).digest()
        entry = encode_entry(
            Entry(
                received_at_ms=_RECEIVED_MS,
                link=link_hash(salt, stream.version, previous),
                statement_digest=digest,
                container_digest=statement_digest(event.container),
            )
        )
        stream.leaf_hash = leaf_hash(entry)
        self._tree.append(stream.leaf_hash)
        self._roots.append(self._tree.root().hex())
        self.submitted.append(event)
        self._digests[statement.event_id] = digest.hex()
        receipt = EventReceipt(
            event_id=statement.event_id,
            stream=statement.stream,
            position=len(self.submitted) - 1,
            version=stream.version,
            received_at=format_time_ms(_RECEIVED_MS),
            entry=base64.b64encode(entry).decode(),
            previous=previous.hex(),
            link_salt=salt.hex(),
            leaf_hash=stream.leaf_hash.hex(),
            head=TreeHead(size=len(self.submitted), root=self._roots[-1]),
        )
        self.receipts[statement.event_id] = receipt
        return receipt
