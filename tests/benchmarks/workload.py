"""Make the load beforehand: a simulated hospital's events, really signed, many patients at once.

Everything is ES256 and names one head, so that making it costs little and checking it is what
production would do. Processes sign; nothing of it is measured.
"""

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from api.keystore import KeyStore
from api.simulate.chart import PlannedEvent
from api.simulate.plan import plan_patient
from api.simulate.staff import STAFF_BY_KEY, doctors_of
from ledger.draft import Draft, sign_event
from ledger.facts import read_facts
from ledger.ids import derived_id
from ledger.keyring import Keyring
from ledger.sealing import NONCE_BYTES, Frame, associated_data, encode_frame, seal
from ledger.submission import Submission
from ledger.submitted import SubmittedEvent
from signing.keys import SoftKey
from signing.statement import Ref, Seen, parse_statement, statement_digest
from tests import contents

ORIGIN: Final = "bvdk.quangninh.example/ledger"
SEED: Final = 7
CORES: Final = os.cpu_count() or 1
_CHUNK: Final = 8

Chain = tuple[SubmittedEvent, ...]
"""One patient's events in the order in which they must be appended."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What signing needs, small enough to be sent to processes."""

    keys: str
    seen_root: str
    seen_size: int
    now_ms: int


_keys: dict[tuple[str, str], SoftKey] = {}


def signed_chain(recipe: Recipe, number: int) -> Chain:
    """Plan one patient and sign all of their events."""
    digests: dict[str, str] = {}
    plan = plan_patient(ORIGIN, seed=SEED, number=number)
    return tuple(_signed(recipe, event, digests) for event in plan.events)


def _signed_chains(recipe: Recipe, numbers: Sequence[int]) -> list[Chain]:
    return [signed_chain(recipe, number) for number in numbers]


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

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._next = 1
        # Spawned, not forked: this process has threads and connections.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(CORES, mp_context=context)

    def chains(self, events: int, *, at_least: int = 1) -> list[Chain]:
        """Return patients with so many events together or a little more."""
        found: list[Chain] = []
        count = 0
        while count < events or len(found) < at_least:
            # A patient has about 50 events.
            wanted = max((events - count) // 50 + 1, at_least - len(found), 2 * _CHUNK)
            for chains in self._pool.map(_signed_chains, *self._tasks(wanted)):
                found.extend(chains)
                count += sum(map(len, chains))
        return found

    def with_long_record(self, entries: int) -> Chain:
        """Return one patient whose record has so many entries."""
        number, self._next = self._next, self._next + 1
        return long_chain(self._recipe, number, entries=entries)

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown()

    def _tasks(self, patients: int) -> tuple[list[Recipe], list[range]]:
        first, self._next = self._next, self._next + patients
        ranges = [
            range(at, min(at + _CHUNK, self._next)) for at in range(first, self._next, _CHUNK)
        ]
        return [self._recipe] * len(ranges), ranges


def deal(chains: Sequence[Chain], *, callers: int, events: int) -> list[list[SubmittedEvent]]:
    """Share patients among callers: about the same number of events each, patients in order.

    Each caller takes whole patients one after the other; its last one may stay unfinished.
    """
    share = max(1, events // callers)
    supply = iter(chains)
    return [_take(supply, share) for _ in range(callers)]


def _take(supply: Iterator[Chain], share: int) -> list[SubmittedEvent]:
    taken: list[SubmittedEvent] = []
    while len(taken) < share:
        chain = next(supply, None)
        if chain is None:
            break
        taken.extend(chain[: share - len(taken)])
    return taken


def admitted(event: SubmittedEvent, keyring: Keyring) -> Submission:
    """Return what admission hands to the sequencer; the stream's key must be known."""
    statement = parse_statement(event.statement)
    key = keyring.known(statement.stream)
    assert key is not None
    frame = Frame(
        statement=event.statement, container=event.container, salt=event.salt, content=event.content
    )
    return Submission(
        statement=statement,
        facts=read_facts(statement, event.content),
        statement_digest=statement_digest(event.statement),
        container_digest=statement_digest(event.container),
        salt=event.salt,
        body=seal(
            encode_frame(frame),
            key=key,
            nonce=os.urandom(NONCE_BYTES),
            aad=associated_data(ORIGIN, statement.stream, statement.event_id),
        ),
    )


def recipe_for(keys: Path, seen: Seen) -> Recipe:
    """Return how to sign now, on top of this head."""
    now_ms = int(time.time() * 1000)
    return Recipe(keys=str(keys), seen_root=seen.root, seen_size=seen.size, now_ms=now_ms)
