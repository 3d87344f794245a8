"""Tell in a file how the checkpoint process fares, for the API's `/readyz` and for operators."""

from pathlib import Path
from typing import Final, Literal

import msgspec

from ledger.checkpointing.follower import InconsistentLedgerError
from ledger.clock import Clock
from ledger.errors import EnvironmentRefusedError, LedgerError
from ledger.verify.report import Finding

State = Literal["starting", "ok", "unwitnessed", "refused"]
"""`unwitnessed`: signing, but without a quorum of witnesses for too long. `refused`: it found
something that it does not sign, and waits for a person."""

_REFRESH_MS: Final = 10_000
_LATE_MS: Final = 60_000
_FINDINGS: Final = 20


class CheckpointStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the checkpoint process fares.

    Attributes:
        state: in one word.
        size: of the last checkpoint signed; 0 before the first.
        told_at_ms: when it last said so, milliseconds since 1970.
        findings: why it refuses, the first of them.
        detail: why it refuses, in words.
    """

    state: State
    size: int
    told_at_ms: int
    findings: tuple[Finding, ...] = ()
    detail: str = ""


class StatusFile:
    """The file's writer. Not durable: after a crash of the machine it is written anew."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Write to this path, in a folder that exists or can be made."""
        self._path = path
        self._clock = clock
        self._told: CheckpointStatus | None = None

    def refuse(self, error: LedgerError) -> None:
        """Write that nothing is signed, and why.

        Raises:
            EnvironmentRefusedError: the file cannot be written.
        """
        findings = error.findings if isinstance(error, InconsistentLedgerError) else ()
        now = self._clock.now_ms()
        self._write(
            CheckpointStatus(
                state="refused",
                size=0,
                told_at_ms=now,
                findings=findings[:_FINDINGS],
                detail=str(error),
            )
        )

    def tell(self, state: State, size: int) -> None:
        """Write what is new, and now and then that nothing is.

        Raises:
            EnvironmentRefusedError: the file cannot be written.
        """
        now = self._clock.now_ms()
        status = CheckpointStatus(state=state, size=size, told_at_ms=now)
        told = self._told
        if (
            told is not None
            and msgspec.structs.replace(told, told_at_ms=now) == status
            and 0 <= now - told.told_at_ms < _REFRESH_MS
        ):
            return
        self._write(status)

    def _write(self, status: CheckpointStatus) -> None:
        aside = self._path.with_name(f".{self._path.name}.new")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            aside.write_bytes(msgspec.json.encode(status))
            aside.replace(self._path)
        except OSError as error:
            raise EnvironmentRefusedError(f"cannot write {self._path}: {error.strerror}") from None
        self._told = status


def read_status(path: Path) -> CheckpointStatus | None:
    """Return what the checkpoint process said last, or None when it never said anything."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=CheckpointStatus)
    except (OSError, msgspec.DecodeError):
        return None


def describe_status(path: Path | None, *, now_ms: int) -> str:
    """Return the state in one word for `/readyz`: also `none`, and `late` when it fell silent."""
    status = None if path is None else read_status(path)
    if status is None:
        return "none"
    if status.state != "refused" and now_ms - status.told_at_ms > _LATE_MS:
        return "late"
    return status.state
