"""Hold what a decision is taken upon: the directory and the streams, as of one position."""

from collections.abc import Mapping

import msgspec

from ledger.errors import CommandRefusedError
from ledger.set_aside import SetAside
from ledger.state import DirectoryState, StreamState


class RuleContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules may look at.

    Attributes:
        directory: as it stands after the event before `position`.
        streams: the event's own stream (empty state if nothing was written to it yet) and those
            that `streams_needed` names.
        position: of the event to be decided.
        successor: origin of the ledger that succeeds this one, "" for none.
        set_aside: what was set aside at this position and waits to be recorded, or None.
    """

    directory: DirectoryState
    streams: Mapping[str, StreamState]
    position: int
    successor: str = ""
    set_aside: SetAside | None = None

    def __repr__(self) -> str:
        return f"<RuleContext position {self.position}>"


def refuse(code: str, pointer: str = "", detail: str = "") -> CommandRefusedError:
    """Build the refusal; `pointer` points into the statement unless the detail says otherwise."""
    return CommandRefusedError(code, pointer, detail)
