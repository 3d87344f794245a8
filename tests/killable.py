"""A ledger of its own, with its processes, for tests that kill them."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from ledger.embedded import EmbeddedPostgres

REPOSITORY = Path(__file__).parents[1]
ROUNDS = int(os.environ.get("CLINLEDGER_KILL_ROUNDS", "20"))
"""How many times each victim is killed in the long tests."""
PATIENTS = 6


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

    def start(
        self, *arguments: str, output: IO[bytes] | int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start a command."""
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "api.cli.main", *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            stdout=output,
            stderr=output,
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
        # A file: nobody reads a pipe, and a full one would stop the server.
        with (self.home / "server.log").open("ab") as log:
            self.server = self.start("serve", "--port", "0", output=log)
        deadline = time.monotonic() + 60
        while not file.exists():
            assert self.server.poll() is None, (self.home / "server.log").read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return str(json.loads(file.read_bytes())["url"])

    def acknowledged(self) -> int:
        """Count the acknowledgements so far."""
        return self.acks.read_bytes().count(b"\n") if self.acks.exists() else 0

    def check(self, *more: str) -> None:
        """Verify everything, acknowledgements included."""
        report = self.run("verify", "--acks", str(self.acks), "--json", *more)
        assert report["ok"], report["findings"][:5]
        assert report["entries_checked"] == report["size"]
        assert report["anchors"][0]["count"] == self.acknowledged() > 0

    def stop(self) -> None:
        """Stop the server, as an operator does."""
        assert self.server is not None
        self.server.terminate()
        self.server.communicate(timeout=60)

    def close(self) -> None:
        """Stop everything."""
        if self.server is not None and self.server.poll() is None:
            self.server.kill()
            self.server.communicate()
        EmbeddedPostgres(self.home).stop()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process at once."""
    process.kill()
    process.communicate()


def kill_postgres(home: Path) -> None:
    """Kill PostgreSQL at once."""
    postmaster = EmbeddedPostgres(home).postmaster()
    assert postmaster is not None
    with suppress(ProcessLookupError):
        os.kill(postmaster.pid, signal.SIGKILL)
