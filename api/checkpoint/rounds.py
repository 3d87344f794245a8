"""Sign each second what is new, let witnesses cosign it, and publish now and then.

Signing never waits for witnesses: they are asked beside it, about the newest checkpoint, one round
of questions at a time.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import structlog

from api.checkpoint.heads import HeadsPublisher
from api.checkpoint.status import StatusFile
from api.witness.client import Fault, WitnessError
from api.witness.group import Round, WitnessGroup
from ledger.checkpoint_keys import verifier_of
from ledger.checkpointing.signer import Checkpointer
from ledger.checkpointing.state import SignerState
from ledger.checkpointing.table import Checkpoints, StoredCheckpoint
from ledger.clock import Clock
from ledger.merkle import consistency_proof
from signing.policies import Policy, PolicyLog

ROUND_SECONDS: Final = 1.0
PAUSE_MS: Final = 60_000
"""A clock that moved further than this between two rounds: the process, or its machine, stood
still or was set back. Witnesses are asked before anything else is signed."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often, and how long.

    Attributes:
        publish_seconds: at least, between two publications.
        quorum_seconds: without a quorum of witnesses, until that is told.
        again_seconds: until witnesses are asked again about a checkpoint that lacks a quorum,
            when nothing newer was signed.
    """

    publish_seconds: float = 60.0
    quorum_seconds: float = 900.0
    again_seconds: float = 30.0


class _Asked(NamedTuple):
    """A checkpoint that witnesses are, or were, asked about."""

    state: SignerState
    at: float


class Rounds:
    """Rounds of one checkpointer; made and used in one event loop."""

    def __init__(  # noqa: PLR0913 - everything that a round touches
        self,
        checkpointer: Checkpointer,
        publications: Checkpoints,
        *,
        policy: Policy | None,
        witnesses: WitnessGroup | None,
        status: StatusFile,
        clock: Clock,
        pace: Pace | None = None,
        heads: HeadsPublisher | None = None,
    ) -> None:
        """Take a checkpointer that has resumed.

        Args:
            checkpointer: verifies and signs.
            publications: where checkpoints for outsiders are stored.
            policy: says when witnesses are enough; None when there are none.
            witnesses: those of the policy; None when there are none.
            status: where to say how it goes.
            clock: notices pauses.
            pace: how often to publish.
            heads: publishes the newest entries of all streams; None not to.
        """
        self._checkpointer = checkpointer
        self._publications = publications
        self._policy = policy
        self._witnesses = witnesses
        self._status = status
        self._clock = clock
        self._pace = pace or Pace()
        self._heads = heads
        self._lock = asyncio.Lock()
        self._log: Any = structlog.get_logger()
        self._asking: asyncio.Task[Round] | None = None
        self._asked: _Asked | None = None
        self._unwitnessed: SignerState | None = None
        self._unpublished: bytes | None = None
        self._published: bytes | None = None
        self._faults: dict[str, Fault] = {}
        self._published_at = -self._pace.publish_seconds
        self._quorum_at = asyncio.get_running_loop().time()
        self._round_at_ms = clock.now_ms()

    async def begin(self) -> None:
        """Ask every witness what it cosigned last; take up what was not published yet.

        Raises:
            InconsistentLedgerError: a witness is ahead, or has another tree.
        """
        await self._ask_first()
        last = self._checkpointer.last
        newest = await asyncio.to_thread(self._publications.newest)
        if last is not None and (newest is None or not self._suffices(newest, last)):
            self._offer(last)

    async def run(self, stop: asyncio.Event) -> None:
        """Begin, and make a round each second until told to stop.

        Raises:
            InconsistentLedgerError: something is wrong; nothing more is signed.
            EnvironmentRefusedError, UnavailableError: start anew.
        """
        try:
            await self.begin()
            while not stop.is_set():
                await self.round()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), ROUND_SECONDS)
        finally:
            if self._asking is not None:
                self._asking.cancel()
            if self._heads is not None:
                self._heads.close()

    async def once(self) -> bytes | None:
        """Begin, sign what is new, wait for the witnesses, publish; return the newest published.

        Raises:
            As `run`.
        """
        await self.begin()
        await self.round()
        if self._asking is not None:
            await asyncio.wait([self._asking])
            await self._collect()
        await self._publish()
        newest = await asyncio.to_thread(self._publications.newest)
        return None if newest is None else newest.note

    async def round(self) -> None:
        """Sign what is new; ask witnesses and publish when it is time.

        Raises:
            As `run`.
        """
        if abs(self._clock.now_ms() - self._round_at_ms) > PAUSE_MS:
            self._log.warning("the clock jumped: asking the witnesses first")
            await self._ask_first()
        async with self._lock:
            state = await asyncio.to_thread(self._checkpointer.sign_new)
        self._round_at_ms = self._clock.now_ms()
        if state is not None:
            self._offer(state)
        await self._collect()
        self._ask()
        now = asyncio.get_running_loop().time()
        if now - self._published_at >= self._pace.publish_seconds:
            await self._publish()
        if self._heads is not None:
            await self._heads.poll(self._lock)
        self._tell(now)

    def _offer(self, state: SignerState) -> None:
        """Take a new checkpoint to the witnesses or, without any, to outsiders."""
        if self._witnesses is None:
            self._unpublished = state.note
        else:
            self._unwitnessed = state

    def _suffices(self, published: StoredCheckpoint, last: SignerState) -> bool:
        """Return whether outsiders have the last checkpoint, with as many witnesses as need be."""
        if published.size < last.checkpoint.size:
            return False
        return self._policy is None or self._is_enough(self._policy, published.note)

    def _is_enough(self, policy: Policy, note: bytes) -> bool:
        """Tell whether a quorum has cosigned one of our own checkpoints.

        Whose they are, the ledger knows better than the policy, which may name an older key.
        """
        keys = self._checkpointer.follower.directory.checkpoint_keys
        own = [PolicyLog(verifier=verifier_of(key.vkey), url=None) for key in keys]
        return msgspec.structs.replace(policy, logs=tuple(own)).judge(note).reached

    async def _ask_first(self) -> None:
        if self._witnesses is None:
            return
        origin = self._checkpointer.origin
        heads = await self._witnesses.heads(origin)
        for name, head in heads.items():
            if isinstance(head, WitnessError):
                self._log.warning("a witness does not answer", witness=name, fault=head.fault)
            elif head is not None:
                self._checkpointer.check_witnessed(head.checkpoint, witness=name)
        if self._checkpointer.last is not None:
            self._heed(await self._witnesses.confirm(self._checkpointer.last.note))

    def _ask(self) -> None:
        """Begin to ask the witnesses about the newest checkpoint, unless they are being asked."""
        if self._asking is not None or self._witnesses is None:
            return
        now = asyncio.get_running_loop().time()
        if self._asked is not None and now - self._asked.at >= self._pace.again_seconds:
            self._unwitnessed = self._unwitnessed or self._asked.state
        if self._unwitnessed is not None:
            asked, self._unwitnessed = self._unwitnessed, None
            if self._asked is None:  # nothing lacked a quorum until now
                self._quorum_at = now
            self._asked = _Asked(asked, now)

            async def prove(old_size: int) -> Sequence[bytes]:
                async with self._lock:
                    tree = self._checkpointer.follower.tree
                    return consistency_proof(tree, old_size, asked.checkpoint.size)

            self._asking = asyncio.create_task(self._witnesses.cosign(asked.note, prove))

    async def _collect(self) -> None:
        """Take what the witnesses have answered, if they have."""
        if self._asking is None or not self._asking.done():
            return
        asking, self._asking = self._asking, None
        answers = asking.result()
        self._heed(answers)
        self._unpublished = answers.note
        if self._policy is not None and self._is_enough(self._policy, answers.note):
            self._asked = None
            self._quorum_at = asyncio.get_running_loop().time()

    def _heed(self, answers: Round) -> None:
        """Tell what is new about the witnesses; refuse to go on when one saw another history."""
        faults: dict[str, Fault] = {name: one.fault for name, one in answers.faults.items()}
        for name, fault in faults.items() - self._faults.items():
            self._log.warning("a witness does not cosign", witness=name, fault=fault)
        for name in self._faults.keys() - faults.keys():
            self._log.info("a witness cosigns again", witness=name)
        self._faults = faults
        for name, alarm in answers.alarms.items():
            self._checkpointer.refuse(f"witness {name}: {alarm.detail}")

    async def _publish(self) -> None:
        note, self._unpublished = self._unpublished, None
        if note is None or note == self._published:
            return
        async with self._lock:
            await asyncio.to_thread(self._checkpointer.publish, note, self._publications)
        self._published = note
        self._published_at = asyncio.get_running_loop().time()

    def _tell(self, now: float) -> None:
        last = self._checkpointer.last
        missing = self._asked is not None and now - self._quorum_at > self._pace.quorum_seconds
        size = last.checkpoint.size if last is not None else 0
        self._status.tell("unwitnessed" if missing else "ok", size)
