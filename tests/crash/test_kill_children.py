"""Kill the projector and the checkpoint process of a server under load, at random instants.

The server starts them anew; afterwards views and checkpoints have caught up with the ledger, and
every checkpoint that was ever signed is still one of it.
"""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from ledger.embedded import EmbeddedPostgres
from tests.killable import ROUNDS, Ledger

SEEDS = random.Random(20261123)  # noqa: S311 - instants to kill at, the same in every run
VICTIMS = pytest.mark.parametrize(
    "module", ["api.projecting", "api.checkpoint.process"], ids=["projector", "checkpoint process"]
)
HEAD: LiteralString = "SELECT size FROM ledger.head"
SIGNED: LiteralString = "SELECT coalesce(max(size), 0) FROM ledger.checkpoint"
VIEWED: LiteralString = "SELECT position + 1 FROM ledger_views_1.tracking"
NOTES: LiteralString = "SELECT note FROM ledger.checkpoint ORDER BY number"


def child_of(ledger: Ledger, module: str) -> int | None:
    """Return the process of the server that runs a module, None while there is none."""
    assert ledger.server is not None
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if module.encode() in arguments and int(parent) == ledger.server.pid:
                return int(folder.name)
    return None


def strike(ledger: Ledger, module: str) -> None:
    """Kill the child as soon as there is one."""
    deadline = time.monotonic() + 60
    while (victim := child_of(ledger, module)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(victim, signal.SIGKILL)


def wait_until_caught_up(ledger: Ledger) -> None:
    """Wait until views and checkpoints are at the head."""
    url = EmbeddedPostgres(ledger.home).running_url()
    assert url is not None
    deadline = time.monotonic() + 90
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            sizes = [connection.execute(query).fetchone() for query in (HEAD, SIGNED, VIEWED)]
            if len(set(sizes)) == 1:
                return
            assert time.monotonic() < deadline, sizes
            time.sleep(0.1)


def kept_checkpoints(ledger: Ledger) -> list[str]:
    """Write every stored checkpoint into a file; return the options that verify them."""
    url = EmbeddedPostgres(ledger.home).running_url()
    assert url is not None
    options: list[str] = []
    with psycopg.connect(url, autocommit=True) as connection:
        for number, (note,) in enumerate(connection.execute(NOTES).fetchall()):
            path = ledger.home / f"kept-{number}"
            path.write_bytes(bytes(note))
            options += ["--checkpoint", str(path)]
    return options


def rounds_of_killing(ledger: Ledger, module: str, rounds: int) -> None:
    """Simulate through a server whose child dies twice in each round."""
    ledger.simulate(1).communicate(timeout=240)  # founds the ledger and makes its keys
    kept: list[str] = []
    for seed in range(2, rounds + 2):
        ledger.serve()
        simulation = ledger.simulate(seed)
        for _ in range(2):
            time.sleep(SEEDS.uniform(0, 1))
            strike(ledger, module)
        _, errors = simulation.communicate(timeout=240)
        assert simulation.returncode == 0, errors.decode()[-2000:]
        wait_until_caught_up(ledger)
        ledger.check(*kept)  # those of earlier rounds, with the stored ones of this
        kept = kept_checkpoints(ledger)
        assert ledger.server is not None
        ledger.server.terminate()
        ledger.server.communicate(timeout=60)


@pytest.mark.timeout(600)
@VICTIMS
def test_killing_a_child_of_the_server_loses_nothing(ledger: Ledger, module: str) -> None:
    rounds_of_killing(ledger, module, 1)


@pytest.mark.long
@pytest.mark.timeout(3600)
@VICTIMS
def test_many_kills_of_a_child_of_the_server_lose_nothing(ledger: Ledger, module: str) -> None:
    rounds_of_killing(ledger, module, ROUNDS)
