"""The server as a process: started, killed, stopped, refused, as operators will."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import httpx2
import psutil
import pytest

from api.event_json import submission_json
from api.http_client import HttpLedgerClient
from ledger.clock import SystemClock
from ledger.errors import EventConflictError, SubmissionRejectedError, UnavailableError
from projections.tracking import install_views
from signing.statement import Seen
from signing.tokens import issue_token
from tests.builders_rules import ORIGIN
from tests.live import LiveHospital

_REPOSITORY = Path(__file__).parent.parent.parent
_SERVE = """
import os, sys
from api.serve import serve
from api.settings import read_settings
sys.exit(serve(read_settings(os.environ), host="127.0.0.1", port=0, workers=int(sys.argv[1])))
"""


def _start(hospital: LiveHospital, workers: int = 1) -> subprocess.Popen[bytes]:
    live = hospital.live
    variables = {
        "CLINLEDGER_HOME": str(live.home),
        "CLINLEDGER_DATABASE_URL": live.database.url,
        "CLINLEDGER_SCHEMA": live.database.schema,
    }
    return subprocess.Popen(  # noqa: S603 - our own interpreter and constants
        [sys.executable, "-c", _SERVE, str(workers)],
        cwd=_REPOSITORY,
        env={**os.environ, **variables},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within 30 seconds: {what}")
        time.sleep(0.02)


class Server:
    """A server process on a hospital's ledger."""

    def __init__(self, hospital: LiveHospital, *, workers: int = 1) -> None:
        self.hospital = hospital
        self.file = hospital.live.home / "server.json"
        self.process = _start(hospital, workers)
        wait(self._is_up, "the server listens")
        self.url = str(json.loads(self.file.read_bytes())["url"])

    def _is_up(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail(f"the server ended: {self.process.communicate()[1].decode()}")
        return self.file.exists()

    def children(self) -> list[psutil.Process]:
        """Return the processes that the server has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def token(self) -> str:
        """Return a doctor's token."""
        doctor = self.hospital.doctor
        key = self.hospital.key_of(doctor)
        now = int(time.time())
        return issue_token(key, staff=doctor, audience=ORIGIN, now_seconds=now)

    def head(self) -> Seen:
        """Return the head that the server tells."""
        with self.http() as http:
            head = http.get("/v1/ledger").json()["head"]
        return Seen(root=head["root"], size=head["size"])

    def http(self) -> httpx2.Client:
        """Return an HTTP client that speaks as the doctor."""
        headers = {"authorization": f"Bearer {self.token()}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=30)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal, wait for the end, and return exit code and log."""
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=30)
        return self.process.returncode, log.decode()


@pytest.fixture
def server(hospital: LiveHospital) -> Generator[Server]:
    """A running server, the only sequencer of its ledger."""
    live = hospital.live
    with live.database.connect("owner") as connection:
        install_views(connection, live.database)
    live.stop()
    server = Server(hospital)
    yield server
    if server.process.poll() is None:
        server.end(signal.SIGKILL)
    with contextlib.suppress(ValueError):
        server.process.communicate(timeout=30)
    live.start()


def test_a_server_appends_projects_and_stops_cleanly(server: Server) -> None:
    """From POST to the view of the record, then SIGTERM: exit 0 and nothing left behind."""
    hospital = server.hospital
    event = hospital.signed("note-written.v1", hospital.note(), seen=server.head())
    with server.http() as http:
        receipt = http.post("/v1/events", json=submission_json(event)).json()
        record = http.get(
            f"/v1/records/{hospital.record}", params={"min_position": receipt["position"]}
        )
        assert http.get("/readyz").status_code == 200
    assert record.status_code == 200
    assert record.json()["position"] == receipt["position"]
    children = server.children()
    assert len(children) == 1  # the projector
    code, log = server.end()
    assert code == 0
    assert not server.file.exists()
    assert not any(child.is_running() for child in children)
    lines = [json.loads(line) for line in log.splitlines()]
    assert lines[-1]["event"] == "stopped"
    assert hospital.record not in log
    assert hospital.patient not in log


def test_a_killed_server_leaves_no_projector_and_another_takes_over(server: Server) -> None:
    """Promise 3: kill -9 leaves nothing half-done, neither data nor processes nor locks."""
    hospital = server.hospital
    event = hospital.signed("note-written.v1", hospital.note(), seen=server.head())
    with server.http() as http:
        first = http.post("/v1/events", json=submission_json(event))
    children = server.children()
    server.end(signal.SIGKILL)
    wait(lambda: not any(child.is_running() for child in children), "the projector ends")
    server.file.unlink()
    after = Server(hospital)
    with after.http() as http:
        again = http.post("/v1/events", json=submission_json(event))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert after.end()[0] == 0


def test_a_projector_that_dies_is_started_again(server: Server) -> None:
    """The supervisor keeps the views alive."""
    first = server.children()[0]
    first.kill()
    wait(lambda: any(child.pid != first.pid for child in server.children()), "another projector")
    assert server.end()[0] == 0


def test_a_second_server_is_refused_and_told_where_the_first_runs(server: Server) -> None:
    """One sequencer per ledger: exit 2, naming the one that runs."""
    second = _start(server.hospital)
    _, log = second.communicate(timeout=60)
    assert second.returncode == 2
    assert server.url in log.decode()
    assert server.file.exists()


def test_the_http_client_speaks_to_a_server_as_the_local_one_does(server: Server) -> None:
    """The LedgerClient protocol over HTTP: receipts, retries, refusals, nonces."""
    hospital = server.hospital

    async def talk() -> None:
        client = await HttpLedgerClient.connect(
            server.url,
            staff=hospital.doctor,
            key=hospital.key_of(hospital.doctor),
            clock=SystemClock(),
        )
        try:
            seen = (await client.ledger_info()).head
            event = hospital.signed("note-written.v1", hospital.note(), seen=seen)
            receipt = await client.submit(event)
            assert await client.submit(event) == receipt
            known = await client.known_events([receipt.event_id, hospital.record])
            assert list(known) == [receipt.event_id]
            other = hospital.signed("note-written.v1", hospital.note(form="37/BV2"), seen=seen)
            with pytest.raises(EventConflictError):
                await client.submit(other)
            late = hospital.signed("order-cancelled.v1", b"{}", seen=seen)
            with pytest.raises(SubmissionRejectedError) as refused:
                await client.submit(late)
            assert refused.value.code == "reference-missing"
            assert await client.possession_nonce(hospital.doctor)
        finally:
            await client.close()

    asyncio.run(talk())


def test_the_http_client_says_unavailable_when_nobody_answers(server: Server) -> None:
    """Whoever submits can wait and ask again."""
    hospital = server.hospital
    server.end()

    async def talk() -> None:
        await HttpLedgerClient.connect(
            server.url,
            staff=hospital.doctor,
            key=hospital.key_of(hospital.doctor),
            clock=SystemClock(),
        )

    with pytest.raises(UnavailableError):
        asyncio.run(talk())
