"""Say which private checkpoint keys are at hand; which one signs, the ledger's events decide."""

from collections.abc import Sequence
from typing import Protocol

from signing.checkpoints import verify_checkpoint
from signing.errors import SigningError
from signing.notes import NoteSigner, NoteVerifier


class SignerKeys(Protocol):
    """The private checkpoint keys of one ledger that are at hand; more while one is replaced."""

    def find(self, vkey: str) -> NoteSigner | None:
        """Return the key of this verifier key text, or None when it is not here.

        Raises:
            EnvironmentRefusedError: the keys cannot be read.
        """
        ...

    def verifiers(self) -> Sequence[NoteVerifier]:
        """Return what checks the signatures of all of them.

        Raises:
            EnvironmentRefusedError: the keys cannot be read.
        """
        ...


class HeldKeys(SignerKeys):
    """Keys that are held in memory."""

    def __init__(self, *signers: NoteSigner) -> None:
        """Hold these, all named by the ledger's origin."""
        self._signers = {str(signer.verifier.vkey): signer for signer in signers}

    def find(self, vkey: str) -> NoteSigner | None:
        """Return the key of this verifier key text, or None."""
        return self._signers.get(vkey)

    def verifiers(self) -> Sequence[NoteVerifier]:
        """Return what checks the signatures of all of them."""
        return [signer.verifier for signer in self._signers.values()]


def is_signed_by_any(note: bytes, keys: SignerKeys) -> bool:
    """Tell whether a key that is at hand signed this checkpoint."""
    try:
        verify_checkpoint(note, keys.verifiers())
    except SigningError:
        return False
    return True
