"""Describe entries that were set aside (docs/format.md, Set aside).

Entries at the tail that no checkpoint covers may be set aside by two people's decision: their rows
are moved, byte for byte, to a table of their own, and the ledger goes on from the tree before them.
The event that records it names the tree with and without them, and a digest of every byte moved.
"""

from typing import Final

import msgspec

from ledger.merkle import CompactRange

TAG: Final = "tail-set-aside.v1"
FORMAT: Final = "clinledger/set-aside/v1"


class SetAsideRows(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in the tables of one decision.

    Attributes:
        size: of the tree that was kept.
        leaves: leaf hashes, recomputed, of the entries that were set aside, in their order.
        digest: SHA-256 of every byte moved, and of the heads before.
    """

    size: int
    leaves: tuple[bytes, ...]
    digest: bytes


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """What an event must say that records a decision.

    Attributes:
        size: of the tree that was kept; the event's own position.
        root: of that tree, hex.
        set_aside_size: of the tree with what was set aside.
        set_aside_root: of that tree, hex.
        digest: of every byte moved, hex.
    """

    size: int
    root: str
    set_aside_size: int
    set_aside_root: str
    digest: str


def describe(rows: SetAsideRows, kept: CompactRange) -> SetAside:
    """Say what the event must say; `kept` is the tree of that size and stays as it is."""
    tree = kept.copy()
    for leaf in rows.leaves:
        tree.append(leaf)
    return SetAside(
        size=kept.size,
        root=kept.root().hex(),
        set_aside_size=tree.size,
        set_aside_root=tree.root().hex(),
        digest=rows.digest.hex(),
    )


def second_text(origin: str, decided: SetAside, reason: str) -> bytes:
    """Return the text that the second registrar signs (purpose `set-aside`), UTF-8."""
    lines = (
        FORMAT,
        origin,
        str(decided.size),
        decided.root,
        str(decided.set_aside_size),
        decided.set_aside_root,
        decided.digest,
        reason,
    )
    return "".join(f"{line}\n" for line in lines).encode()
