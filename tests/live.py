"""A real ledger for tests: sequencer and admission on PostgreSQL, events really signed.

`LiveLedger` runs the sequencer in an event loop of its own thread, so that tests stay synchronous.
`LiveHospital` is `builders_hospital.Hospital` whose every `add` goes through the real admission.
"""

# ruff: noqa: ANN401 - members of statements are of any type

import asyncio
import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future  # noqa: TC003 - one line is clearer than a block
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET
from typing_extensions import override

from ledger.admission import Admission
from ledger.clock import Clock, SystemClock
from ledger.content import content_digest
from ledger.database import Connection, Database
from ledger.decide import RuleContext, streams_needed
from ledger.errors import LedgerError
from ledger.evolve import evolve
from ledger.facts import read_facts
from ledger.founding import claim_schema
from ledger.reader import LedgerReader
from ledger.rows import Outcome
from ledger.sequencer import Sequencer
from ledger.submitted import SubmittedEvent
from signing.container import sign_container
from signing.keys import SoftKey
from signing.statement import ContentClaim, Seen, Statement, encode_statement, statement_digest
from tests.builders_hospital import Hospital
from tests.builders_rules import ORIGIN, Draft, Taken


class LiveLedger:
    """A sequencer and its admission, started and stopped at will."""

    def __init__(self, database: Database, home: Path, *, clock: Clock | None = None) -> None:
        self.database = database
        self.home = home
        self.clock: Clock = clock or SystemClock()
        with database.connect("owner") as connection:
            self.keyring = claim_schema(connection, database, origin=ORIGIN, home=home)
        self._connections: list[Connection] = []
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.sequencer: Sequencer
        self.admission: Admission
        self.start()

    def start(self) -> None:
        """Start a sequencer."""
        self.sequencer = self.run(
            Sequencer.start(self.database, self.keyring, clock=self.clock, where="a test")
        )
        self.admission = Admission(self.sequencer)

    def run(self, coroutine: Any) -> Any:
        """Run a coroutine in the sequencer's loop and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=60)

    def submit(self, event: SubmittedEvent) -> Outcome:
        """Submit one event and wait for the answer."""
        return self.run(self.admission.submit(event))

    def submit_together(self, events: Sequence[SubmittedEvent]) -> list[Outcome | LedgerError]:
        """Submit events at once, in this order of arrival; return outcomes and errors."""

        async def gather() -> Any:
            return await asyncio.gather(
                *(self.admission.submit(event) for event in events), return_exceptions=True
            )

        return self.run(gather())

    def start_submitting(self, event: SubmittedEvent) -> "Future[Outcome]":
        """Submit without waiting."""
        return asyncio.run_coroutine_threadsafe(self.admission.submit(event), self.loop)

    def seen(self) -> Seen:
        """Return the committed head as an author's client would state it."""
        head = self.sequencer.head
        return Seen(root=head.root.hex(), size=head.size)

    def reader(self) -> LedgerReader:
        """Return a reader over a connection of its own."""
        connection = self.database.connect("reader")
        self._connections.append(connection)
        return LedgerReader(connection, self.database, self.keyring)

    def stop(self) -> None:
        """Close the sequencer."""
        self.run(self.sequencer.close())

    def close(self) -> None:
        """Close everything."""
        self.stop()
        for connection in self._connections:
            connection.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=10)
        self.loop.close()


class LiveHospital(Hospital):
    """The hospital of the rules' tests, in a real ledger, every event signed."""

    def __init__(self, live: LiveLedger) -> None:
        self.live = live
        self.salts: dict[str, bytes] = {}
        self.events: dict[str, SubmittedEvent] = {}
        super().__init__()

    @override
    def key_of(self, staff: str) -> SoftKey:
        if staff not in self.keys:
            self.keys[staff] = SoftKey.generate("ES256")
        return self.keys[staff]

    @override
    def draft(self, tag: str, content: Mapping[str, Any] | bytes, **members: Any) -> Draft:
        """Build an event with a real digest and the present head."""
        draft = super().draft(tag, content, **members)
        salt = os.urandom(32)
        claim = ContentClaim(
            digest=content_digest(salt, draft.content).hex(),
            media_type=draft.statement.content.media_type,
            size=len(draft.content),
        )
        seen = members.get("seen", self.live.seen() if self.live.sequencer.head.size else UNSET)
        statement = msgspec.structs.replace(draft.statement, content=claim, seen=seen)
        self.salts[statement.event_id] = salt
        return Draft(statement=statement, content=draft.content)

    def sign(self, draft: Draft, *, key: SoftKey | None = None) -> SubmittedEvent:
        """Sign a draft as its signer, or with another key."""
        statement = encode_statement(draft.statement)
        return SubmittedEvent(
            statement=statement,
            container=sign_container(key or self.key_of(draft.statement.signer), statement),
            content=draft.content,
            salt=self.salts[draft.statement.event_id],
        )

    def signed(
        self, tag: str, content: Mapping[str, Any] | bytes, **members: Any
    ) -> SubmittedEvent:
        """Build and sign an event of the open record, without submitting it."""
        return self.sign(
            self.draft(tag, content, **{"stream": self.record, "signer": self.doctor, **members})
        )

    @override
    def take(self, draft: Draft) -> Taken:
        """Submit for real; keep the world's own state in step."""
        event = self.sign(draft)
        self.live.submit(event)
        self.events[draft.statement.event_id] = event
        return self._follow(draft.statement, draft.content)

    def _follow(self, statement: Statement, content: bytes) -> Taken:
        facts = read_facts(statement, content)
        names = (statement.stream, *streams_needed(statement, facts))
        context = RuleContext(
            directory=self.directory,
            streams={name: self.stream(name) for name in names},
            position=self.position,
        )
        digest = statement_digest(encode_statement(statement))
        evolve(context, statement, facts, statement_digest=digest)
        self.stream(statement.stream).version += 1
        self.position += 1
        return Taken(statement=statement, digest=digest.hex(), facts=facts)


class FrozenClock:
    """A clock that tests set by hand."""

    def __init__(self, now_ms: int | None = None) -> None:
        self.time_ms = int(time.time() * 1000) if now_ms is None else now_ms

    def now_ms(self) -> int:
        """Return the time that was set."""
        return self.time_ms
