"""Apply a decided event to the state of the directory and of its stream."""

from ledger.facts import AnyFacts
from ledger.rules.context import RuleContext
from signing.statement import Statement


def evolve(
    context: RuleContext, statement: Statement, facts: AnyFacts, *, statement_digest: bytes
) -> None:
    """Change the directory and the event's stream state in place; never fails once decided.

    The caller sets `version` and `leaf_hash` of the stream's state afterwards (or before: nothing
    here reads them).
    """
    raise NotImplementedError
