"""Keep the signer's own last checkpoint in a file outside the database.

The file is what makes the signer a witness of its own ledger: whoever rewrites or restores the
database does not thereby change what was signed. It is written before anyone is shown the
signature, and it never goes back.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, Protocol

import msgspec

from ledger.clock import Clock, SystemClock
from ledger.durable import replace_file, sync
from ledger.errors import EnvironmentRefusedError
from ledger.merkle import CompactRange
from signing.checkpoints import Checkpoint, parse_checkpoint
from signing.errors import SigningError
from signing.notes import parse_note
from signing.statement import TimeText, format_time_ms

_FORMAT: Final = "clinledger/checkpoint-state/v1"
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600


class SignerState(msgspec.Struct, frozen=True, kw_only=True):
    """The last checkpoint that was signed.

    Attributes:
        checkpoint: its size and root.
        note: the signed note's exact bytes.
        peaks: hashes of the tree's perfect subtrees, largest first.
    """

    checkpoint: Checkpoint
    note: bytes
    peaks: tuple[bytes, ...]


class StateStore(Protocol):
    """Where the signer keeps its last checkpoint: outside the database, on storage of its own."""

    def load(self) -> SignerState | None:
        """Return the last state saved, or None when there was never one.

        Whether the ledger's key signed it is for the caller to check: the key may have been
        replaced since.

        Raises:
            EnvironmentRefusedError: what is there cannot be read, or is no state.
        """
        ...

    def save(self, state: SignerState) -> None:
        """Replace the state: wholly or not at all, durable on return.

        Raises:
            EnvironmentRefusedError: it cannot be written. It may or may not have been.
        """
        ...

    def record_decision(self, checkpoint: Checkpoint, reason: str) -> None:
        """Record that the state is begun anew from this checkpoint, and why; durable on return.

        Raises:
            EnvironmentRefusedError: it cannot be written.
        """
        ...


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A human decision to begin the state anew, one line of JSON in `<state>.decisions`.

    Attributes:
        decided_at: by this machine's clock.
        size: of the checkpoint from which signing goes on.
        root: its root, lower-case hex.
        reason: in the words of whoever decided.
    """

    decided_at: TimeText
    size: int
    root: str
    reason: str


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal["clinledger/checkpoint-state/v1"]
    note: str
    peaks: tuple[str, ...]


class StateFile(StateStore):
    """A file of strict JSON: `format`, `note` (the signed note) and `peaks` (hex)."""

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        """Use this file; its folder is made when it is first written."""
        self.path = path
        self._clock = clock or SystemClock()

    def load(self) -> SignerState | None:
        """Read the file, and check its form and that peaks and root belong together."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise EnvironmentRefusedError(f"cannot read {self.path}: {error.strerror}") from None
        try:
            return _decode(data)
        except (msgspec.DecodeError, ValueError, SigningError):
            raise EnvironmentRefusedError(f"{self.path} is no state of a signer") from None

    def save(self, state: SignerState) -> None:
        """Write the file aside, fsync it, rename it, fsync the folder.

        A crash before the rename leaves the old state, and a signature that nobody has seen; after
        it, the new one.
        """
        try:
            self.path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            replace_file(self.path, _encode(state))
        except OSError as error:
            raise EnvironmentRefusedError(f"cannot write {self.path}: {error.strerror}") from None

    def record_decision(self, checkpoint: Checkpoint, reason: str) -> None:
        """Append a line to the file of decisions."""
        path = self.path.with_name(f"{self.path.name}.decisions")
        decision = Decision(
            decided_at=format_time_ms(self._clock.now_ms()),
            size=checkpoint.size,
            root=checkpoint.root.hex(),
            reason=reason,
        )
        try:
            self.path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(msgspec.json.encode(decision) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            sync(path.parent)
        except OSError as error:
            raise EnvironmentRefusedError(f"cannot write {path}: {error.strerror}") from None

    @contextmanager
    def locked(self) -> Generator[None]:
        """Hold the lock beside the file, which ends with the process.

        Raises:
            EnvironmentRefusedError: another process holds it, or the folder cannot be written.
        """
        path = self.path.with_name(f"{self.path.name}.lock")
        try:
            self.path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, _FILE_MODE)
        except OSError as error:
            raise EnvironmentRefusedError(f"cannot write {path}: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise EnvironmentRefusedError("another checkpoint process runs here") from None
        try:
            yield
        finally:
            os.close(descriptor)


def _encode(state: SignerState) -> bytes:
    return msgspec.json.encode(
        _File(
            format=_FORMAT,
            note=state.note.decode(),
            peaks=tuple(peak.hex() for peak in state.peaks),
        )
    )


def _decode(data: bytes) -> SignerState:
    file = msgspec.json.decode(data, type=_File)
    note = file.note.encode()
    checkpoint = parse_checkpoint(parse_note(note).text)
    peaks = tuple(bytes.fromhex(peak) for peak in file.peaks)
    if CompactRange.from_peaks(checkpoint.size, peaks).root() != checkpoint.root:
        raise ValueError("the peaks do not lead to the root")
    state = SignerState(checkpoint=checkpoint, note=note, peaks=peaks)
    if _encode(state) != data:
        raise ValueError("not in its only spelling")
    return state
