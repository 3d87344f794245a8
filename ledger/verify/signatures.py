"""Check signatures by keys of the directory, here or in further processes, and count them.

A signature takes longer than everything else about an event together, and neither library nor
interpreter lets threads share the work (measured, facts/tamper_evidence.md §5.2): so it can be
handed to processes, a few hundred at a time.
"""

import multiprocessing
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from typing import Final, NamedTuple

from ledger.errors import UnavailableError
from ledger.verify.report import FindingCode, Findings, Place
from signing.container import verify_container
from signing.errors import MalformedKeyError, SigningError
from signing.keys import VerifyingKey, load_verifying_key

_CHUNK: Final = 256
_CHUNKS_AHEAD: Final = 4


class Signature(NamedTuple):
    """One signature to check, and by which enrolled key."""

    container: bytes
    statement: bytes
    spki: bytes
    alg: str


class Fault(NamedTuple):
    """What is wrong with a signature."""

    code: FindingCode
    detail: str


@lru_cache(maxsize=20_000)
def _load(spki: bytes, alg: str) -> VerifyingKey | None:
    try:
        return load_verifying_key(spki, alg)
    except MalformedKeyError:
        return None


def fault_of(signature: Signature) -> Fault | None:
    """Return what is wrong with a signature, or None."""
    key = _load(signature.spki, signature.alg)
    if key is None:
        return Fault("key-not-valid", "the enrolled key is not a usable key")
    try:
        verify_container(signature.container, signature.statement, key)
    except SigningError as error:
        return Fault("signature-invalid", error.code)
    return None


def _faults_of(signatures: list[Signature]) -> list[Fault | None]:
    return [fault_of(signature) for signature in signatures]


class SignatureChecker:
    """Checks signatures at once, or later in further processes; `close` it in any case.

    Attributes:
        checked: signatures looked at, valid or not.
        trusting: take signatures for good without a look, while that is set: for events whose
            very bytes were checked before.
    """

    def __init__(self, findings: Findings, *, processes: int = 1) -> None:
        self.checked = 0
        self.trusting = False
        self._findings = findings
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None
        self._signatures: list[Signature] = []
        self._places: list[Place] = []
        self._running: deque[tuple[list[Place], Future[list[Fault | None]]]] = deque()

    def check(self, signature: Signature, place: Place) -> bool:
        """Tell whether the signature is good; report it when not."""
        if self.trusting:
            return True
        self.checked += 1
        return self._report(fault_of(signature), place)

    def check_later(self, signature: Signature, place: Place) -> bool:
        """As `check`, where nothing depends on the answer: it may be True for a bad signature."""
        if self._processes <= 1 or self.trusting:
            return self.check(signature, place)
        self.checked += 1
        self._signatures.append(signature)
        self._places.append(place)
        if len(self._signatures) >= _CHUNK:
            self._send()
        return True

    def finish(self) -> None:
        """Report what is still under way.

        Raises:
            UnavailableError: a process was ended from outside.
        """
        if self._signatures:
            self._send()
        while self._running:
            self._receive()

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _send(self) -> None:
        if self._pool is None:
            # Spawned, not forked: a fork would share the database connection.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._processes, mp_context=context)
        future = self._pool.submit(_faults_of, self._signatures)
        self._running.append((self._places, future))
        self._signatures, self._places = [], []
        if len(self._running) > _CHUNKS_AHEAD * self._processes:
            self._receive()

    def _receive(self) -> None:
        places, future = self._running.popleft()
        try:
            faults = future.result()
        except BrokenProcessPool:
            raise UnavailableError("a verifying process was ended from outside") from None
        for place, fault in zip(places, faults, strict=True):
            self._report(fault, place)

    def _report(self, fault: Fault | None, place: Place) -> bool:
        if fault is not None:
            self._findings.add(fault.code, place, fault.detail)
        return fault is None
