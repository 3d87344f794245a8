"""Make logs, witnesses and checkpoints for tests: fixed keys, a tree of any size."""

import hashlib
from collections.abc import Sequence
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ed25519

from ledger.merkle import CompactRange, consistency_proof, leaf_hash
from signing.checkpoints import Checkpoint, sign_checkpoint
from signing.cosignatures import Ed25519Cosigner
from signing.keys import SoftKey
from signing.notes import Ed25519Signer

LOG_ORIGIN = "ledger.hospital-a.example/2026"
WITNESS_NAME = "witness.hospital-b.example/w1"
NOW_SECONDS = 1_790_000_000


@cache
def note_key(name: str) -> SoftKey:
    """Return the Ed25519 key that this name always has in tests."""
    seed = hashlib.sha256(f"test key {name}".encode()).digest()
    return SoftKey(ed25519.Ed25519PrivateKey.from_private_bytes(seed))


def log_signer(origin: str = LOG_ORIGIN) -> Ed25519Signer:
    """Return the signer of a log's checkpoints."""
    return Ed25519Signer(origin, note_key(origin))


def cosigner(name: str = WITNESS_NAME) -> Ed25519Cosigner:
    """Return a witness's cosigner."""
    return Ed25519Cosigner(name, note_key(name))


class Tree:
    """The tree of a log whose entries are the numbers, after a prefix: another prefix, a fork."""

    def __init__(self, prefix: str = "", *, common: int = 0) -> None:
        """Take the prefix of entries from number `common` on."""
        self._prefix = prefix
        self._common = common

    def leaf_hashes(self, start: int, end: int) -> Sequence[bytes]:
        """Return the hashes of these entries."""
        return [self._leaf(number) for number in range(start, end)]

    def tile_hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """Return hashes of whole subtrees of 256^level entries."""
        width = 256**level
        return [self._root(n * width, (n + 1) * width) for n in range(start, end)]

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` entries."""
        return self._root(0, size)

    def proof(self, old: int, new: int) -> list[bytes]:
        """Return the consistency proof between two sizes; empty from size 0 and between equals."""
        return consistency_proof(self, old, new) if 0 < old < new else []

    def checkpoint(self, size: int, origin: str = LOG_ORIGIN) -> Checkpoint:
        """Return the checkpoint at a size."""
        return Checkpoint(origin=origin, size=size, root=self.root(size))

    def signed(self, size: int, origin: str = LOG_ORIGIN) -> bytes:
        """Return the signed checkpoint at a size."""
        return sign_checkpoint(self.checkpoint(size, origin), log_signer(origin))

    def _leaf(self, number: int) -> bytes:
        prefix = self._prefix if number >= self._common else ""
        return leaf_hash(f"{prefix}{number}".encode())

    def _root(self, start: int, end: int) -> bytes:
        tree = CompactRange()
        for number in range(start, end):
            tree.append(self._leaf(number))
        return tree.root()
