"""Signed entries are gone for good: the ledger ends, a successor with a new origin begins.

The whole story with commands, a witness of another institution, and the server of the old ledger.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from api.settings import Settings
from api.succession import close_old
from ledger.database import Database
from ledger.open_directory import read_checkpoint_keys
from ledger.setting_aside import only_writer
from signing.checkpoints import parse_checkpoint
from signing.notes import parse_note
from tests.cli.facility import Facility, note
from tests.cli.shell import ORIGIN, Answer, Shell
from tests.ports import free_port
from tests.postgres import Server

REPOSITORY = Path(__file__).parents[2]
REASON = "Bản sao lưu cũ hơn một giờ; các mục đã ký bị mất"
NAMES = ("Trần Thị Bình", "Lê Văn Cường")


class Program:
    """A program of ours that runs beside the test."""

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            [sys.executable, "-m", "api.cli.main", *arguments],
            cwd=REPOSITORY,
            env=os.environ | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def line(self) -> str:
        """Return the next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)


class Witness:
    """A witness of another institution."""

    def __init__(self, folder: Path, log: str) -> None:
        made = subprocess.run(  # noqa: S603 - our own interpreter and arguments
            [
                *(sys.executable, "-m", "api.cli.main", "witness", "init"),
                *("--name", "witness.hospital-b.example/w1", "--folder", str(folder)),
                *("--port", "0", "--log", log),
            ],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
        self.vkey = made.stdout.split(" ")[2]
        self.config = folder / "witness.toml"
        self.program = Program("witness", "serve", "--config", str(self.config))
        self.policy = self._policy()

    def follow(self, log: str) -> None:
        """Take a further log up, as its operator does: a line in the file, and a restart."""
        self.program.stop()
        text = self.config.read_text()
        self.config.write_text(f'{text}\n[[logs]]\nkeys = ["{log}"]\n')
        self.program = Program("witness", "serve", "--config", str(self.config))
        self.policy = self._policy()

    def _policy(self) -> str:
        return f"witness w1 {self.vkey} {self.program.line()}\nquorum w1\n"


class Story:
    """A facility whose database was restored from an hour ago, after signed checkpoints."""

    def __init__(self, folder: Path, server: Server, template_url: str) -> None:
        self._server = server
        self._urls = [server.create_database(template_url)]
        self.facility = Facility(folder / "home", self._urls[0])
        self.witness = Witness(folder / "other", self.checkpoint_key(self.facility))
        self.tell_witness()
        assert self.facility("checkpoint", "--once").code == 0
        self._urls.append(server.create_database(self._urls[0]))
        self.facility.write_note()
        self.facility.write_note()
        self.last = self.facility("checkpoint", "--once").out
        self.facility.variables["CLINLEDGER_DATABASE_URL"] = self._urls[1]
        self.new = Shell(self.facility.home, self._urls[1], "ledger_2")

    @property
    def size(self) -> int:
        """The size of the last checkpoint before the disaster."""
        return parse_checkpoint(parse_note(self.last.encode()).text).size

    def tell_witness(self) -> None:
        """Write down where the witness is."""
        (self.facility.home / "witnesses.policy").write_text(self.witness.policy)

    def checkpoint_key(self, shell: Shell) -> str:
        """Return the verifier key of a ledger."""
        schema = shell.variables["CLINLEDGER_SCHEMA"]
        database = Database(shell.variables["CLINLEDGER_DATABASE_URL"], schema)
        with database.connect("reader") as connection:
            return read_checkpoint_keys(connection, database)[-1].vkey

    def found(self, *options: str, origin: str = f"{ORIGIN}/2", reason: str = REASON) -> Answer:
        """Found the successor, with the registrars and the keys of before."""
        staff = zip(self.facility.registrars, NAMES, strict=True)
        registrars = [word for one, name in staff for word in ("--registrar", f"{one}={name}")]
        more = options or ("--succeeds", "ledger")
        return self.new("init", origin, *registrars, *more, "--reason", reason)

    def close(self) -> None:
        """End the witness, drop the databases."""
        self.witness.program.stop()
        for url in self._urls:
            self._server.drop_database(url)


@pytest.fixture
def story(tmp_path: Path, postgres_server: Server, template_url: str) -> Generator[Story]:
    """The story up to the restored backup."""
    told = Story(tmp_path, postgres_server, template_url)
    yield told
    told.close()


@contextmanager
def served(shell: Shell) -> Generator[str]:
    """Run the server of a ledger."""
    port = free_port()
    program = Program("serve", "--port", str(port), environment=shell.variables)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    try:
        while True:
            try:
                httpx2.get(f"{url}/healthz")
                break
            except httpx2.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield url
    finally:
        program.stop()


def _write_note(facility: Facility) -> Answer:
    return facility.append(note(), "note-written.v1", facility.doctor, "--stream", facility.record)


@pytest.mark.timeout(300)
def test_signed_entries_are_gone_and_a_successor_begins(story: Story, tmp_path: Path) -> None:
    """From the refusal to the first checkpoint of the new ledger, cosigned by the same witness."""
    facility, new = story.facility, story.new
    refused = facility("checkpoint", "--once")
    assert (refused.code, f"{story.size} were signed" in refused.out) == (1, True)

    answer = story.found()

    assert answer.code == 0, answer.err
    assert "takes no more events; it stays readable" in answer.err
    _check_the_old(story, tmp_path)
    report = new("verify", "--json").json
    assert (report["ok"], report["size"], report["origin"]) == (True, 6, f"{ORIGIN}/2")
    genesis = facility("verify", "--json").json["genesis"]
    told = next(text for text in report["notes"] if text.startswith("succeeds"))
    assert told == (
        f"succeeds {ORIGIN} (genesis {genesis}), whose last good checkpoint has size {story.size}, "
        f"its last cosigned one {story.size}: {REASON}"
    )
    staff = new("staff", "enrol", "--name", "Nguyễn Thị Hoa", "--code", "BS-1", "--role", "doctor")
    assert new("key", "enrol", staff.text, "--key", facility.doctor).code == 0  # the same key
    story.witness.follow(story.checkpoint_key(new))
    story.tell_witness()
    signed = new("checkpoint", "--once")
    assert signed.code == 0, signed.err + signed.out
    assert len(parse_note(signed.out.encode()).signatures) == 2
    with served(new) as url:
        info = httpx2.get(f"{url}/v1/ledger").json()
    assert (info["succeeds"]["origin"], info["successor"]) == (ORIGIN, None)
    assert info["succeeds"]["cosigned_size"] == story.size


def _check_the_old(story: Story, tmp_path: Path) -> None:
    """It can be read, served and verified; it takes nothing, and names who does."""
    facility = story.facility
    assert facility("show", facility.record).code == 0
    verified = facility("verify", "--json").json
    assert f"is succeeded by {ORIGIN}/2: nothing is appended here any more" in verified["notes"]
    kept = tmp_path / "kept"
    kept.write_text(story.last)
    assert facility("verify", "--checkpoint", kept).code == 1
    refused = _write_note(facility)
    assert (refused.code, "ledger-succeeded" in refused.err) == (1, True)
    assert f"append to {ORIGIN}/2 instead" in refused.err
    with served(facility) as url:
        assert httpx2.get(f"{url}/v1/ledger").json()["successor"] == f"{ORIGIN}/2"
        refused = _write_note(facility)
        assert (refused.code, "ledger-succeeded" in refused.err) == (1, True)


def test_a_founding_that_was_interrupted_is_done_again(story: Story) -> None:
    """The old ledger was closed; the new one was not founded yet."""
    url = story.facility.variables["CLINLEDGER_DATABASE_URL"]
    settings = Settings(home=story.facility.home, database_url=url, schema="ledger_2")
    close_old(settings, "ledger", successor=f"{ORIGIN}/2")

    assert story.found().code == 0
    again = story.found()
    assert (again.code, "holds a ledger already" in again.err) == (2, True)
    report = story.new("verify", "--json").json
    assert (report["ok"], report["size"]) == (True, 6)


def test_an_old_ledger_that_is_not_at_hand_is_named_by_its_key(story: Story) -> None:
    """With its genesis and its last checkpoint, from whoever kept them."""
    facility = story.facility
    key = story.checkpoint_key(facility)
    genesis = facility("verify", "--json").json["genesis"]
    kept = facility.file("kept", story.last.encode())
    other = facility.file("forged", story.last.replace("\n", "0\n", 2).encode())

    for options in (
        ("--succeeds", key, "--checkpoint", str(kept)),
        ("--succeeds", key, "--genesis", genesis),
        ("--succeeds", key, "--genesis", genesis, "--checkpoint", str(other)),
    ):
        assert story.found(*options).code == 2
    answer = story.found("--succeeds", key, "--genesis", genesis, "--checkpoint", str(kept))

    assert answer.code == 0, answer.err
    notes = story.new("verify", "--json").json["notes"]
    assert any(f"genesis {genesis}" in text and f"size {story.size}:" in text for text in notes)
    facility.write_note()  # nothing was recorded in its schema


def test_what_cannot_be_a_successor_is_refused_and_closes_nothing(story: Story) -> None:
    """Another origin than the next, no reason, the same schema, a running sequencer."""
    facility = story.facility
    other = story.found(origin=f"{ORIGIN}/3")
    assert (other.code, f"is named {ORIGIN}/2" in other.err) == (2, True)
    assert story.found(reason=" ").code == 2
    assert story.found("--succeeds", "nowhere").code == 2
    database = Database(facility.variables["CLINLEDGER_DATABASE_URL"])
    with database.connect("owner") as connection, only_writer(connection, database):
        running = story.found()
    assert (running.code, "a sequencer runs" in running.err) == (2, True)

    facility.write_note()
    assert facility("verify").code == 0
