"""Kill -9 of the checkpoint process at random instants, while events come in."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.checkpointing.state import StateFile
from ledger.checkpointing.table import CheckpointTable
from ledger.merkle import root_at
from ledger.store import EntryStore
from ledger.verify import verify_ledger
from signing.checkpoints import Checkpoint
from tests.builders_rules import CHECKPOINT_SOFT_KEY
from tests.live import LiveHospital

REPOSITORY = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("CLINLEDGER_TEST_ROUNDS", "20"))


def _start(hospital: LiveHospital) -> subprocess.Popen[bytes]:
    live = hospital.live
    path = live.home / "keys" / "checkpoint.pem"
    path.write_bytes(CHECKPOINT_SOFT_KEY.to_pem(None))
    path.chmod(0o600)
    variables = {
        "CLINLEDGER_HOME": str(live.home),
        "CLINLEDGER_DATABASE_URL": live.database.url,
        "CLINLEDGER_SCHEMA": live.database.schema,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "api.checkpoint.process"],
        cwd=REPOSITORY,
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _load(hospital: LiveHospital, seconds: float, numbers: list[int]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        numbers.append(len(numbers))
        note = hospital.note(f"load {len(numbers)}")
        hospital.live.submit(hospital.signed("note-written.v1", note))
        time.sleep(0.02)


def _look(file: StateFile, seen: list[Checkpoint]) -> None:
    saved = file.load()
    if saved is not None and saved.checkpoint not in seen[-1:]:
        seen.append(saved.checkpoint)


def _end(process: subprocess.Popen[bytes], *, kill: bool) -> int:
    process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
    process.communicate(timeout=30)
    return process.returncode


@pytest.mark.long
def test_kills_at_random_instants_leave_one_history_and_nothing_to_repair(
    hospital: LiveHospital,
) -> None:
    """What is saved, stored and published agrees after every death, and the process goes on."""
    live = hospital.live
    chance = random.Random(7)  # noqa: S311 - instants, not secrets
    file = StateFile(live.home / "checkpoint" / "ledger.state")
    seen: list[Checkpoint] = []
    numbers: list[int] = []
    for number in range(ROUNDS):
        process = _start(hospital)
        before = len(seen)
        while number % 2 and len(seen) == before:  # every other time: once it signs
            _load(hospital, 0.1, numbers)
            _look(file, seen)
        _load(hospital, chance.uniform(0.0, 3.0), numbers)
        _end(process, kill=True)
        _look(file, seen)

    process = _start(hospital)
    deadline = time.monotonic() + 60
    while True:
        saved = file.load()
        if saved is not None and saved.checkpoint.size == live.sequencer.head.size:
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1.5)  # until the note is stored
    assert _end(process, kill=False) == 0

    assert len(seen) >= ROUNDS // 2
    assert verify_ledger(live.database, keyring=live.keyring).findings == ()
    with live.database.connect("reader") as connection:
        store = EntryStore(connection, live.database)
        assert all(root_at(store, one.size) == one.root for one in seen)
        newest = CheckpointTable(connection, live.database).newest()
    assert newest is not None
    assert newest.note == saved.note
