"""Decide whether the ledger takes an event: pure, fast, on the state at its position."""

from ledger.facts import AnyFacts
from ledger.rules.context import RuleContext
from signing.statement import Statement

__all__ = ["RuleContext", "decide", "streams_needed"]


def streams_needed(statement: Statement, facts: AnyFacts) -> tuple[str, ...]:
    """Name the streams, besides the event's own, whose state `decide` will look at."""
    raise NotImplementedError


def decide(context: RuleContext, statement: Statement, facts: AnyFacts) -> None:
    """Refuse the event, or return.

    Checks the key, the role, the stream, the references and the rules of the type. Does not check
    the signature, `seen`, the clock, or whether the event_id was used before: the caller does.

    Raises:
        CommandRefusedError: with a code of docs/events.md.
    """
    raise NotImplementedError
