"""Say what the importing process and its examining processes tell one another (ledger.wire)."""

from ledger.facts import AnyFacts
from ledger.wire import Message


class Lines(Message, frozen=True, kw_only=True):
    """Lines to be examined.

    Attributes:
        directory: grows when staff, keys or roles have changed.
    """

    directory: int
    lines: list[bytes]


class Ready(Message, frozen=True, kw_only=True):
    """An event that was examined and may be sealed and sequenced.

    Attributes:
        frame: its four parts (ledger.sealing).
    """

    frame: bytes
    facts: AnyFacts
    statement_digest: bytes
    container_digest: bytes
    salt: bytes


class There(Message, frozen=True, kw_only=True):
    """The very statement is in the ledger already."""

    event_id: str
    position: int
    leaf_hash: str


class Refused(Message, frozen=True, kw_only=True):
    """No state of the ledger would let the line in."""

    code: str


class Again(Message, frozen=True, kw_only=True):
    """To be admitted in its turn: what is refused here may be accepted after earlier lines."""


class Examined(Message, frozen=True, kw_only=True):
    """What became of each of the lines, in their order."""

    results: list[Ready | There | Refused | Again]
