"""Kill processes at random instants under load; nothing acknowledged may be missing afterwards.

`CLINLEDGER_KILL_ROUNDS` sets how many times each victim is killed in the long tests (default 20).
"""

import json
import random
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.killable import ROUNDS, Ledger, kill, kill_postgres

SEEDS = random.Random(20261122)  # noqa: S311 - instants to kill at, the same in every run


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
