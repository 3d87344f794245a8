"""Verify only what is new since an auditor's note, and a random sample of what the note covers.

The tree over all entries is recomputed in any case, so the note's root shows that the old entries
are byte by byte those that were verified then, with the digests of statements and signatures in
them. What rests on the note is that these signatures were good and the rules kept; that the old
bodies still lie there unchanged is what the sample looks at.
"""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from ledger.errors import EnvironmentRefusedError
from ledger.verify.report import Anchor, Findings, Place, Since
from ledger.verify.sample import draw
from ledger.verify.tree import LedgerTree
from signing.errors import SigningError
from signing.notes import MAX_NOTE_BYTES, Ed25519Verifier
from signing.statement import format_time_ms
from signing.verified import VerifiedUpTo, verify_verified


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """An auditor's note that was accepted, and how much of what it covers is sampled.

    Attributes:
        note: what the auditor signed.
        by: name of the auditor's key.
        spki: that key as SubjectPublicKeyInfo DER; it may be none of the ledger's.
        count: how many events below the note's size are derived again.
        seed: 32 bytes from which they are drawn: random, unless a draw is to be repeated.
        seed_given: whether somebody chose the seed.
    """

    note: VerifiedUpTo
    by: str
    spki: bytes
    count: int
    seed: bytes
    seed_given: bool = False

    @property
    def size(self) -> int:
        """The size below which the note is relied upon."""
        return self.note.size

    @property
    def sampled(self) -> frozenset[int]:
        """The positions that are derived again."""
        return _drawn(self.seed, self.count, self.size)

    def covers(self, position: int) -> bool:
        """Tell whether a position lies below the note's size."""
        return 0 <= position < self.size

    def told(self) -> Since:
        """Return what a report says of it."""
        return Since(
            size=self.size,
            root=self.note.root.hex(),
            by=self.by,
            at=format_time_ms(self.note.at_ms),
            signatures=self.note.signatures,
            rules=self.note.rules,
            contents=self.note.contents,
            sampled=self.count,
            seed=self.seed.hex(),
            seed_given=self.seed_given,
        )

    def anchors(self) -> Iterator[Anchor]:
        """Tell that the ledger is compared with it."""
        yield Anchor(kind="notes", count=1, size=self.size)

    def check_ledger(self, origin: str | None, keys: Sequence[bytes] = ()) -> None:
        """Refuse a note of another ledger, or by a checkpoint key of this one.

        Args:
            origin: of this ledger; None when nothing says it.
            keys: its checkpoint keys, SubjectPublicKeyInfo DER.

        Raises:
            EnvironmentRefusedError: it is not one to rest on.
        """
        if origin is not None and origin != self.note.origin:
            raise EnvironmentRefusedError(
                f"the note is of the ledger {self.note.origin}; this one is {origin}"
            )
        if self.spki in keys:
            raise EnvironmentRefusedError(
                "the note is signed by the ledger's own key: an auditor has a key of their own"
            )

    def check_tree(self, tree: LedgerTree, findings: Findings) -> None:
        """Compare with the tree of today, once all entries are in."""
        if self.size > tree.size:
            findings.add(
                "checkpoint-inconsistent",
                Place(position=tree.size),
                f"the note: verified at {self.size} entries; there are fewer now",
            )
        elif tree.root_at(self.size) != self.note.root:
            findings.add(
                "checkpoint-inconsistent",
                Place(position=self.size - 1),
                f"the note: another tree of {self.size} entries was verified",
            )


@functools.lru_cache(maxsize=1)
def _drawn(seed: bytes, count: int, size: int) -> frozenset[int]:
    return draw(seed, count, size)


def accept_note(path: Path, auditors: Sequence[Ed25519Verifier]) -> tuple[VerifiedUpTo, str, bytes]:
    """Read a note; return what it says, and name and key (SubjectPublicKeyInfo DER) of its auditor.

    Raises:
        EnvironmentRefusedError: it cannot be read, is no such note, or is by none of these.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_NOTE_BYTES + 1)
        said, auditor = verify_verified(data, auditors)
    except OSError as error:
        raise EnvironmentRefusedError(f"the note {path} cannot be read") from error
    except SigningError as error:
        raise EnvironmentRefusedError(f"the note {path} is not accepted ({error})") from None
    spki = next(one.spki for one in auditors if one.vkey == auditor.vkey)
    return said, auditor.vkey.name, spki
