"""A server with several workers and a sequencer process: it survives the death of each of them."""

import contextlib
import signal
import time
from collections.abc import Generator

import httpx2
import psutil
import pytest

from api.event_json import submission_json
from ledger.database import Database  # noqa: TC001 - one line is clearer than a block
from ledger.submitted import SubmittedEvent
from ledger.verify import verify_ledger
from projections.tracking import install_views
from tests.http.test_serve import Server
from tests.live import LiveHospital

_PATIENCE_SECONDS = 30


@pytest.fixture
def server(hospital: LiveHospital) -> Generator[Server]:
    """Two workers on a ledger whose sequencer is theirs."""
    live = hospital.live
    with live.database.connect("owner") as connection:
        install_views(connection, live.database)
    live.stop()
    found = Server(hospital, workers=2)
    yield found
    if found.process.poll() is None:
        found.end(signal.SIGTERM)
    with contextlib.suppress(ValueError):
        found.process.communicate(timeout=30)
    live.start()


def children(server: Server, module: str) -> list[psutil.Process]:
    return [child for child in server.children() if module in " ".join(child.cmdline())]


def sequencer(server: Server) -> psutil.Process:
    """Return the candidate that was elected: the one that holds connections as the writer."""
    database: Database = server.hospital.live.database
    candidates = children(server, "api.sequencing")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for candidate in candidates:
            if any(
                c.laddr for c in candidate.net_connections("unix") if "sequencer.sock" in c.laddr
            ):
                return candidate
        time.sleep(0.05)
    raise AssertionError(database)


def append(server: Server, event: SubmittedEvent) -> tuple[httpx2.Response, float]:
    """Post an event until it is acknowledged, as clients do; return the answer and how long."""
    started = time.monotonic()
    while time.monotonic() < started + _PATIENCE_SECONDS:
        with contextlib.suppress(httpx2.TransportError), server.http() as http:
            answer = http.post("/v1/events", json=submission_json(event))
            if answer.status_code in {200, 201}:
                return answer, time.monotonic() - started
            assert answer.status_code == 503, answer.text
        time.sleep(0.02)
    raise AssertionError("not acknowledged in time")


def test_workers_append_through_one_sequencer(server: Server) -> None:
    hospital = server.hospital
    seen = server.head()
    events = [
        hospital.signed("note-written.v1", hospital.note(f"n {n}"), seen=seen) for n in range(40)
    ]
    positions = [append(server, event)[0].json()["position"] for event in events]
    assert len(set(positions)) == len(events)
    assert len(children(server, "api.working")) == 2
    assert len(children(server, "api.sequencing")) == 2
    code, _ = server.end()
    assert code == 0
    assert not server.file.exists()
    report = verify_ledger(hospital.live.database, keyring=hospital.live.keyring)
    assert report.ok


def test_a_dead_sequencer_is_replaced_and_nothing_is_lost_or_doubled(server: Server) -> None:
    hospital = server.hospital
    seen = server.head()
    events = [
        hospital.signed("note-written.v1", hospital.note(f"n {n}"), seen=seen) for n in range(30)
    ]
    first = append(server, events[0])[0].json()
    sequencer(server).send_signal(signal.SIGKILL)
    waits = [append(server, event)[1] for event in events[1:]]
    assert append(server, events[0])[0].json() == first
    assert max(waits) < _PATIENCE_SECONDS
    with server.http() as http:
        size = http.get("/v1/ledger").json()["head"]["size"]
    assert size == seen.size + len(events)
    report = verify_ledger(hospital.live.database, keyring=hospital.live.keyring)
    assert report.ok


def test_a_dead_worker_is_started_again_while_the_other_serves(server: Server) -> None:
    hospital = server.hospital
    seen = server.head()
    victim = children(server, "api.working")[0]
    victim.kill()
    event = hospital.signed("note-written.v1", hospital.note(), seen=seen)
    assert append(server, event)[0].status_code in {200, 201}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while len(children(server, "api.working")) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_killing_the_server_takes_all_its_children_along(server: Server) -> None:
    family = server.children()
    assert len(family) >= 5
    server.end(signal.SIGKILL)
    psutil.wait_procs(family, timeout=_PATIENCE_SECONDS)
    assert not any(child.is_running() for child in family)
    server.file.unlink()
