"""One command runs a witness; kills, restarts and lost files leave it honest."""

import asyncio
import json
import random
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from api.witness.group import Round, WitnessGroup
from signing.policies import parse_policy
from tests.noted import Tree, log_signer

REPOSITORY = Path(__file__).parents[2]
TREE = Tree()
FORK = Tree("fork", common=5)
NAME = "witness.hospital-b.example/w1"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "api.cli.main", "witness", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter and arguments
        command(*arguments), cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60
    )


class Institution:
    """Another institution that runs a witness of ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = str(folder / "witness.toml")
        made = run(
            *("init", "--name", NAME, "--folder", str(folder), "--port", "0"),
            *("--log", str(log_signer().verifier.vkey)),
        )
        assert made.returncode == 0, made.stderr
        self.policy_line = made.stdout.strip()
        self._processes: list[subprocess.Popen[str]] = []

    def serve(self, *, file_blocks: str = "unlimited") -> str:
        """Start the witness, which can write files of so many blocks; return its URL."""
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            [
                *("/bin/sh", "-c", f'ulimit -f {file_blocks}; exec "$@"', "sh"),
                *command("serve", "--config", self.config),
            ],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._processes.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip()

    def kill(self) -> None:
        """Kill the running witness at once."""
        self._processes[-1].kill()

    def stop(self, number: int) -> int:
        """Send a signal to the running witness and wait; return how it ended."""
        process = self._processes.pop()
        process.send_signal(number)
        ended = process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()
        return ended

    def cosign(self, url: str, tree: Tree, size: int) -> Round:
        """Ask the running witness for a cosignature."""
        vkey = self.policy_line.split(" ")[2]
        text = f"log {log_signer().verifier.vkey}\nwitness W1 {vkey} {url}\nquorum W1\n"
        policy = parse_policy(text.encode())

        async def prove(old: int) -> list[bytes]:
            return tree.proof(old, size)

        async def ask() -> Round:
            async with WitnessGroup(policy, timeout_seconds=20) as group:
                return await group.cosign(tree.signed(size), prove)

        round_ = asyncio.run(ask())
        if round_.cosigned:
            policy.verify(round_.note)
        return round_

    def close(self) -> None:
        """End what still runs."""
        while self._processes:
            self.stop(signal.SIGKILL)


@pytest.fixture
def institution(tmp_path: Path) -> Generator[Institution]:
    institution = Institution(tmp_path / "Bệnh viện B")
    yield institution
    institution.close()


def test_one_command_prepares_a_witness_and_one_serves_it(institution: Institution) -> None:
    assert institution.policy_line.startswith(f"witness W1 {NAME}+")
    for name in ("witness.pem", "witness.sqlite"):
        assert stat.S_IMODE((institution.folder / name).stat().st_mode) == 0o600
    url = institution.serve()
    assert url.startswith("http://127.0.0.1:")
    assert set(institution.cosign(url, TREE, 8).cosigned) == {"W1"}
    assert institution.stop(signal.SIGTERM) == 0


def test_after_kill_9_it_still_knows_what_it_cosigned(institution: Institution) -> None:
    url = institution.serve()
    for size in (8, 13):
        assert set(institution.cosign(url, TREE, size).cosigned) == {"W1"}
        assert institution.stop(signal.SIGKILL) == -signal.SIGKILL
        url = institution.serve()
        assert set(institution.cosign(url, FORK, size + 1).alarms) == {"W1"}
    assert set(institution.cosign(url, TREE, 20).cosigned) == {"W1"}
    shown = run("refused", "--config", institution.config)
    assert shown.returncode == 1
    kept = [json.loads(line) for line in shown.stdout.splitlines()]
    assert len(kept) == 2
    assert {one["origin"] for one in kept} == {log_signer().verifier.vkey.name}


def test_without_its_state_it_does_not_start_until_somebody_decides_so(
    institution: Institution,
) -> None:
    state = institution.folder / "witness.sqlite"
    state.unlink()
    refused = run("serve", "--config", institution.config)
    assert refused.returncode == 2
    assert "is missing" in refused.stderr
    assert not state.exists()
    assert run("new-state", "--config", institution.config).returncode == 0
    assert run("new-state", "--config", institution.config).returncode == 2
    url = institution.serve()
    assert set(institution.cosign(url, TREE, 8).cosigned) == {"W1"}
    assert run("refused", "--config", institution.config).returncode == 0


def test_preparing_again_replaces_nothing(institution: Institution) -> None:
    key = (institution.folder / "witness.pem").read_bytes()
    again = run("init", "--name", NAME, "--folder", str(institution.folder))
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert (institution.folder / "witness.pem").read_bytes() == key


def test_when_its_disk_is_full_it_cosigns_nothing_and_goes_on_when_there_is_room(
    institution: Institution,
) -> None:
    url = institution.serve(file_blocks="1")
    full = institution.cosign(url, TREE, 8)
    assert {name: error.fault for name, error in full.faults.items()} == {"W1": "unreachable"}
    institution.stop(signal.SIGTERM)
    url = institution.serve()
    assert set(institution.cosign(url, TREE, 5).cosigned) == {"W1"}


@pytest.mark.long
def test_killed_at_random_instants_it_never_forgets_what_it_cosigned(
    institution: Institution,
) -> None:
    chance = random.Random(20260101)  # noqa: S311 - when to kill, not a secret
    size = 1
    assert set(institution.cosign(institution.serve(), TREE, size).cosigned) == {"W1"}
    institution.stop(signal.SIGKILL)
    for _ in range(20):
        url = institution.serve()
        killer = threading.Timer(chance.uniform(0.05, 0.6), institution.kill)
        killer.start()
        while institution.cosign(url, TREE, size + 1).cosigned:
            size += 1
        killer.join()
        institution.stop(signal.SIGKILL)
        url = institution.serve()
        assert set(institution.cosign(url, Tree("fork"), size + 2).alarms) == {"W1"}
        size += 1  # the last request may or may not have been recorded: both are continued
        assert set(institution.cosign(url, TREE, size).cosigned) == {"W1"}
        institution.stop(signal.SIGKILL)
