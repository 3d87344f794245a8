"""A live hospital behind a cutting proxy, and a client that keeps its receipts and retries."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from ledger.database import Database
from ledger.embedded import EmbeddedPostgres
from ledger.errors import LedgerError, UnavailableError
from ledger.migrate import migrate
from ledger.rows import Outcome, Receipt
from ledger.submitted import SubmittedEvent
from ledger.verify import Report, VerifyOptions, verify_ledger
from tests.builders_resources import an_id, patient
from tests.live import LiveHospital, LiveLedger

T = TypeVar("T")
_PATIENCE_SECONDS: Final = 60


class Client:
    """Submits until it has a receipt, as every client must, and keeps all of them."""

    def __init__(self, live: LiveLedger, database: Database, folder: Path) -> None:
        """Submit to `live`; look at the truth through `database`."""
        self.live = live
        self.database = database
        self.hospital = LiveHospital(live)
        self.acks = folder / "acks.jsonl"
        self.receipts: dict[str, Receipt] = {}
        self.retries = 0
        for event in self.hospital.events.values():
            self.submit(event)

    def new_patient(self, name: str) -> SubmittedEvent:
        """Sign an event that opens a stream: it needs a key that does not exist yet."""
        stream = an_id(name)
        draft = self.hospital.draft(
            "patient-registered.v1",
            patient(stream),
            stream=stream,
            signer=self.hospital.nurse,
            event_id=an_id(f"registration of {name}"),
        )
        return self.hospital.sign(draft)

    def note(self, name: str) -> SubmittedEvent:
        """Sign an event of a record that the sequencer knows."""
        return self.hospital.signed("note-written.v1", self.hospital.note(name))

    def start(self) -> None:
        """Start the sequencer, again and again until it runs."""
        self._insist(self.live.start)

    def submit(self, event: SubmittedEvent) -> Receipt:
        """Submit until there is a receipt, once more for good measure, and keep it."""
        first = self._insist(lambda: self.live.submit(event))
        again = self._insist(lambda: self.live.submit(event))
        assert not again.created
        assert again.receipt == first.receipt
        self.keep(first.receipt)
        return first.receipt

    def submit_all(self, events: list[SubmittedEvent]) -> None:
        """Submit all at once, and those that got no answer again, until all have receipts."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        open_ends = list(events)
        while open_ends:
            assert time.monotonic() < deadline
            answers: list[Outcome | LedgerError] = self.live.submit_together(open_ends)
            for answer in answers:
                if isinstance(answer, Outcome):
                    self.keep(answer.receipt)
                else:
                    assert isinstance(answer, UnavailableError), answer
            open_ends = [
                event
                for event, answer in zip(open_ends, answers, strict=True)
                if not isinstance(answer, Outcome)
            ]

    def keep(self, receipt: Receipt) -> None:
        """Keep a receipt; it must be the one of before, if there is one."""
        assert self.receipts.setdefault(receipt.event_id, receipt) == receipt

    def check(self) -> None:
        """Verify everything: what has a receipt is there, once, and nothing else."""
        report = self.verify()
        assert report.ok, report.findings[:5]
        assert report.size == report.entries_checked == len(self.receipts)
        assert report.anchors[0].count == len(self.receipts)

    def verify(self) -> Report:
        """Verify against all receipts."""
        lines = (msgspec.json.encode(r.as_json()) + b"\n" for r in self.receipts.values())
        self.acks.write_bytes(b"".join(lines))
        options = VerifyOptions(acks=self.acks)
        return verify_ledger(self.database, keyring=self.live.keyring, options=options)

    def _insist(self, question: Callable[[], T]) -> T:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return question()
            except UnavailableError:
                assert time.monotonic() < deadline
                self.retries += 1


@contextmanager
def client_on(server: EmbeddedPostgres, folder: Path) -> Generator[Client]:
    """Start a server and a new ledger on it, with a client."""
    database = Database(server.start(), "ledger")
    migrate(database)
    live = LiveLedger(database, folder)
    yield Client(live, database, folder)
    live.close()
