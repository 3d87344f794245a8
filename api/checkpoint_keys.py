"""Keep the ledger's checkpoint keys as files beside one another: one at first, one more each time.

`checkpoint.pem` is the founding event's, `checkpoint-2.pem` the next one's, and so on. The number
only keeps them apart: which key signs, the ledger's events say.
"""

import re
from collections.abc import Sequence
from typing import Final

from api.keystore import KeyStore
from ledger.checkpointing.keys import SignerKeys
from ledger.errors import EnvironmentRefusedError
from signing.errors import MalformedKeyError
from signing.notes import Ed25519Signer, NoteVerifier

CHECKPOINT_KEY: Final = "checkpoint"
"""Name of the first checkpoint key's file in the folder of keys."""

_NAME: Final = re.compile(rf"{CHECKPOINT_KEY}(-[0-9]+)?", re.ASCII)


def key_name(number: int) -> str:
    """Return the name of the file of the ledger's n-th checkpoint key, from 1."""
    return CHECKPOINT_KEY if number == 1 else f"{CHECKPOINT_KEY}-{number}"


def key_names(store: KeyStore) -> tuple[str, ...]:
    """Return the names of the checkpoint keys that are there."""
    return tuple(name for name in store.names() if _NAME.fullmatch(name))


class KeyFolder(SignerKeys):
    """The checkpoint keys in the folder of keys; files that appear later are found, too."""

    def __init__(self, store: KeyStore, origin: str) -> None:
        """Take the keys of the ledger of this origin."""
        self._store = store
        self._origin = origin
        self._signers: dict[str, Ed25519Signer] = {}

    def find(self, vkey: str) -> Ed25519Signer | None:
        """Return the key of this verifier key text, or None; the folder is read when need be."""
        if vkey not in self._signers:
            self._read()
        return self._signers.get(vkey)

    def verifiers(self) -> Sequence[NoteVerifier]:
        """Return what checks the signatures of all of them."""
        self._read()
        return [signer.verifier for signer in self._signers.values()]

    def _read(self) -> None:
        for name in key_names(self._store):
            key = self._store.load(name)
            if key is None:
                continue
            try:
                signer = Ed25519Signer(self._origin, key)
            except MalformedKeyError:
                path = self._store.path(name)
                raise EnvironmentRefusedError(f"{path} is no checkpoint key: not Ed25519") from None
            self._signers[str(signer.verifier.vkey)] = signer
