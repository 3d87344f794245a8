"""Tell how a ledger stands: whether a decision waits to be recorded, or it has a successor."""

from collections.abc import Sequence

import msgspec

from ledger.profiles.facts import SetAsideFacts
from ledger.rows import Head
from ledger.set_aside import SetAside
from ledger.set_aside_table import find_pending
from ledger.store import EntryStore
from ledger.successor import read_successor


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What keeps a ledger from taking events as usual.

    Attributes:
        set_aside: what was set aside at the head and was not recorded when this was read, or None.
        successor: origin of the ledger that succeeds this one, "" for none.
    """

    set_aside: SetAside | None = None
    successor: str = ""


def read_standing(store: EntryStore, head: Head, *, recorded: Sequence[SetAsideFacts]) -> Standing:
    """Read how the ledger stands.

    Args:
        store: of the ledger.
        head: as committed.
        recorded: decisions to set entries aside that events record, by position.

    Raises:
        CorruptionError: as `ledger.set_aside_table.find_pending`.
    """
    return Standing(
        set_aside=find_pending(store, head, recorded=recorded),
        successor=read_successor(store.connection, store.database) or "",
    )
