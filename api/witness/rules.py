"""Decide which checkpoints a witness cosigns (c2sp.org/tlog-witness, text of July 2026).

The checks, in the order of the specification, with their HTTP status:

1. the request is well formed: 400
2. the origin is known: 404
3. a trusted key of the origin signed, and no signature of such a key is wrong: 403
4. the old size is not above the new one: 400
5. the old size is that of the newest cosigned checkpoint: 409 with the size
6. an empty tree has the empty root: 422
7. from an empty tree, the proof is empty: 422
8. trees of one size have one root: 422
9. the proof shows that the new tree continues the old one: 422

Then, beyond the specification: a cosignature is never dated before the previous one: 503.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

from api.witness.request import AddCheckpoint, parse_add_checkpoint
from api.witness.state import Cosigned, StateTransaction, WitnessState
from ledger.clock import Clock
from ledger.errors import UnavailableError
from ledger.merkle import EMPTY_ROOT, InvalidProofError, verify_consistency
from signing.cosignatures import Cosigner
from signing.errors import SigningError
from signing.notes import Note, NoteVerifier, Verified, format_note, verify_note
from signing.vkeys import TYPE_MLDSA44

TEXT: Final = "text/plain; charset=utf-8"
SIZE: Final = "text/x.tlog.size"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What to answer over HTTP.

    Attributes:
        status: HTTP status.
        body: of the media type.
        media_type: plain text, or that of a size.
    """

    status: int
    body: bytes
    media_type: str = TEXT


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a log's history starts for this witness, instead of trust on first use."""

    size: int
    root: bytes


class WitnessedLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log that the witness knows.

    Attributes:
        origin: its name.
        keys: all named by the origin.
        pin: or None.
    """

    origin: str
    keys: tuple[NoteVerifier, ...]
    pin: Pin | None = None


class Watch(Protocol):
    """Is told what the operator of a witness should know."""

    def contradicted(self, origin: str, reason: str) -> None:
        """Hear that a log signed what contradicts the history that was cosigned."""
        ...


class _RefusedError(Exception):
    """The request is answered with this and nothing was recorded."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.answer = Answer(status=status, body=f"{reason}\n".encode())


class _ContradictionError(_RefusedError):
    """The log signed what does not continue its cosigned history: kept as evidence."""


class Witness:
    """Cosigns checkpoints of known logs that continue what it cosigned before. Thread-safe."""

    def __init__(
        self,
        *,
        logs: Sequence[WitnessedLog],
        cosigners: Sequence[Cosigner],
        state: WitnessState,
        clock: Clock,
        watch: Watch,
    ) -> None:
        """Take the known logs, the witness's keys (all of one name), its memory and its clock."""
        self._logs: Mapping[str, WitnessedLog] = {log.origin: log for log in logs}
        self._hashes = {hashlib.sha256(log.origin.encode()).hexdigest(): log.origin for log in logs}
        self._cosigners = tuple(cosigners)
        self._state = state
        self._clock = clock
        self._watch = watch

    @property
    def vkeys(self) -> tuple[str, ...]:
        """Return the witness's verifier keys."""
        return tuple(str(cosigner.verifier.vkey) for cosigner in self._cosigners)

    def latest(self, origin_hash: str) -> bytes | None:
        """Return the newest cosigned note of the log with this hex SHA-256 of the origin.

        Raises:
            UnavailableError: the state cannot be read.
        """
        origin = self._hashes.get(origin_hash)
        found = None if origin is None else self._state.latest(origin)
        return None if found is None else found.note

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a request; a cosignature is durable in the state before it is returned."""
        try:
            return self._decide(body)
        except _RefusedError as refused:
            return refused.answer
        except UnavailableError as error:
            return Answer(status=503, body=f"{error}\n".encode())

    def _decide(self, body: bytes) -> Answer:
        request = self._parse(body)
        log = self._logs.get(request.checkpoint.origin)
        if log is None:
            raise _RefusedError(404, "unknown log")
        verified = _check_signatures(request, log)
        if request.old_size > request.checkpoint.size:
            raise _RefusedError(400, "the old size is above the checkpoint's")
        return self._step(request, body, log=log, verified=verified)

    def _parse(self, body: bytes) -> AddCheckpoint:
        try:
            request = parse_add_checkpoint(body)
        except SigningError as error:
            raise _RefusedError(400, f"malformed: {error}") from None
        extended = bool(request.checkpoint.extensions)
        if extended and any(key.verifier.vkey.type == TYPE_MLDSA44 for key in self._cosigners):
            raise _RefusedError(400, "extension lines are not cosigned here")
        return request

    def _step(
        self,
        request: AddCheckpoint,
        body: bytes,
        *,
        log: WitnessedLog,
        verified: Sequence[Verified],
    ) -> Answer:
        """Compare with the last cosigned checkpoint and replace it, as one locked step."""
        with self._state.transaction() as transaction:
            now = self._clock.now_ms() // 1000
            latest = transaction.latest(log.origin) or _start_of(log)
            try:
                conflict = _check_history(request, latest)
            except _ContradictionError as contradiction:
                reason = str(contradiction)
                self._keep(transaction, request, body, reason=reason, now=now)
                return contradiction.answer
            if conflict is not None:
                return conflict
            if now <= 0 or now < latest.time_seconds:
                raise UnavailableError("the witness's clock is behind its last cosignature")
            lines = [one.cosign(request.note.text, now) for one in self._cosigners]
            signatures = (*(one.line for one in verified), *lines)
            note = format_note(Note(text=request.note.text, signatures=signatures))
            checkpoint = request.checkpoint
            cosigned = Cosigned(
                size=checkpoint.size, root=checkpoint.root, time_seconds=now, note=note
            )
            transaction.record(log.origin, cosigned)
        # Committed: a crash from here on loses the answer, not the memory of having signed.
        return Answer(status=200, body="".join(map(str, lines)).encode())

    def _keep(
        self,
        transaction: StateTransaction,
        request: AddCheckpoint,
        body: bytes,
        *,
        reason: str,
        now: int,
    ) -> None:
        origin = request.checkpoint.origin
        transaction.refuse(origin, text=request.note.text, reason=reason, request=body, now=now)
        self._watch.contradicted(origin, reason)


def _check_signatures(request: AddCheckpoint, log: WitnessedLog) -> tuple[Verified, ...]:
    try:
        return verify_note(request.note, log.keys)
    except SigningError as error:
        raise _RefusedError(403, f"not signed by a trusted key: {error.code}") from None


def _start_of(log: WitnessedLog) -> Cosigned:
    pin = log.pin or Pin(size=0, root=EMPTY_ROOT)
    return Cosigned(size=pin.size, root=pin.root, time_seconds=0, note=b"")


def _check_history(request: AddCheckpoint, latest: Cosigned) -> Answer | None:
    """Check steps 5 to 9; return the answer of a mere conflict of sizes."""
    checkpoint = request.checkpoint
    if request.old_size != latest.size:
        if checkpoint.size == latest.size and checkpoint.root != latest.root:
            # The specification answers 409 here; but two roots of one size are a fork already.
            raise _ConflictingRootError(latest.size)
        return Answer(status=409, body=f"{latest.size}\n".encode(), media_type=SIZE)
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise _ContradictionError(422, "an empty tree with another root")
    if request.old_size == 0:
        if request.proof:
            raise _RefusedError(422, "a proof from an empty tree")
        return None
    try:
        verify_consistency(
            request.old_size,
            checkpoint.size,
            old_root=latest.root,
            new_root=checkpoint.root,
            proof=request.proof,
        )
    except InvalidProofError as error:
        raise _ContradictionError(422, f"consistency proof: {error}") from None
    return None


class _ConflictingRootError(_ContradictionError):
    def __init__(self, size: int) -> None:
        super().__init__(409, "another root at the cosigned size")
        self.answer = Answer(status=409, body=f"{size}\n".encode(), media_type=SIZE)
