"""Public Go programs against a live ledger: Tessera's fsck reads it all, a public witness cosigns.

fsck fetches the checkpoint, every tile and every entry bundle, as a mirror would, and recomputes
the tree. The witness is the handler of transparency.dev's.
"""

import json
import subprocess
import time
import urllib.request
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError

import pytest

from signing.policies import parse_policy
from tests.interop.go_programs import build_go
from tests.killable import Ledger

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def fsck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tessera's fsck, built once."""
    target = tmp_path_factory.mktemp("go") / "fsck"
    return build_go(HERE / "fsck", target, package="github.com/transparency-dev/tessera/cmd/fsck")


@pytest.fixture(scope="module")
def witness_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public witness, built once."""
    return build_go(HERE / "witness", tmp_path_factory.mktemp("go") / "witness")


@pytest.fixture
def ledger(clinledger_home: Path) -> Generator[Ledger]:
    """A ledger of a small hospital."""
    found = Ledger(clinledger_home)
    found.simulate(1).communicate(timeout=240)
    yield found
    found.close()


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
        body: bytes = answer.read()
        return body


def _is_whole(fsck: Path, url: str, vkey: str, folder: Path, *, seconds: float = 120) -> bool:
    """Tell whether fsck says so; of what is damaged it says nothing for ever, and exits with 0."""
    key = folder / "log.vkey"
    key.write_text(vkey)
    command = [str(fsck), "--storage_url", url, "--public_key", str(key), "--ui=false"]
    try:
        said = subprocess.run(  # noqa: S603 - built above
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=False, timeout=seconds
        ).stderr
    except subprocess.TimeoutExpired as expired:
        said = expired.stderr or b""
    assert b"checking log of size" in said
    return b"Successfully fsck'd" in said


def test_tesseras_fsck_finds_a_live_ledger_whole_and_a_changed_mirror_broken(
    ledger: Ledger, fsck: Path, tmp_path: Path
) -> None:
    ledger.run("checkpoint", "--once")
    url = ledger.serve()
    vkey = json.loads(_get(f"{url}/v1/ledger"))["keys"]["checkpoint"]
    assert _size(_get(f"{url}/checkpoint")) > 256

    assert _is_whole(fsck, f"{url}/", vkey, tmp_path)

    mirror = tmp_path / "mirror"
    ledger.run("tiles", "export", str(mirror))
    assert _is_whole(fsck, f"file://{mirror}/", vkey, tmp_path)
    for name in ("tile/entries/000", "tile/0/000", "tile/1/000.p/1"):
        path = mirror / name
        honest = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(honest[:31] + bytes([honest[31] ^ 1]) + honest[32:])
        assert not _is_whole(fsck, f"file://{mirror}/", vkey, tmp_path, seconds=10)
        path.write_bytes(honest)
    assert _is_whole(fsck, f"file://{mirror}/", vkey, tmp_path)


def test_a_public_witness_cosigns_what_a_live_ledger_signs(
    ledger: Ledger, witness_program: Path
) -> None:
    """At its start, as the ledger grows, and again after a restart of the server."""
    url = ledger.serve()
    origin_key = json.loads(_get(f"{url}/v1/ledger"))["keys"]["checkpoint"]
    ledger.stop()
    with subprocess.Popen(  # noqa: S603 - built above
        [str(witness_program), origin_key],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as witness:
        assert witness.stdout is not None
        vkey, prefix = (witness.stdout.readline().strip() for _ in range(2))
        text = f"log {origin_key}\nwitness go {vkey} {prefix}\nquorum go\n"
        (ledger.home / "witnesses.policy").write_text(text)
        policy = parse_policy(text.encode())
        sizes = [0]
        for seed in (2, 3):
            url = ledger.serve()
            ledger.simulate(seed, "--url", url).communicate(timeout=240)
            note = _cosigned(url, size=sizes[-1] + 1)
            judgement = policy.verify(note)
            assert judgement.reached
            sizes.append(judgement.checkpoint.size)
            ledger.stop()
        witness.communicate(timeout=30)
    assert sizes == sorted(set(sizes))
    ledger.check()


def _cosigned(url: str, *, size: int) -> bytes:
    """Wait for a published checkpoint of at least this size with two signatures; return it."""
    deadline = time.monotonic() + 180
    note = b""
    while True:
        with suppress(HTTPError):  # 404 until the first is published
            note = _get(f"{url}/checkpoint")
            if _size(note) >= size and note.partition(b"\n\n")[2].count(b"\n") == 2:
                return note
        assert time.monotonic() < deadline, note
        time.sleep(0.5)


def _size(note: bytes) -> int:
    return int(note.split(b"\n")[1])
