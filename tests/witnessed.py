"""Run a witness for tests: over HTTP within the process, with a clock and a state of its own."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

import httpx2
from starlette.testclient import TestClient

from api.witness.request import format_add_checkpoint
from api.witness.rules import Pin, Watch, Witness, WitnessedLog
from api.witness.server import create_witness_app
from api.witness.state import WitnessState
from signing.cosignatures import Cosigner
from signing.notes import NoteVerifier
from tests.noted import LOG_ORIGIN, NOW_SECONDS, WITNESS_NAME, Tree, cosigner, log_signer


class SetClock:
    """A clock that shows what a test sets."""

    def __init__(self, seconds: int = NOW_SECONDS) -> None:
        """Start at this time, POSIX seconds."""
        self.seconds = seconds

    def now_ms(self) -> int:
        """Return the time that is set."""
        return self.seconds * 1000


class Heard(Watch):
    """Remembers what the operator would be told."""

    def __init__(self) -> None:
        """Have heard nothing."""
        self.contradictions: list[tuple[str, str]] = []

    def contradicted(self, origin: str, reason: str) -> None:
        """Remember a contradiction."""
        self.contradictions.append((origin, reason))


class TestWitness:
    """A witness of one log and how to speak to it."""

    __test__ = False

    def __init__(
        self,
        folder: Path,
        *,
        name: str = WITNESS_NAME,
        cosigners: Sequence[Cosigner] | None = None,
        keys: Sequence[NoteVerifier] | None = None,
        pin: Pin | None = None,
    ) -> None:
        """Start it with the state in a folder, which is made when there is none."""
        self.folder = folder
        self.state_file = folder / f"{name.replace('/', '-')}.sqlite"
        if not self.state_file.exists():
            WitnessState.create(self.state_file)
        self.state = WitnessState(self.state_file)
        self.clock = SetClock()
        self.heard = Heard()
        self.cosigners = tuple(cosigners or [cosigner(name)])
        log = WitnessedLog(origin=LOG_ORIGIN, keys=tuple(keys or [log_signer().verifier]), pin=pin)
        self.witness = Witness(
            logs=[log],
            cosigners=self.cosigners,
            state=self.state,
            clock=self.clock,
            watch=self.heard,
        )
        self.app = create_witness_app(self.witness)
        self.http = TestClient(self.app)

    def post(self, body: bytes) -> httpx2.Response:
        """Send a body to add-checkpoint."""
        return self.http.post("/add-checkpoint", content=body)

    def add(
        self, tree: Tree, old: int, new: int, proof: Sequence[bytes] | None = None
    ) -> httpx2.Response:
        """Ask for a cosignature of a tree at a size."""
        return self.post(request(tree, old, new, proof))

    def latest(self, origin: str = LOG_ORIGIN) -> httpx2.Response:
        """Ask for the newest cosigned checkpoint."""
        return self.http.get(f"/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint")

    @property
    def size(self) -> int:
        """The size that the witness has cosigned last."""
        latest = self.state.latest(LOG_ORIGIN)
        return 0 if latest is None else latest.size


def request(tree: Tree, old: int, new: int, proof: Sequence[bytes] | None = None) -> bytes:
    """Return the body that asks for a cosignature of a tree at a size."""
    chosen = tree.proof(old, new) if proof is None else proof
    return format_add_checkpoint(old_size=old, proof=chosen, signed=tree.signed(new))


def proof_lines(proof: Sequence[bytes]) -> bytes:
    """Return hashes as lines."""
    return b"".join(base64.b64encode(one) + b"\n" for one in proof)
