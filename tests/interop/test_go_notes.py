"""Public Go packages read our notes, checkpoints, cosignatures, proofs and policies, and we theirs.

golang.org/x/mod/sumdb/note and /tlog are the code of the Go checksum database;
github.com/transparency-dev/formats is that of public logs and witnesses.
"""

import base64
import hashlib
import json
import subprocess
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import mldsa

from ledger.merkle import inclusion_proof
from signing.cosignatures import MldsaCosigner
from signing.notes import add_signatures
from signing.policies import parse_policy
from signing.vkeys import TYPE_ED25519, encode_base64
from tests.interop.go_programs import build_go
from tests.noted import LOG_ORIGIN, NOW_SECONDS, Tree, cosigner, log_signer
from tests.witnessed import TestWitness

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

TREE = Tree()
SIZE = 1000
PQ_WITNESS = MldsaCosigner("witness.university.example", mldsa.MLDSA44PrivateKey.generate())
WITNESSES = (cosigner(), PQ_WITNESS)
LOG_VKEY = str(log_signer().verifier.vkey)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built once."""
    target = tmp_path_factory.mktemp("go") / "notes"
    return build_go(Path(__file__).parent / "notes", target)


def run(program: Path, command: str, request: object = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [str(program), command],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def b64(values: list[bytes]) -> list[str]:
    return [encode_base64(value) for value in values]


def reading(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """What the program is to read: a cosigned checkpoint, a policy and two proofs."""
    signed = TREE.signed(SIZE)
    text = signed.decode().partition("\n\n")[0] + "\n"
    lines = [one.cosign(text, NOW_SECONDS + place) for place, one in enumerate(WITNESSES)]
    vkeys = [str(one.verifier.vkey) for one in WITNESSES]
    policy = "".join(f"witness W{n} {vkey} http://w{n}.example/\n" for n, vkey in enumerate(vkeys))
    return {
        "note": encode_base64(add_signatures(signed, lines)),
        "log": LOG_VKEY,
        "cosigners": vkeys,
        "policy": policy + "group both all W0 W1\nquorum both\n",
        "old_size": 300,
        "old_root": encode_base64(TREE.root(300)),
        "consistency": b64(TREE.proof(300, SIZE)),
        "index": 777,
        "entry": encode_base64(b"777"),
        "inclusion": b64(inclusion_proof(TREE, 777, SIZE)),
        **changes,
    }


def test_go_reads_our_checkpoint_cosignatures_proofs_and_policy(program: Path) -> None:
    answer = run(program, "read", reading())
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == {
        "origin": LOG_ORIGIN,
        "size": SIZE,
        "root": encode_base64(TREE.root(SIZE)),
        "signatures": 3,
        "times": [NOW_SECONDS, NOW_SECONDS + 1],
        "satisfied": True,
    }


@pytest.mark.parametrize("old", [1, 2, 255, 256, 257, 512, 999])
def test_go_accepts_our_proofs_at_the_edges_of_tiles(program: Path, old: int) -> None:
    request = reading(
        old_size=old,
        old_root=encode_base64(TREE.root(old)),
        consistency=b64(TREE.proof(old, SIZE)),
        index=old,
        entry=encode_base64(str(old).encode()),
        inclusion=b64(inclusion_proof(TREE, old, SIZE)),
    )
    answer = run(program, "read", request)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    "changes",
    [
        {"note": encode_base64(TREE.signed(SIZE).replace(b"\n1000\n", b"\n1001\n"))},
        {"entry": encode_base64(b"778")},
        {"old_size": 301},
        {"log": str(log_signer("other.example").verifier.vkey)},
    ],
)
def test_go_refuses_what_we_would_refuse(program: Path, changes: dict[str, Any]) -> None:
    """So that the test above can fail."""
    assert run(program, "read", reading(**changes)).returncode == 1


def test_go_finds_the_quorum_missing_where_we_do(program: Path) -> None:
    signed = TREE.signed(SIZE)
    answer = run(program, "read", reading(note=encode_base64(signed)))
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["satisfied"] is False


def test_we_read_the_checkpoint_and_both_kinds_of_cosignature_that_go_makes(program: Path) -> None:
    answer = run(program, "write")
    assert answer.returncode == 0, answer.stderr
    made = json.loads(answer.stdout)
    policy = parse_policy(
        (
            f"log {made['log']}\nwitness E {made['ed25519']}\nwitness M {made['mldsa44']}\n"
            "group both all E M\nquorum both\n"
        ).encode()
    )
    judgement = policy.verify(base64.b64decode(made["note"]))
    assert judgement.checkpoint.root == hashlib.sha256(b"\0entry").digest()
    assert all(abs(when - time.time()) < 60 for when in judgement.cosigned.values())


@pytest.fixture
def served(tmp_path: Path) -> Generator[tuple[TestWitness, str]]:
    """Our witness, served on this machine."""
    witness = TestWitness(tmp_path)
    server = uvicorn.Server(
        uvicorn.Config(witness.app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield witness, f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join()


def test_a_log_written_in_go_is_witnessed_by_us_until_it_forks(
    program: Path, served: tuple[TestWitness, str]
) -> None:
    witness, url = served
    seed = hashlib.sha256(f"test key {LOG_ORIGIN}".encode()).digest()
    key_hash = log_signer().verifier.vkey.key_hash.hex()
    private = encode_base64(bytes([TYPE_ED25519]) + seed)
    secret = f"PRIVATE+KEY+{LOG_ORIGIN}+{key_hash}+{private}"
    request = {"witness": str(cosigner().verifier.vkey), "url": url, "secret": secret}
    answer = run(program, "ask", request)
    assert answer.returncode == 0, answer.stderr
    asked = json.loads(answer.stdout)
    assert [one["status"] for one in asked] == [200] * 9 + [409, 422]
    assert asked[9]["body"] == "1000\n"
    assert witness.size == 1000
    assert len(witness.state.refused()) == 1
