"""A hospital whose checkpoints are signed, by a signer that tests stop and start at will."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Unpack

from typing_extensions import TypedDict, override

from ledger.checkpoint_keys import CheckpointKey
from ledger.checkpointing.keys import HeldKeys, SignerKeys
from ledger.checkpointing.signer import Checkpointer, resume
from ledger.checkpointing.state import SignerState, StateFile, StateStore
from ledger.checkpointing.table import Checkpoints, CheckpointTable, StoredCheckpoint
from ledger.database import Connection, Database
from ledger.open_directory import read_checkpoint_keys
from ledger.verify import Report, VerifyOptions, verify_ledger
from signing.checkpoints import Checkpoint, sign_checkpoint
from signing.keys import SoftKey
from signing.notes import Ed25519Signer
from tests.hospital import Hospital

CHECKPOINT_SIZES = (1, 100, 200, 260)
"""Of the checkpoints that are stored for the hostile tests."""


class Begin(TypedDict, total=False):
    """How a signer is started."""

    new_state: str | None
    state: StateStore
    wrap: "Callable[[Checkpoints], Checkpoints]"
    key: SoftKey
    keys: SignerKeys


class Checkpointed:
    """A hospital on a builder, and its signer."""

    def __init__(self, database: Database, hospital: Hospital, folder: Path) -> None:
        self.database = database
        self.hospital = hospital
        self.file = StateFile(folder / "checkpoint" / "ledger.state")
        self.signer = Ed25519Signer(hospital.builder.origin, hospital.checkpoint)
        self.keys = [hospital.checkpoint]
        self._connections: list[Connection] = []

    def close(self) -> None:
        """Close the connections of all signers."""
        for connection in self._connections:
            connection.close()

    def connect(self) -> Connection:
        """Return a connection of the owner, closed at the end."""
        connection = self.database.connect("owner")
        self._connections.append(connection)
        return connection

    @property
    def table(self) -> CheckpointTable:
        """What is stored."""
        return CheckpointTable(self.connect(), self.database)

    def start(self, **begin: Unpack[Begin]) -> Checkpointer:
        """Start a signer, as after a restart of its process."""
        wrap = begin.get("wrap", lambda table: table)
        key = begin.get("key")
        return resume(
            self.connect(),
            self.database,
            self.hospital.builder.keyring,
            keys=begin.get("keys") or self.held(*((key,) if key else self.keys)),
            state=begin.get("state", self.file),
            table=wrap(self.table),
            new_state=begin.get("new_state"),
        )

    @property
    def chain(self) -> tuple[CheckpointKey, ...]:
        """The ledger's checkpoint keys, as what is stored in the open names them."""
        return read_checkpoint_keys(self.connect(), self.database)

    def held(self, *keys: SoftKey) -> HeldKeys:
        """Return these as checkpoint keys of the ledger."""
        origin = self.hospital.builder.origin
        return HeldKeys(*(Ed25519Signer(origin, key) for key in keys))

    def rotate(self, *, lost: bool = False) -> SoftKey:
        """Give the ledger a new checkpoint key, and to signers that start later; return it."""
        self.hospital.rotate(lost=lost)
        self.hospital.builder.commit()
        self.keys.append(self.hospital.checkpoint)
        self.signer = Ed25519Signer(self.hospital.builder.origin, self.hospital.checkpoint)
        return self.hospital.checkpoint

    def saved(self) -> SignerState:
        """Return the state that lies in the file."""
        state = self.file.load()
        assert state is not None
        return state

    def notes(self, count: int = 1) -> None:
        """Append notes and commit them."""
        for number in range(count):
            self.hospital.note(self.hospital.other, text=f"Thêm {number}.")
        self.hospital.builder.commit()

    @property
    def size(self) -> int:
        """How many events the ledger has."""
        return len(self.hospital.builder.events)

    def checkpoint(self, size: int) -> Checkpoint:
        """Return what the honest ledger is at a size."""
        builder = self.hospital.builder
        return Checkpoint(origin=builder.origin, size=size, root=builder.roots[size])

    def sign(self, checkpoint: Checkpoint, key: SoftKey | None = None) -> bytes:
        """Sign anything, with the ledger's key or another."""
        signer = Ed25519Signer(checkpoint.origin, key) if key else self.signer
        return sign_checkpoint(checkpoint, signer)

    def store(self, note: bytes, *, size: int) -> None:
        """Put a note into the table, as a superuser can."""
        newest = self.table.newest()
        number = newest.number + 1 if newest else 1
        self.table.add(StoredCheckpoint(number=number, size=size, note=note))

    def verify(self, *files: Path) -> Report:
        """Verify, with checkpoints that somebody kept."""
        return verify_ledger(
            self.database,
            keyring=self.hospital.builder.keyring,
            options=VerifyOptions(checkpoints=files),
        )


def store_checkpoints(hospital: Hospital, sizes: Sequence[int]) -> None:
    """Store signed checkpoints of these sizes, and publish them."""
    builder = hospital.builder
    signer = Ed25519Signer(builder.origin, hospital.checkpoint)
    with builder.database.connect("owner") as connection:
        for number, size in enumerate(sizes, 1):
            checkpoint = Checkpoint(origin=builder.origin, size=size, root=builder.roots[size])
            note = sign_checkpoint(checkpoint, signer)
            stored = StoredCheckpoint(number=number, size=size, note=note)
            for table in ("checkpoint", "publication"):
                CheckpointTable(connection, builder.database, table).add(stored)


class Lost(Exception):  # noqa: N818 - not an error of the product
    """The process died here."""


class LosingState(StateStore):
    """A state file at whose next writing the process dies: before it, or just after."""

    def __init__(self, file: StateFile, *, happens: bool) -> None:
        self._file = file
        self._happens = happens

    @override
    def load(self) -> SignerState | None:
        return self._file.load()

    @override
    def record_decision(self, checkpoint: Checkpoint, reason: str) -> None:
        self._file.record_decision(checkpoint, reason)

    @override
    def save(self, state: SignerState) -> None:
        if self._happens:
            self._file.save(state)
        raise Lost


class LosingTable(Checkpoints):
    """A table at whose next insertion the process dies: before it, or just after."""

    def __init__(self, table: Checkpoints, *, happens: bool) -> None:
        self._table = table
        self._happens = happens

    @override
    def newest(self) -> StoredCheckpoint | None:
        return self._table.newest()

    @override
    def add(self, checkpoint: StoredCheckpoint) -> None:
        if self._happens:
            self._table.add(checkpoint)
        raise Lost
