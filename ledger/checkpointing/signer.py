"""Sign checkpoints of a ledger: only what was verified, and only what continues the last one.

Each round: verify what is new; continue the tree of the own last checkpoint, from its own peaks,
over the new leaves; sign; save the state outside the database; store the note. A crash

- before the state is saved leaves a signature that nobody has seen;
- after it, and before the note is stored, is made good by `resume`, which stores it.
"""

from typing import Final

from ledger.checkpointing.follower import Follower, InconsistentLedgerError, Progress, TrustedHead
from ledger.checkpointing.state import SignerState, StateStore
from ledger.checkpointing.table import Checkpoints, StoredCheckpoint
from ledger.database import Connection, Database
from ledger.errors import EnvironmentRefusedError
from ledger.keyring import Keyring
from ledger.merkle import CompactRange
from signing.checkpoints import Checkpoint, sign_checkpoint, verify_checkpoint
from signing.errors import SigningError
from signing.notes import NoteSigner

NO_STATE: Final = (
    "checkpoints of this ledger are stored, but the signer's own state is missing: bring its file "
    "back, or decide to begin anew from the newest stored one with --new-state REASON"
)


class SignerRefusedError(EnvironmentRefusedError):
    """The signer may not begin here until a person has looked: no state, or another key."""


class Checkpointer:
    """Signs one ledger's checkpoints with one key. One at a time; not to be shared by threads."""

    def __init__(
        self, follower: Follower, signer: NoteSigner, *, state: StateStore, table: Checkpoints
    ) -> None:
        """Hold the parts; `resume` makes one that is ready.

        Args:
            follower: verifies what is new.
            signer: the checkpoint key, named by the origin.
            state: the signer's own, outside the database.
            table: where checkpoints are stored.
        """
        self._follower = follower
        self._signer = signer
        self._state = state
        self._table = table
        self._last: SignerState | None = None

    @property
    def follower(self) -> Follower:
        """What verifies."""
        return self._follower

    @property
    def origin(self) -> str:
        """Whose checkpoints these are: the name of the key."""
        return self._signer.verifier.vkey.name

    @property
    def last(self) -> SignerState | None:
        """The last checkpoint signed, or None."""
        return self._last

    def start(
        self, last: SignerState | None, *, new_state: str | None, progress: Progress | None
    ) -> None:
        """Verify the whole ledger, and bring state and table together. See `resume`."""
        self._follower.advance(progress=progress)
        self._check_key()
        newest = self._table.newest()
        stored = None if newest is None else self._check_stored(newest)
        if last is None and stored is not None:
            if not new_state:
                raise SignerRefusedError(NO_STATE)
            last = self._begin_anew(stored, new_state)
        if last is not None and stored is not None and stored.size > last.checkpoint.size:
            raise self._refuse(
                f"a checkpoint of size {stored.size} is stored; the signer's own last one has "
                f"size {last.checkpoint.size}: its state was set back"
            )
        self._last = last
        if last is not None and (stored is None or stored.size < last.checkpoint.size):
            self._store(last.checkpoint, last.note)

    def check_witnessed(self, checkpoint: Checkpoint, *, witness: str) -> None:
        """Compare with what a witness cosigned last, before anything is signed.

        Args:
            checkpoint: its latest of this origin.
            witness: its name, for the finding.

        Raises:
            InconsistentLedgerError: the witness is ahead of the own last checkpoint, or has
                another tree.
        """
        size = self._last.checkpoint.size if self._last else 0
        if checkpoint.size > size:
            raise self._refuse(
                f"witness {witness} has cosigned size {checkpoint.size}; "
                f"the own last checkpoint has size {size}"
            )
        if self._follower.tree.root_at(checkpoint.size) != checkpoint.root:
            raise self._refuse(f"witness {witness} has cosigned another tree", checkpoint.size)

    def sign_new(self) -> SignerState | None:
        """Verify what is new and sign it; return the state, or None when nothing is new.

        Raises:
            InconsistentLedgerError: something is wrong; nothing was signed.
            EnvironmentRefusedError: the state cannot be saved, or another process signs too. Start
                anew.
            UnavailableError: the database does not answer. Start anew.
        """
        size = self._follower.advance()
        if size == (self._last.checkpoint.size if self._last else 0):
            return None
        peaks = self._continue(size)
        checkpoint = Checkpoint(origin=self.origin, size=size, root=self._follower.tree.root())
        note = sign_checkpoint(checkpoint, self._signer)
        state = SignerState(checkpoint=checkpoint, note=note, peaks=peaks)
        self._state.save(state)
        self._last = state
        self._store(checkpoint, note)
        return state

    def publish(self, note: bytes, publications: Checkpoints) -> None:
        """Store a checkpoint for outsiders: one of our own, perhaps with cosignatures by now.

        Raises:
            InconsistentLedgerError: it is not one of this tree.
            SigningError: it is not signed by this key.
            EnvironmentRefusedError, UnavailableError: as `sign_new`.
        """
        signed = verify_checkpoint(note, (self._signer.verifier,)).checkpoint
        if signed.size > self._follower.tree.size or (
            self._follower.tree.root_at(signed.size) != signed.root
        ):
            raise self._refuse("a checkpoint to be published is not of this tree", signed.size)
        _add(publications, signed, note)

    def refuse(self, detail: str) -> None:
        """Sign nothing any more, because of what was learnt elsewhere.

        Raises:
            InconsistentLedgerError: always.
        """
        raise self._refuse(detail)

    def _continue(self, size: int) -> tuple[bytes, ...]:
        """Continue the own last tree over the new leaves; return the new peaks."""
        tree = CompactRange()
        start = 0
        if self._last is not None:
            start = self._last.checkpoint.size
            tree = CompactRange.from_peaks(start, self._last.peaks)
        for leaf in self._follower.tree.leaf_hashes(start, size):
            tree.append(leaf)
        if tree.root() != self._follower.tree.root():
            raise self._refuse("the tree does not continue the one signed last", start)
        return tuple(tree.peaks)

    def _check_key(self) -> None:
        founded = self._follower.directory.checkpoint_key
        if founded and founded != str(self._signer.verifier.vkey):
            raise SignerRefusedError(
                "the checkpoint key here is not the one that the founding event names"
            )

    def _check_stored(self, newest: StoredCheckpoint) -> Checkpoint:
        """Check the newest stored checkpoint; return what it says."""
        try:
            found = verify_checkpoint(newest.note, (self._signer.verifier,)).checkpoint
        except SigningError as error:
            raise self._refuse(f"the newest stored checkpoint: {error.code}") from None
        tree = self._follower.tree
        if found.size > tree.size:
            raise self._refuse(
                f"the ledger has {tree.size} entries; a stored checkpoint has {found.size}",
                tree.size,
            )
        if tree.root_at(found.size) != found.root:
            raise self._refuse("the newest stored checkpoint is of another tree", found.size)
        return found

    def _begin_anew(self, stored: Checkpoint, reason: str) -> SignerState:
        tree = CompactRange()
        for leaf in self._follower.tree.leaf_hashes(0, stored.size):
            tree.append(leaf)
        self._state.record_decision(stored, reason)
        note = sign_checkpoint(stored, self._signer)
        state = SignerState(checkpoint=stored, note=note, peaks=tuple(tree.peaks))
        self._state.save(state)
        return state

    def _store(self, checkpoint: Checkpoint, note: bytes) -> None:
        _add(self._table, checkpoint, note)

    def _refuse(self, detail: str, position: int | None = None) -> InconsistentLedgerError:
        """Record a finding, after which nothing is signed any more; return the error to raise."""
        self._follower.add("checkpoint-inconsistent", detail, position=position)
        return self._follower.refusal()


def _add(table: Checkpoints, checkpoint: Checkpoint, note: bytes) -> None:
    newest = table.newest()
    number = 1 if newest is None else newest.number + 1
    table.add(StoredCheckpoint(number=number, size=checkpoint.size, note=note))


def resume(  # noqa: PLR0913 - everything that the signer rests on
    connection: Connection,
    database: Database,
    keyring: Keyring,
    *,
    signer: NoteSigner,
    state: StateStore,
    table: Checkpoints,
    new_state: str | None = None,
    progress: Progress | None = None,
) -> Checkpointer:
    """Take signing up where it was left, however it was left.

    1. The own last checkpoint is read. 2. The whole ledger is verified; below that checkpoint
    signatures need no second look, as the root shows that the bytes are the same. 3. The key is
    the founding event's. 4. What is stored agrees; what was signed and not stored is stored.

    Args:
        connection: in the role `reader`, for this alone.
        database: where the ledger lies.
        keyring: opens sealed bodies.
        signer: the checkpoint key, named by the origin.
        state: the signer's own, outside the database.
        table: where checkpoints are stored.
        new_state: the reason for beginning anew without a state, from the newest stored
            checkpoint; recorded. Not used where there is a state.
        progress: told now and then.

    Raises:
        InconsistentLedgerError: something is wrong; nothing is signed.
        SignerRefusedError: no state where there must be one, or another key.
        EnvironmentRefusedError: the state cannot be read or written.
        UnavailableError: the database does not answer.
    """
    last = state.load(signer.verifier)
    trusted = None
    if last is not None:
        trusted = TrustedHead(size=last.checkpoint.size, root=last.checkpoint.root)
    follower = Follower(connection, database, keyring, trusted=trusted)
    checkpointer = Checkpointer(follower, signer, state=state, table=table)
    checkpointer.start(last, new_state=new_state, progress=progress)
    return checkpointer
