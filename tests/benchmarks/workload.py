"""Make the load beforehand: a simulated hospital's events, really signed, many patients at once.

Everything is ES256 and names one head, so that making it costs little and checking it is what
production would do. Processes sign; nothing of it is measured.
"""

import functools
import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from api.event_json import submission_json
from api.keystore import KeyStore
from api.simulate.chart import PlannedEvent
from api.simulate.plan import plan_patient
from api.simulate.staff import STAFF_BY_KEY, doctors_of
from ledger.catalogue import event_type
from ledger.draft import Draft, sign_event
from ledger.examination import SignedEvent, read_content
from ledger.facts import AnyFacts
from ledger.ids import derived_id
from ledger.submitted import SubmittedEvent
from signing.keys import SoftKey
from signing.statement import Ref, Seen, parse_statement, statement_digest
from tests import contents

ORIGIN: Final = "bvdk.quangninh.example/ledger"
SEED: Final = 7
CORES: Final = os.cpu_count() or 1
_CHUNK: Final = 8
_AHEAD: Final = 4
T = TypeVar("T")

Chain = tuple[SubmittedEvent, ...]
"""One patient's events in the order in which they must be appended."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """An event as admission found it, with its frame, which is still to be sealed."""

    statement: bytes
    facts: AnyFacts
    statement_digest: bytes
    container_digest: bytes
    salt: bytes
    frame: bytes


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What signing needs, small enough to be sent to processes."""

    keys: str
    seen_root: str
    seen_size: int
    now_ms: int


_keys: dict[tuple[str, str], SoftKey] = {}


def signed_chain(recipe: Recipe, number: int, *, most: int | None = None) -> Chain:
    """Plan one patient and sign all of their events, or so many of the first."""
    digests: dict[str, str] = {}
    plan = plan_patient(ORIGIN, seed=SEED, number=number)
    return tuple(_signed(recipe, event, digests) for event in plan.events[:most])


def _signed(recipe: Recipe, event: PlannedEvent, digests: dict[str, str]) -> SubmittedEvent:
    staff = STAFF_BY_KEY[event.signer].staff_id(ORIGIN)
    draft = Draft(
        stream=event.stream,
        stream_kind=event.stream_kind,
        event_id=event.event_id,
        type=event.type,
        occurred_at_ms=event.occurred_at_ms,
        media_type=event.media_type,
        content=event.content,
        refs=tuple(
            Ref(event_id=target, relation=relation, statement=digests[target])
            for relation, target in event.refs
        ),
    )
    done = _sign(recipe, draft, staff)
    digests[event.event_id] = statement_digest(done.statement).hex()
    return done


def _sign(recipe: Recipe, draft: Draft, staff: str) -> SubmittedEvent:
    return sign_event(
        draft,
        key_of(recipe.keys, staff),
        origin=ORIGIN,
        signer_staff=staff,
        seen=Seen(root=recipe.seen_root, size=recipe.seen_size),
        salt=os.urandom(32),
        signed_at_ms=recipe.now_ms,
    )


def long_chain(recipe: Recipe, number: int, *, entries: int) -> Chain:
    """Sign a patient with a record of so many entries: its opening, then notes."""
    chain = signed_chain(recipe, number)
    upto = next(n for n, e in enumerate(chain) if b'"record-opened.v1"' in e.statement)
    opening = parse_statement(chain[upto].statement)
    patient = parse_statement(chain[0].statement).stream
    ward = contents.Ward(record=opening.stream, patient=patient)
    doctor = STAFF_BY_KEY[doctors_of("internal")[0]].staff_id(ORIGIN)
    notes = [
        _sign(recipe, _note(ward, doctor, number=n, at_ms=recipe.now_ms), doctor)
        for n in range(1, entries)
    ]
    return (*chain[: upto + 1], *notes)


def _note(ward: contents.Ward, doctor: str, *, number: int, at_ms: int) -> Draft:
    event_id = derived_id(ward.record, f"note {number}")
    text = " ".join(["Người bệnh tỉnh, tiếp xúc tốt, ăn uống được."] * 12)
    return Draft(
        stream=ward.record,
        stream_kind="record",
        event_id=event_id,
        type="note-written.v1",
        occurred_at_ms=at_ms,
        media_type="application/fhir+json",
        content=contents.encode(ward.note(event_id, doctor, at_ms, text=text)),
    )


def key_of(folder: str, staff: str) -> SoftKey:
    """Return a member's key, read once in each process."""
    key = _keys.get((folder, staff))
    if key is None:
        found = KeyStore(Path(folder)).load(staff)
        assert found is not None, "everybody of the simulated staff has a key"
        key = _keys[folder, staff] = found
    return key


class Patients:
    """An endless supply of signed patients, each given once."""

    def __init__(self, recipe: Recipe, *, first: int = 1) -> None:
        self._recipe = recipe
        self._next = first
        # Spawned, not forked: this process has threads and connections.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(CORES, mp_context=context)

    def chains(self, events: int, *, at_least: int = 1) -> list[Sequence[SubmittedEvent]]:
        """Return patients with so many events together or a little more."""
        return self._patients(signed_chain, events, at_least=at_least)

    def admitted(
        self, events: int, *, at_least: int = 1, most: int | None = None
    ) -> list[Sequence[bytes]]:
        """Return as `chains`, but each event as admission in another process hands it over.

        Of each patient the first `most` events are enough.

        That is a `Prepared` in msgpack, which passes between processes quickly.
        """
        make = functools.partial(admitted_chain, most=most)
        return self._patients(make, events, at_least=at_least)

    def lines(self, events: int) -> Iterator[tuple[bytes, int]]:
        """Yield lines for `clinledger import`, with how many, until there are that many or more.

        A few chunks ahead are being signed while one is used.
        """
        given = 0
        ahead: deque[Future[tuple[bytes, int]]] = deque()
        while given < events:
            while len(ahead) < _AHEAD * CORES:
                task = (_lines_of, self._recipe, self._numbers(_CHUNK))
                ahead.append(self._pool.submit(*task))
            data, count = ahead.popleft().result()
            given += count
            yield data, count
        for left in ahead:
            left.cancel()

    def with_long_record(self, entries: int) -> Chain:
        """Return one patient whose record has so many entries."""
        return long_chain(self._recipe, self._numbers(1)[0], entries=entries)

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)

    def _patients(
        self, make: Callable[[Recipe, int], Sequence[T]], events: int, *, at_least: int
    ) -> list[Sequence[T]]:
        found: list[Sequence[T]] = []
        count = 0
        while count < events or len(found) < at_least:
            # A patient has about 60 events.
            wanted = max((events - count) // 60 + 1, at_least - len(found), 2 * _CHUNK)
            chunks = [self._numbers(_CHUNK) for _ in range(0, wanted, _CHUNK)]
            tasks = [self._pool.submit(_many, make, self._recipe, chunk) for chunk in chunks]
            for task in tasks:
                made = task.result()
                found.extend(made)
                count += sum(map(len, made))
        return found

    def _numbers(self, count: int) -> range:
        first, self._next = self._next, self._next + count
        return range(first, self._next)


def _many(
    make: Callable[[Recipe, int], Sequence[T]], recipe: Recipe, numbers: Sequence[int]
) -> list[Sequence[T]]:
    return [make(recipe, number) for number in numbers]


def _lines_of(recipe: Recipe, numbers: Sequence[int]) -> tuple[bytes, int]:
    events = [event for number in numbers for event in signed_chain(recipe, number)]
    lines = [msgspec.json.encode(submission_json(event)) + b"\n" for event in events]
    return b"".join(lines), len(lines)


def deal(chains: Sequence[Sequence[T]], *, callers: int, events: int) -> list[list[T]]:
    """Share patients among callers: about the same number of events each, patients in order.

    Each caller takes whole patients one after the other; its last one may stay unfinished.
    """
    share = max(1, events // callers)
    supply = iter(chains)
    return [_take(supply, share) for _ in range(callers)]


def _take(supply: Iterator[Sequence[T]], share: int) -> list[T]:
    taken: list[T] = []
    while len(taken) < share:
        chain = next(supply, None)
        if chain is None:
            break
        taken.extend(chain[: share - len(taken)])
    return taken


def admitted_chain(recipe: Recipe, number: int, *, most: int | None = None) -> list[bytes]:
    """Sign one patient and judge them as admission does, but for key and signature."""
    return [encode_prepared(event) for event in signed_chain(recipe, number, most=most)]


def encode_prepared(event: SubmittedEvent) -> bytes:
    """Return what admission found of an event, with its frame in place of the sealed body."""
    signed = as_signed(event)
    prepared = Prepared(
        statement=event.statement,
        facts=read_content(signed),
        statement_digest=signed.digest,
        container_digest=statement_digest(event.container),
        salt=event.salt,
        frame=signed.frame(),
    )
    return msgspec.msgpack.encode(prepared)


def as_signed(event: SubmittedEvent) -> SignedEvent:
    """Return an event as `check_signed` does, whose signature we have just made ourselves."""
    statement = parse_statement(event.statement)
    return SignedEvent(
        event=event,
        statement=statement,
        kind=event_type(statement.type),
        digest=statement_digest(event.statement),
    )


def recipe_for(keys: Path, seen: Seen) -> Recipe:
    """Return how to sign now, on top of this head."""
    now_ms = int(time.time() * 1000)
    return Recipe(keys=str(keys), seen_root=seen.root, seen_size=seen.size, now_ms=now_ms)
