"""Apply those rules that need no facility key, for auditors who have none.

The persons of the directory are sealed, so their streams are not known whole; keys and roles are.
"""

from ledger.catalogue import CATALOGUE
from ledger.facts import AnyFacts, RotationFacts, SetAsideFacts
from ledger.rules.authority import check_author, check_key
from ledger.rules.context import RuleContext
from ledger.rules.recovery import check_set_aside
from ledger.rules.rotation import check_rotation
from signing.statement import Statement


def decide_in_the_open(context: RuleContext, statement: Statement, facts: AnyFacts) -> None:
    """Refuse an event of the directory by what is known without the key, or return.

    Raises:
        CommandRefusedError: with a code of docs/events.md.
    """
    check_key(context, statement)
    kind = CATALOGUE[statement.type]
    if kind.authors:
        check_author(context, statement, kind, facts)
    if isinstance(facts, RotationFacts):
        check_rotation(context, statement, facts)
    if isinstance(facts, SetAsideFacts):
        check_set_aside(context, statement, facts)
