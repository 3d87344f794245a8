"""Kill processes at random instants under load; nothing acknowledged may be missing afterwards.

`CLINLEDGER_KILL_ROUNDS` sets how many times each victim is killed in the long tests (default 20).
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ledger.embedded import EmbeddedPostgres

REPOSITORY = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("CLINLEDGER_KILL_ROUNDS", "20"))
PATIENTS = 6
SEEDS = random.Random(20261122)  # noqa: S311 - instants to kill at, the same in every run


class Ledger:
    """A home of its own, commands in it, and a file of everything it ever acknowledged."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.acks = home / "acks.jsonl"
        self.server: subprocess.Popen[bytes] | None = None
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("CLINLEDGER_")
        } | {"CLINLEDGER_HOME": str(home)}
        self.run("migrate")

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command."""
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "api.cli.main", *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        """Run a command to its good end; return its JSON if it prints any."""
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors.decode()[-2000:] + output.decode()[-2000:]
        return json.loads(output) if output.startswith(b"{") else None

    def simulate(self, seed: int, *more: str) -> subprocess.Popen[bytes]:
        """Start a simulation that notes its acknowledgements."""
        patients = ("--patients", str(PATIENTS), "--seed", str(seed))
        return self.start("simulate", *patients, "--acks", str(self.acks), "--json", *more)

    def serve(self) -> str:
        """Start the server; return its URL."""
        file = self.home / "server.json"
        file.unlink(missing_ok=True)
        self.server = self.start("serve", "--port", "0")
        deadline = time.monotonic() + 60
        while not file.exists():
            assert self.server.poll() is None, (self.server.communicate()[1]).decode()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return str(json.loads(file.read_bytes())["url"])

    def acknowledged(self) -> int:
        """Count the acknowledgements so far."""
        return self.acks.read_bytes().count(b"\n") if self.acks.exists() else 0

    def check(self) -> None:
        """Verify everything, acknowledgements included."""
        report = self.run("verify", "--acks", str(self.acks), "--json")
        assert report["ok"], report["findings"][:5]
        assert report["entries_checked"] == report["size"]
        assert report["anchors"][0]["count"] == self.acknowledged() > 0

    def close(self) -> None:
        """Stop everything."""
        if self.server is not None and self.server.poll() is None:
            self.server.kill()
            self.server.communicate()
        EmbeddedPostgres(self.home).stop()


@pytest.fixture
def ledger(clinledger_home: Path) -> Generator[Ledger]:
    found = Ledger(clinledger_home)
    yield found
    found.close()


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def kill_postgres(home: Path) -> None:
    postmaster = EmbeddedPostgres(home).postmaster()
    assert postmaster is not None
    with suppress(ProcessLookupError):
        os.kill(postmaster.pid, signal.SIGKILL)


def interrupt(ledger: Ledger, seed: int, strike: Callable[[subprocess.Popen[bytes]], None]) -> None:
    """Start a simulation, let it acknowledge a little, and strike at a random instant."""
    before = ledger.acknowledged()
    simulation = ledger.simulate(seed)
    deadline = time.monotonic() + 60
    enough = before + SEEDS.randrange(5, 300)
    while ledger.acknowledged() < enough and simulation.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(SEEDS.uniform(0, 0.5))
    strike(simulation)
    with suppress(subprocess.TimeoutExpired):
        simulation.communicate(timeout=1)
    if simulation.poll() is None:
        kill(simulation)


def rounds_of_killing_the_sequencer(ledger: Ledger, rounds: int) -> None:
    for seed in range(1, rounds + 1):
        interrupt(ledger, seed, kill)
        ledger.check()
    first, second = (json.loads(ledger.simulate(1).communicate(timeout=240)[0]) for _ in range(2))
    assert first["submitted"] + first["already_there"] >= first["events"]
    assert (second["submitted"], second["already_there"]) == (0, first["events"])
    ledger.check()


def rounds_of_killing_postgres(ledger: Ledger, rounds: int) -> None:
    for seed in range(1, rounds + 1):
        interrupt(ledger, seed, lambda _simulation: kill_postgres(ledger.home))
        ledger.check()


def rounds_of_killing_the_server(ledger: Ledger, rounds: int) -> None:
    """The simulation writes through a server, which dies and is started again beneath it."""
    ledger.simulate(1).communicate(timeout=240)  # enrols the HIS that will submit
    assert ledger.acknowledged()
    for seed in range(2, rounds + 2):
        ledger.serve()
        assert ledger.server is not None
        before = ledger.acknowledged()
        simulation = ledger.simulate(seed)
        enough = before + SEEDS.randrange(5, 200)
        while ledger.acknowledged() < enough and simulation.poll() is None:
            time.sleep(0.005)
        time.sleep(SEEDS.uniform(0, 0.5))
        kill(ledger.server)
        kill(simulation)
        ledger.check()


def test_killing_the_sequencer_loses_nothing_acknowledged(ledger: Ledger) -> None:
    rounds_of_killing_the_sequencer(ledger, 2)


def test_killing_postgres_loses_nothing_acknowledged(ledger: Ledger) -> None:
    rounds_of_killing_postgres(ledger, 2)


def test_killing_the_server_loses_nothing_acknowledged(ledger: Ledger) -> None:
    rounds_of_killing_the_server(ledger, 1)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "rounds",
    [
        rounds_of_killing_the_sequencer,
        rounds_of_killing_postgres,
        rounds_of_killing_the_server,
    ],
)
def test_many_kills_lose_nothing_acknowledged(
    ledger: Ledger, rounds: Callable[[Ledger, int], None]
) -> None:
    rounds(ledger, ROUNDS)
