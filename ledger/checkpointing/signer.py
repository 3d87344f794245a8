"""Sign checkpoints of a ledger: only what was verified, and only what continues the last one.

Each round: verify what is new; continue the tree of the own last checkpoint, from its own peaks,
over the new leaves; sign; save the state outside the database; store the note. A crash

- before the state is saved leaves a signature that nobody has seen;
- after it, and before the note is stored, is made good by `resume`, which stores it.
"""

from typing import Final

from ledger.checkpoint_keys import key_in_force, verify_in_force
from ledger.checkpointing.follower import Follower, InconsistentLedgerError, Progress, TrustedHead
from ledger.checkpointing.keys import SignerKeys, is_signed_by_any
from ledger.checkpointing.state import SignerState, StateStore
from ledger.checkpointing.table import Checkpoints, StoredCheckpoint
from ledger.database import Connection, Database
from ledger.errors import EnvironmentRefusedError
from ledger.keyring import Keyring
from ledger.merkle import CompactRange
from signing.checkpoints import Checkpoint, sign_checkpoint
from signing.errors import SigningError
from signing.notes import NoteSigner

NO_STATE: Final = (
    "checkpoints of this ledger are stored, but the signer's own state is missing: bring its file "
    "back, or decide to begin anew from the newest stored one with --new-state REASON"
)


class SignerRefusedError(EnvironmentRefusedError):
    """The signer may not sign here until a person has looked: no state, or not the right key."""


class Checkpointer:
    """Signs one ledger's checkpoints. One at a time; not to be shared by threads.

    Which key signs is the ledger's word, not the caller's: the one in force at the size. When an
    event has replaced it, the next checkpoint is signed by the new one.
    """

    def __init__(
        self, follower: Follower, keys: SignerKeys, *, state: StateStore, table: Checkpoints
    ) -> None:
        """Hold the parts; `resume` makes one that is ready.

        Args:
            follower: verifies what is new.
            keys: the private checkpoint keys that are at hand.
            state: the signer's own, outside the database.
            table: where checkpoints are stored.
        """
        self._follower = follower
        self._keys = keys
        self._state = state
        self._table = table
        self._last: SignerState | None = None

    @property
    def follower(self) -> Follower:
        """What verifies."""
        return self._follower

    @property
    def origin(self) -> str:
        """Whose checkpoints these are: the name of every key."""
        return self._follower.origin

    @property
    def last(self) -> SignerState | None:
        """The last checkpoint signed, or None."""
        return self._last

    def start(
        self, last: SignerState | None, *, new_state: str | None, progress: Progress | None
    ) -> None:
        """Verify the whole ledger, and bring state and table together. See `resume`."""
        size = self._follower.advance(progress=progress)
        if last is not None:
            self._check_own(last)
        if size:
            self._signer_at(size)
        newest = self._table.newest()
        stored = None if newest is None else self._check_stored(newest)
        if last is None and stored is not None and newest is not None:
            if not new_state:
                raise SignerRefusedError(NO_STATE)
            last = self._begin_anew(stored, newest.note, new_state)
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
            SignerRefusedError: the key in force is not here; nothing was signed.
            EnvironmentRefusedError: the state cannot be saved, or another process signs too. Start
                anew.
            UnavailableError: the database does not answer. Start anew.
        """
        size = self._follower.advance()
        if size == (self._last.checkpoint.size if self._last else 0):
            return None
        signer = self._signer_at(size)
        peaks = self._continue(size)
        checkpoint = Checkpoint(origin=self.origin, size=size, root=self._follower.tree.root())
        note = sign_checkpoint(checkpoint, signer)
        state = SignerState(checkpoint=checkpoint, note=note, peaks=peaks)
        self._state.save(state)
        self._last = state
        self._store(checkpoint, note)
        return state

    def publish(self, note: bytes, publications: Checkpoints) -> None:
        """Store a checkpoint for outsiders: one of our own, perhaps with cosignatures by now.

        Raises:
            InconsistentLedgerError: it is not one of this tree.
            SigningError: it is not signed by the key in force at its size.
            EnvironmentRefusedError, UnavailableError: as `sign_new`.
        """
        signed = self.verify(note)
        if signed.size > self._follower.tree.size or (
            self._follower.tree.root_at(signed.size) != signed.root
        ):
            raise self._refuse("a checkpoint to be published is not of this tree", signed.size)
        _add(publications, signed, note)

    def verify(self, note: bytes) -> Checkpoint:
        """Check that a checkpoint is signed by this ledger; its tree is not compared.

        Raises:
            SigningError: it is not signed by the key in force at its size.
        """
        return verify_in_force(note, self._follower.directory.checkpoint_keys).checkpoint

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

    def _signer_at(self, size: int) -> NoteSigner:
        """Return the key in force at a size, which must be at hand."""
        key = key_in_force(self._follower.directory.checkpoint_keys, size)
        signer = None if key is None else self._keys.find(key.vkey)
        if key is None or signer is None:
            since = "founding" if key is None or key.position == 0 else f"position {key.position}"
            raise SignerRefusedError(
                f"the private key of the checkpoint key in force since {since} is not here"
            )
        return signer

    def _check_own(self, last: SignerState) -> None:
        """Check the own last checkpoint, as far as the follower could not have done so."""
        tree, size = self._follower.tree, last.checkpoint.size
        if size > tree.size:
            raise self._refuse(f"the ledger has {tree.size} entries; {size} were signed", tree.size)
        if tree.root_at(size) != last.checkpoint.root:
            raise self._refuse("the tree is not the one that was signed last", size)
        try:
            self.verify(last.note)
        except SigningError as error:
            raise SignerRefusedError(
                f"the signer's state is not signed by the key in force at its size ({error.code})"
            ) from None

    def _check_stored(self, newest: StoredCheckpoint) -> Checkpoint:
        """Check the newest stored checkpoint; return what it says."""
        try:
            found = self.verify(newest.note)
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

    def _begin_anew(self, stored: Checkpoint, note: bytes, reason: str) -> SignerState:
        tree = CompactRange()
        for leaf in self._follower.tree.leaf_hashes(0, stored.size):
            tree.append(leaf)
        self._state.record_decision(stored, reason)
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
    keys: SignerKeys,
    state: StateStore,
    table: Checkpoints,
    new_state: str | None = None,
    progress: Progress | None = None,
) -> Checkpointer:
    """Take signing up where it was left, however it was left.

    1. The own last checkpoint is read. 2. The whole ledger is verified; below that checkpoint
    signatures need no second look, as the root shows that the bytes are the same, if a key that
    is at hand has signed it. 3. It is signed by the key that was in force, and the key in force
    now is at hand. 4. What is stored agrees; what was signed and not stored is stored.

    Args:
        connection: in the role `reader`, for this alone.
        database: where the ledger lies.
        keyring: opens sealed bodies.
        keys: the private checkpoint keys that are at hand.
        state: the signer's own, outside the database.
        table: where checkpoints are stored.
        new_state: the reason for beginning anew without a state, from the newest stored
            checkpoint; recorded. Not used where there is a state.
        progress: told now and then.

    Raises:
        InconsistentLedgerError: something is wrong; nothing is signed.
        SignerRefusedError: no state where there must be one, or not the key in force.
        EnvironmentRefusedError: the state cannot be read or written.
        UnavailableError: the database does not answer.
    """
    last = state.load()
    trusted = None
    if last is not None and is_signed_by_any(last.note, keys):
        trusted = TrustedHead(size=last.checkpoint.size, root=last.checkpoint.root)
    follower = Follower(connection, database, keyring, trusted=trusted)
    checkpointer = Checkpointer(follower, keys, state=state, table=table)
    checkpointer.start(last, new_state=new_state, progress=progress)
    return checkpointer
