"""Carry one admitted event from an API worker to the sequencer, small and already checked."""

import msgspec

from ledger.facts import AnyFacts
from signing.statement import Statement


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """An event that admission found well formed, signed by the key it names, and sealed.

    What depends on the ledger's state (key and role at this position, rules, `seen`, the clock,
    duplicates) is still to be decided.

    Attributes:
        statement_digest: SHA-256 of the statement's exact bytes.
        container_digest: SHA-256 of the container's exact bytes.
        salt: the content's salt, so that its reuse can be refused.
        body: what will be stored beside the entry (ledger.sealing).
    """

    statement: Statement
    facts: AnyFacts
    statement_digest: bytes
    container_digest: bytes
    salt: bytes
    body: bytes

    def __repr__(self) -> str:
        """Show the type only."""
        return f"Submission(type={self.statement.type!r})"
