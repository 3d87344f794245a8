"""Measure durable signed POSTs: one event each over many connections, and batches of a hundred."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from api.event_json import submission_json
from api.simulate.staff import STAFF_BY_KEY
from ledger.examination import read_content
from ledger.submitted import SubmittedEvent
from signing.tokens import issue_token
from tests.benchmarks.figures import Figures, say
from tests.benchmarks.load import Load, get, post, run_load
from tests.benchmarks.site import REPOSITORY, Ground, Site
from tests.benchmarks.workload import ORIGIN, as_signed, deal, key_of

CONNECTIONS: Final = 64
BATCH: Final = 100
_BATCH_CONNECTIONS: Final = 4
_START_SECONDS: Final = 120
_LOOK_SECONDS: Final = 0.5
_LOOKS_ALIKE: Final = 3
_WARMING: Final = 10


def token(site: Site) -> str:
    """Return a token of the hospital's information system, which carries everybody's events."""
    staff = STAFF_BY_KEY["his"].staff_id(ORIGIN)
    key = key_of(str(site.main.keys), staff)
    return issue_token(key, staff=staff, audience=ORIGIN, now_seconds=int(time.time()))


@contextlib.contextmanager
def serving(site: Site, what: str) -> Generator[str]:
    """Run a server of `ledger` or `echo`; yield its socket's path."""
    path = site.home / f"{what}.sock"
    path.unlink(missing_ok=True)
    with _started(site.main, what, ["tests.benchmarks.http_server", what, str(path)]) as server:
        _wait_for(path, server)
        yield str(path)


@contextlib.contextmanager
def _started(
    ground: Ground, name: str, module: Sequence[str]
) -> Generator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", *module]
    log = (ground.home / f"{name}.log").open("wb")
    with (
        log,
        subprocess.Popen(  # noqa: S603 - our own modules
            command, env=ground.environment, cwd=REPOSITORY, stdout=log, stderr=log
        ) as server,
    ):
        try:
            yield server
        except BaseException:
            say(Path(log.name).read_text()[-2_000:])
            raise
        finally:
            server.terminate()
            server.wait(timeout=_START_SECONDS)


def measure_echo(site: Site, figures: Figures, pool: ProcessPoolExecutor, *, events: int) -> None:
    """Measure the same framework with nothing in it, and what the load generator costs."""
    queues = _single_queues(site, events)
    with serving(site, "echo") as path:
        load = pool.submit(run_load, path, queues).result()
    _check(load, 201)
    figures.add("bare echo, 64 connections", load.rate)
    figures.add("load generator µs per request", 1e6 * load.processor_seconds / _count(queues))


def measure_posts(site: Site, figures: Figures, pool: ProcessPoolExecutor, *, events: int) -> None:
    """Measure `POST /v1/events` with 64 connections, durable, signed, authenticated."""
    queues = _single_queues(site, events)
    with serving(site, "ledger") as path:
        load = _warm_load(pool, path, queues, status=201)
    _add(figures, "signed POST, 64 connections", load)


def measure_workers(
    site: Site, ground: Ground, figures: Figures, pool: ProcessPoolExecutor, *, events: int
) -> None:
    """Measure `clinledger serve` as it is, views and signer and all, with one worker and with two.

    Only once its views and its checkpoints have come as far as the ledger: what a start costs is
    another matter, and the larger the ledger the more.
    """
    for workers in (1, 2):
        queues = _single_queues(site, events)
        with _command(ground, ["serve", "--port", "0", "--workers", str(workers)]) as address:
            _wait_until_caught_up(address)
            load = _warm_load(pool, address, queues, status=201)
        _add(figures, f"serve --workers {workers}, signed POST", load)


def _wait_until_caught_up(address: str) -> None:
    until = time.monotonic() + _START_SECONDS
    seen = 0
    while seen < _LOOKS_ALIKE:
        assert time.monotonic() < until, "views or checkpoints do not catch up"
        time.sleep(_LOOK_SECONDS)  # first: what a former server has said is not what this one says
        with urllib.request.urlopen(f"http://{address}/readyz") as answer:
            signed = json.load(answer)["checks"].get("checkpoints") == "ok"
        with urllib.request.urlopen(f"http://{address}/metrics") as answer:
            projected = b"\nclinledger_projection_lag_events 0.0\n" in answer.read()
        seen = seen + 1 if signed and projected else 0


@contextlib.contextmanager
def _command(ground: Ground, arguments: Sequence[str]) -> Generator[str]:
    """Run the real server; yield its address."""
    found = ground.home / "server.json"
    with _started(ground, "serve", ["api.cli.main", *arguments]) as server:
        _wait_for(found, server)
        url = json.loads(found.read_text())["url"]
        yield url.partition("//")[2]


def measure_batches(
    site: Site, figures: Figures, pool: ProcessPoolExecutor, *, events: int
) -> None:
    """Measure `POST /v1/events/batch` with 100 events in each request."""
    dealt = _dealt(site, events, connections=_BATCH_CONNECTIONS)
    bearer = token(site)
    queues = [
        [post("/v1/events/batch", _batch_body(part), token=bearer) for part in _parts(queue)]
        for queue in dealt
    ]
    with serving(site, "ledger") as path:
        load = _warm_load(pool, path, queues, status=200, first=1)
    figures.add("signed batches of 100, events", sum(len(q[BATCH:]) for q in dealt) / load.seconds)
    figures.add_latencies("signed batches of 100", load.latencies)
    figures.add("signed batches of 100, load generator's share of a core, %", _share(load))


def measure_validation(site: Site, figures: Figures, *, events: int = 1_000) -> None:
    """Measure text check, FHIR validation and profile alone, on the same mix of events."""
    found = [as_signed(event) for chain in site.patients.chains(events) for event in chain]
    warm = len(found) // 2  # elements that repeat are remembered
    for signed in found[:warm]:
        read_content(signed)
    found = found[warm:]
    started = time.perf_counter()
    for signed in found:
        read_content(signed)
    figures.add("FHIR and profile, one core", len(found) / (time.perf_counter() - started))


def measure_records(
    site: Site, figures: Figures, pool: ProcessPoolExecutor, records: Sequence[str]
) -> None:
    """Measure `GET /v1/records/{id}` of current records, one after the other."""
    bearer = token(site)
    queue = [get(f"/v1/records/{record}", token=bearer) for record in records]
    with serving(site, "ledger") as path:
        load = pool.submit(run_load, path, [queue]).result()
    _check(load, 200)
    figures.add_latencies("current record over HTTP", load.latencies)


def _add(figures: Figures, name: str, load: Load) -> None:
    figures.add(name, load.rate)
    figures.add_latencies(name, load.latencies)
    figures.add(f"{name}, load generator's share of a core, %", _share(load))


def _share(load: Load) -> float:
    return 100 * load.processor_seconds / load.seconds


def _single_queues(site: Site, events: int) -> list[list[bytes]]:
    bearer = token(site)
    return [
        [post("/v1/events", msgspec.json.encode(submission_json(e)), token=bearer) for e in queue]
        for queue in _dealt(site, events, connections=CONNECTIONS)
    ]


def _dealt(site: Site, events: int, *, connections: int) -> list[list[SubmittedEvent]]:
    chains = site.patients.chains(events, at_least=connections)
    return deal(chains, callers=connections, events=events)


def _batch_body(events: Sequence[SubmittedEvent]) -> bytes:
    return msgspec.json.encode({"events": [submission_json(event) for event in events]})


def _parts(queue: Sequence[SubmittedEvent]) -> list[Sequence[SubmittedEvent]]:
    return [queue[at : at + BATCH] for at in range(0, len(queue), BATCH)]


def _count(queues: Sequence[Sequence[bytes]]) -> int:
    return sum(map(len, queues))


def _warm_load(
    pool: ProcessPoolExecutor,
    address: str,
    queues: Sequence[Sequence[bytes]],
    *,
    status: int,
    first: int = _WARMING,
) -> Load:
    """Send all requests, and tell of all but the first few of each connection.

    A server that has just started opens connections, fills caches and reads states.
    """
    for some in ([queue[:first] for queue in queues], [queue[first:] for queue in queues]):
        load = pool.submit(run_load, address, some).result()
        _check(load, status)
    return load


def _check(load: Load, status: int) -> None:
    assert set(load.statuses) == {status}, f"answers were {load.statuses}"


def _wait_for(path: Path, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while not path.exists():
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < until, "the server does not start"
        time.sleep(0.02)
