"""The checkpoint process with two witnesses, within the tests' own process."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx2

from api.checkpoint.rounds import Pace, Rounds
from api.checkpoint.status import StatusFile
from api.witness.group import WitnessGroup
from api.witness.rules import Witness, WitnessedLog
from api.witness.server import LogWatch, create_witness_app
from api.witness.state import WitnessState
from ledger.checkpointing.signer import Checkpointer
from ledger.checkpointing.table import CheckpointTable, StoredCheckpoint
from ledger.clock import SystemClock
from signing.policies import parse_policy
from tests.checkpointed import Checkpointed
from tests.cutting_proxy import Loss
from tests.live import FrozenClock
from tests.noted import cosigner

NAMES = ("one", "two")
T = TypeVar("T")


class Net(httpx2.AsyncBaseTransport):
    """Brings requests to witnesses within the process; some may be cut off or slow."""

    def __init__(self) -> None:
        self.states: dict[str, WitnessState] = {}
        self._apps: dict[str, httpx2.ASGITransport] = {}
        self.cut: set[str] = set()
        self.slow: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.lose: Callable[[int], Loss | None] = _never

    def serve(
        self, name: str, signed: Checkpointed, folder: Path, *, log: WitnessedLog | None = None
    ) -> None:
        """Start a witness of the hospital's ledger, which knows its key or what `log` says."""
        self.states[name] = WitnessState.create(folder / f"{name}.sqlite")
        verifier = signed.signer.verifier
        log = log or WitnessedLog(origin=verifier.vkey.name, keys=(verifier,), pin=None)
        witness = Witness(
            logs=[log],
            cosigners=[cosigner(name)],
            state=self.states[name],
            clock=SystemClock(),
            watch=LogWatch(),
        )
        self._apps[name] = httpx2.ASGITransport(app=create_witness_app(witness))

    def size(self, name: str, origin: str) -> int:
        """Return the size that a witness cosigned last."""
        latest = self.states[name].latest(origin)
        return 0 if latest is None else latest.size

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Bring one request."""
        host = request.url.host
        self.asked.append((host, request.method))
        loss = self.lose(len(self.asked))
        if host in self.cut or loss is Loss.REQUEST:
            raise httpx2.ConnectError("cut off")
        if host in self.slow:
            await asyncio.sleep(60)
        answer = await self._apps[host].handle_async_request(request)
        if loss is Loss.ANSWER:
            raise httpx2.ReadError("lost")
        return answer


class Process:
    """What the checkpoint process is made of, started anew by each `run`."""

    def __init__(self, signed: Checkpointed, folder: Path) -> None:
        self.signed = signed
        self.net = Net()
        for name in NAMES:
            self.net.serve(name, signed, folder)
        self.status = folder / "ledger.status"
        self.clock = FrozenClock()
        lines = [f"log {signed.signer.verifier.vkey}"]
        lines += [f"witness {name} {cosigner(name).verifier.vkey} http://{name}" for name in NAMES]
        lines += ["group both all one two", "quorum both"]
        self.policy = parse_policy("".join(f"{line}\n" for line in lines).encode())

    def run(
        self,
        act: Callable[[Rounds], Awaitable[T]],
        *,
        witnessed: bool = True,
        pace: Pace | None = None,
        checkpointer: Checkpointer | None = None,
    ) -> T:
        """Start the process and let a test act on its rounds."""

        async def main() -> T:
            http = httpx2.AsyncClient(transport=self.net)
            async with WitnessGroup(self.policy, timeout_seconds=0.5, http=http) as group:
                rounds = Rounds(
                    checkpointer or self.signed.start(),
                    self.publications,
                    policy=self.policy if witnessed else None,
                    witnesses=group if witnessed else None,
                    status=StatusFile(self.status, self.clock),
                    clock=self.clock,
                    pace=pace or Pace(publish_seconds=0),
                )
                return await act(rounds)

        return asyncio.run(main())

    @property
    def publications(self) -> CheckpointTable:
        """What is published."""
        return CheckpointTable(self.signed.connect(), self.signed.database, "publication")

    def published(self) -> StoredCheckpoint:
        """Return what was published last."""
        newest = self.publications.newest()
        assert newest is not None
        return newest


def _never(_request: int) -> None:
    return None
