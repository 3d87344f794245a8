"""Kill -9 of `checkpoint rotate` at random instants, beside a running server and its signer."""

import random
import subprocess
import time

import pytest

from ledger.checkpoint_keys import CheckpointKey, verify_in_force
from ledger.checkpointing.state import StateFile
from ledger.database import Database
from ledger.embedded import EmbeddedPostgres
from ledger.open_directory import read_checkpoint_keys
from tests.killable import ROUNDS, Ledger, kill

INSTANTS = random.Random(20261124)  # noqa: S311 - instants to kill at, the same in every run
NAMES = ("--registrar", "Trần Thị Bình", "--registrar", "Lê Văn Cường")


def rotate(ledger: Ledger) -> subprocess.Popen[bytes]:
    return ledger.start("checkpoint", "rotate", "--reason", "Thay khóa định kỳ.")


def chain(ledger: Ledger) -> tuple[CheckpointKey, ...]:
    url = EmbeddedPostgres(ledger.home).running_url()
    assert url is not None
    database = Database(url)
    with database.connect("owner") as connection:
        return read_checkpoint_keys(connection, database)


def wait_until_signed(ledger: Ledger, keys: tuple[CheckpointKey, ...]) -> None:
    """Wait until the signer has signed past the last rotation, with the key that it names."""
    state = StateFile(ledger.home / "checkpoint" / "ledger.state")
    deadline = time.monotonic() + 90
    while True:
        saved = state.load()
        if saved is not None and saved.checkpoint.size > keys[-1].position:
            verify_in_force(saved.note, keys)
            return
        assert time.monotonic() < deadline, (ledger.home / "server.log").read_text()[-2000:]
        time.sleep(0.1)


def rounds_of_killing(ledger: Ledger, rounds: int) -> None:
    """Kill the command once in each round, then repeat it until it is done."""
    ledger.run("init", "bvdk.halong.example/ledger", *NAMES, "--json")
    ledger.serve()
    started = time.monotonic()
    rotate(ledger).communicate(timeout=120)
    lasting = time.monotonic() - started
    for _ in range(rounds):
        before = chain(ledger)
        victim = rotate(ledger)
        time.sleep(INSTANTS.uniform(0.3, 1.1) * lasting)
        kill(victim)
        again = rotate(ledger)
        _, errors = again.communicate(timeout=120)
        assert again.returncode == 0, errors.decode()[-2000:]

        keys = chain(ledger)
        assert keys[: len(before)] == before
        # Killed before it was done, it is finished; killed after, it is done anew.
        assert len(keys) - len(before) in {1, 2}
        assert not (ledger.home / "checkpoint" / "ledger.rotation").exists()
        wait_until_signed(ledger, keys)
    ledger.stop()
    ledger.run("verify", "--json")


@pytest.mark.timeout(600)
def test_a_killed_rotation_is_finished_by_repeating_it(ledger: Ledger) -> None:
    rounds_of_killing(ledger, 3)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_killed_rotations_are_finished_by_repeating_them(ledger: Ledger) -> None:
    rounds_of_killing(ledger, ROUNDS)
