"""A sequencer behind a socket: same answers, and no loss or duplicate when it dies."""

import asyncio
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from ledger.admission import Admission
from ledger.errors import CommandRefusedError, EventConflictError, UnavailableError
from ledger.founding import facility_key_path
from ledger.keyring import Keyring, load_facility_key
from ledger.remote_sequencer import RemoteSequencer
from ledger.rows import Outcome
from ledger.sequencer_service import SequencerService
from tests.builders_resources import encoded
from tests.builders_rules import REGISTRAR
from tests.live import LiveHospital


class Workers:
    """A sequencer's service and workers connected to it, in the ledger's own event loop."""

    def __init__(self, hospital: LiveHospital, folder: Path) -> None:
        self.hospital = hospital
        self.live = hospital.live
        self.path = folder / "sequencer.sock"
        self.remotes: list[RemoteSequencer] = []
        self.service: SequencerService
        self.listen()

    def listen(self) -> None:
        self.service = SequencerService(self.live.sequencer)
        self.live.run(self.service.listen(self.path))

    def connect(self) -> Admission:
        keyring = Keyring(
            load_facility_key(facility_key_path(self.live.home)), self.live.keyring.origin
        )
        remote: RemoteSequencer = self.live.run(
            RemoteSequencer.connect(self.path, self.live.database, keyring)
        )
        self.remotes.append(remote)
        return Admission(remote)

    def replace_sequencer(self) -> None:
        """Let the sequencer die and another take its place."""
        self.live.run(self.service.close())
        self.live.stop()
        self.live.start()
        self.listen()

    def close(self) -> None:
        for remote in self.remotes:
            self.live.run(remote.close())
        self.live.run(self.service.close())


@pytest.fixture
def workers(hospital: LiveHospital) -> Generator[Workers]:
    with tempfile.TemporaryDirectory(prefix="clinledger-") as folder:
        found = Workers(hospital, Path(folder))
        yield found
        found.close()


def test_a_worker_gets_the_same_answers_as_the_sequencer_gives(workers: Workers) -> None:
    hospital, admission = workers.hospital, workers.connect()
    event = hospital.signed("note-written.v1", hospital.note())
    first = workers.live.run(admission.submit(event))
    again = workers.live.submit(event)
    assert first.created
    assert (again.created, again.receipt) == (False, first.receipt)
    with pytest.raises(EventConflictError):
        workers.live.run(admission.submit(hospital.signed("note-written.v1", hospital.note())))
    content = hospital.note("b", author=hospital.technician)
    stranger = hospital.signed("note-written.v1", content, signer=hospital.technician)
    with pytest.raises(CommandRefusedError) as refused:
        workers.live.run(admission.submit(stranger))
    assert refused.value.code == "role-not-valid"
    assert workers.remotes[0].head == workers.live.sequencer.head


def test_the_socket_is_for_this_account_only(workers: Workers) -> None:
    assert workers.path.stat().st_mode & 0o077 == 0


def test_a_revocation_is_known_to_every_worker_once_it_is_acknowledged(workers: Workers) -> None:
    hospital = workers.hospital
    one, _ = workers.connect(), workers.connect()
    key_id = hospital.key_of(hospital.doctor).key_id
    revocation = hospital.signed(
        "key-revoked.v1",
        encoded({"key_id": key_id, "reason": "lost"}),
        stream=hospital.doctor,
        signer=REGISTRAR,
    )
    note = hospital.signed("note-written.v1", hospital.note())
    assert workers.live.run(one.submit(revocation)).created
    key = workers.remotes[0].directory.key_for(key_id)
    assert key is not None
    assert key.revoked_at_position is not None
    with pytest.raises(CommandRefusedError):
        workers.live.run(one.submit(note))


def test_a_replaced_sequencer_loses_and_doubles_nothing(workers: Workers) -> None:
    """Clients of a worker see "try again", and a retry finds what had been appended."""
    hospital, live, admission = workers.hospital, workers.live, workers.connect()
    events = [hospital.signed("note-written.v1", hospital.note(f"n {n}")) for n in range(200)]
    size = live.sequencer.head.size

    async def submit_all() -> list[Outcome | BaseException]:
        return await asyncio.gather(*(admission.submit(e) for e in events), return_exceptions=True)

    pending = asyncio.run_coroutine_threadsafe(submit_all(), live.loop)
    workers.replace_sequencer()
    answers = pending.result(timeout=60)
    assert all(isinstance(a, Outcome | UnavailableError) for a in answers), answers[:3]
    receipts = dict[str, int]()
    for event, answer in zip(events, answers, strict=True):
        outcome = answer if isinstance(answer, Outcome) else None
        while outcome is None:
            try:
                outcome = live.run(admission.submit(event))
            except UnavailableError:
                continue
        receipts[outcome.receipt.event_id] = outcome.receipt.position
    assert len(set(receipts.values())) == len(events)
    assert live.sequencer.head.size == size + len(events)
