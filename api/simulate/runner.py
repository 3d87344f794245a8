"""Run a simulation against a ledger: many patients at once, each one's events in order."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from api.client import LedgerClient
from api.keystore import KeyStore
from api.schemas import EventReceipt
from api.simulate.acks import AckFile
from api.simulate.chart import PlannedEvent
from api.simulate.enrolment import Staffing, enrol_hospital
from api.simulate.plan import plan_patient
from api.simulate.submitter import PATIENCE_SECONDS, Author, Means, Submitter
from ledger.clock import Clock
from ledger.draft import Draft
from signing.statement import Ref


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """What to simulate.

    Attributes:
        seed: which hospital days; another seed adds other patients.
        patients: how many; more of the same seed add to the fewer.
        concurrency: patients that are written at the same time.
    """

    seed: int
    patients: int
    concurrency: int = 32


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulation uses of the machine it runs on.

    Attributes:
        keys: where the staff's keys are kept.
        randomness: returns so many fresh random bytes; contents never depend on it.
        acks: file to which acknowledgements are appended, or None.
        registrar: who enrols staff in a ledger that others founded.
        on_progress: told after every patient how many are done, and of how many.
        patience_seconds: for how long a ledger that does not answer is asked again.
    """

    keys: KeyStore
    clock: Clock
    randomness: Callable[[int], bytes]
    acks: Path | None = None
    registrar: Author | None = None
    on_progress: Callable[[int, int], None] = lambda _done, _of: None
    patience_seconds: float = PATIENCE_SECONDS


class SimulationReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did.

    Attributes:
        admissions, events: of all patients, planned.
        submitted: events that this run added, staff and founding included.
        already_there: planned events that were stored before.
        types: what was submitted, by type.
        size: of the ledger afterwards.
    """

    origin: str
    seed: int
    patients: int
    admissions: int
    events: int
    submitted: int
    already_there: int
    types: dict[str, int]
    seconds: float
    events_per_second: float
    size: int


async def run_simulation(
    client: LedgerClient, simulation: Simulation, surroundings: Surroundings
) -> SimulationReport:
    """Add to the ledger what the simulation's plan has and the ledger lacks.

    Interrupted at any instant, the next run of the same seed completes it and adds nothing twice.

    Raises:
        EnvironmentRefusedError: keys or the acknowledgement file cannot be used.
        RejectedError: the ledger refuses an event.
        UnavailableError: the ledger did not answer for too long.
    """
    acks = None if surroundings.acks is None else AckFile(surroundings.acks)
    try:
        return await _Run(simulation, surroundings, acks).run(client)
    finally:
        if acks is not None:
            acks.close()


class _Run:
    def __init__(
        self, simulation: Simulation, surroundings: Surroundings, acks: AckFile | None
    ) -> None:
        self._simulation = simulation
        self._surroundings = surroundings
        self._acks = acks
        self._done = self._admissions = self._events = self._already = 0

    async def run(self, client: LedgerClient) -> SimulationReport:
        started = time.perf_counter()
        surroundings = self._surroundings
        means = Means(
            clock=surroundings.clock,
            randomness=surroundings.randomness,
            acknowledged=self._acknowledged,
            patience_seconds=surroundings.patience_seconds,
        )
        origin = (await client.ledger_info()).origin
        submitter = Submitter(client, origin, means)
        staffing = Staffing(
            client=client,
            origin=origin,
            keys=surroundings.keys,
            means=means,
            registrar=surroundings.registrar,
        )
        authors = await enrol_hospital(staffing, submitter)
        await self._patients(_Writer(submitter, origin, authors))
        seconds = time.perf_counter() - started
        head = (await client.ledger_info()).head
        submitted = submitter.submitted.total()
        return SimulationReport(
            origin=origin,
            seed=self._simulation.seed,
            patients=self._simulation.patients,
            admissions=self._admissions,
            events=self._events,
            submitted=submitted,
            already_there=self._already,
            types=dict(sorted(submitter.submitted.items())),
            seconds=round(seconds, 3),
            events_per_second=round(submitted / seconds, 1),
            size=0 if head is None else head.size,
        )

    async def _patients(self, writer: "_Writer") -> None:
        numbers = iter(range(1, self._simulation.patients + 1))
        count = min(self._simulation.concurrency, self._simulation.patients)
        workers = [
            asyncio.create_task(self._work(writer, numbers)) for _ in itertools.repeat(None, count)
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, writer: "_Writer", numbers: Iterator[int]) -> None:
        for number in numbers:
            plan = plan_patient(writer.origin, seed=self._simulation.seed, number=number)
            already = await writer.write(plan.events)
            self._already += already
            self._admissions += len(plan.admissions)
            self._events += len(plan.events)
            self._done += 1
            self._surroundings.on_progress(self._done, self._simulation.patients)

    def _acknowledged(self, receipt: EventReceipt) -> None:
        if self._acks is not None:
            self._acks.write(receipt)


class _Writer:
    """Writes one patient's events, in order."""

    def __init__(self, submitter: Submitter, origin: str, authors: Mapping[str, Author]) -> None:
        self.origin = origin
        self._submitter = submitter
        self._authors = authors

    async def write(self, events: tuple[PlannedEvent, ...]) -> int:
        """Submit those that are not stored; return how many were."""
        # Every run submits them in order: without the first there is none.
        known = await self._submitter.known((events[0].event_id,))
        if known:
            known = await self._submitter.known([event.event_id for event in events])
        digests = dict(known)
        for event in events:
            if event.event_id not in digests:
                draft = _draft(event, digests)
                author = self._authors[event.signer]
                digests[event.event_id] = await self._submitter.submit(draft, author)
        return len(known)


def _draft(event: PlannedEvent, digests: Mapping[str, str]) -> Draft:
    return Draft(
        stream=event.stream,
        stream_kind=event.stream_kind,
        event_id=event.event_id,
        type=event.type,
        occurred_at_ms=event.occurred_at_ms,
        media_type=event.media_type,
        content=event.content,
        refs=tuple(
            Ref(event_id=event_id, relation=relation, statement=digests[event_id])
            for relation, event_id in event.refs
        ),
    )
