"""Judge decisions that two people take when the ledger cannot go on."""

from ledger.profiles.facts import SetAsideFacts
from ledger.rules.context import RuleContext, refuse
from ledger.rules.second import check_second
from ledger.set_aside import second_text
from signing.statement import Statement


def check_not_succeeded(context: RuleContext) -> None:
    """Demand that no other ledger succeeds this one.

    Raises:
        CommandRefusedError: `ledger-succeeded`.
    """
    if context.successor:
        raise refuse("ledger-succeeded", "", f"append to {context.successor} instead")


def check_set_aside(context: RuleContext, statement: Statement, facts: SetAsideFacts) -> None:
    """Demand that exactly this was set aside here, and that a second registrar signed it.

    Raises:
        CommandRefusedError: `set-aside-unknown`: nothing was set aside at this position, or it is
            recorded; `set-aside-mismatch`: something else was; `second-not-valid` or
            `second-signature`. They concern the content.
    """
    if context.set_aside is None:
        raise refuse("set-aside-unknown", "", "nothing at this position waits to be recorded")
    if facts.decided != context.set_aside:
        raise refuse("set-aside-mismatch", "", "not what was set aside here")
    text = second_text(statement.ledger, facts.decided, facts.reason)
    check_second(context, statement, facts.second, text=text, purpose="set-aside")
