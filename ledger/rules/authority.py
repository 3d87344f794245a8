"""Judge who may author an event: the key at this position, and the role."""

from typing import Final

from ledger.catalogue import CATALOGUE, EventType
from ledger.profiles.facts import AnyFacts, ResourceFacts
from ledger.roles import Role
from ledger.rules.context import RuleContext, refuse
from ledger.rules.references import target_of
from ledger.state import EventSummary, StreamState
from ledger.vietnam import amenders_of_form, authors_of_form
from signing.statement import Statement

_ROLE_FOR_CATEGORY: Final[dict[str, frozenset[Role]]] = {
    "laboratory": frozenset({"laboratory"}),
    "imaging": frozenset({"imaging"}),
}


def check_key(context: RuleContext, statement: Statement) -> None:
    """Demand that the signing key is the signer's and valid at this position.

    Raises:
        CommandRefusedError: `key-not-valid`.
    """
    key = context.directory.keys.get(statement.key_id)
    if key is None or not key.is_valid_at(context.position):
        raise refuse("key-not-valid", "/key_id")
    if key.staff != statement.signer:
        raise refuse("key-not-valid", "/signer", "the key belongs to someone else")
    if key.alg != statement.alg:
        raise refuse("key-not-valid", "/alg", "the key is enrolled for another algorithm")


def check_author(
    context: RuleContext, statement: Statement, kind: EventType, facts: AnyFacts
) -> None:
    """Demand that the signer holds a role that may author such an event.

    Raises:
        CommandRefusedError: `role-not-valid`, or `order-category` for a result to an order of a
            kind that takes none.
    """
    authors = kind.authors
    if isinstance(facts, ResourceFacts):
        order = None
        if "answers" in kind.required:
            order = target_of(context.streams[statement.stream], statement, "answers")
        authors = _authors_of(kind, facts.category, order)
    if authors.isdisjoint(context.directory.roles_of(statement.signer)):
        raise refuse("role-not-valid", "/signer")


def check_corrector(
    context: RuleContext, statement: Statement, stream: StreamState, root: EventSummary
) -> None:
    """Demand that the signer could author the entry, and wrote it or may correct it for others.

    Raises:
        CommandRefusedError: `role-not-valid` or `not-the-author`.
    """
    kind = CATALOGUE[root.type]
    roles = context.directory.roles_of(statement.signer)
    if _authors_of(kind, root.category, stream.events.get(root.order)).isdisjoint(roles):
        raise refuse("role-not-valid", "/signer")
    amenders = kind.amenders
    if root.type == "note-written.v1":
        amenders = amenders_of_form(root.category)
    if statement.signer != root.signer and amenders.isdisjoint(roles):
        raise refuse("not-the-author", "/signer")


def _authors_of(kind: EventType, category: str, order: EventSummary | None) -> frozenset[Role]:
    if kind.tag == "note-written.v1":
        return authors_of_form(category)
    if kind.tag == "result-reported.v1":
        authors = _ROLE_FOR_CATEGORY.get("" if order is None else order.category)
        if authors is None:
            raise refuse("order-category", "/refs", "such orders take no result")
        return authors
    return kind.authors
