"""Hold the submissions that wait for the sequencer, answer them, and sort out contested ids."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from ledger.errors import CorruptionError, EventConflictError, LedgerError, UnavailableError
from ledger.lookup import Lookup
from ledger.rows import Outcome, Receipt
from ledger.submission import Submission


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A submission and the promise of an answer to whoever sent it."""

    submission: Submission
    answer: asyncio.Future[Outcome]


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A submission that is in the ledger: by this batch (`created`), or accepted before."""

    item: Waiting
    event_id: str
    created: bool


def refuse(waiting: Sequence[Waiting], error: LedgerError) -> None:
    """Answer with an error, except those who have an answer or went away."""
    for item in waiting:
        if not item.answer.done():
            item.answer.set_exception(error)


async def answer(
    decided: Sequence[Decided], receipts: Mapping[str, Receipt], lookup: Lookup
) -> None:
    """Give everyone the receipt of their event, once its batch is committed.

    Args:
        decided: the batch's submissions, none of them refused.
        receipts: of the events that this batch appended, by event_id.
        lookup: finds the first receipts of the others, in one question.

    Raises:
        CorruptionError: an event that was accepted is gone.
        UnavailableError: the database does not answer.
    """
    earlier: list[Decided] = []
    for one in decided:
        receipt = receipts.get(one.event_id)
        if receipt is None:
            earlier.append(one)
        else:
            _settle(one.item, Outcome(receipt=receipt, created=one.created))
    if not earlier:
        return
    found = await lookup.first_outcomes({one.event_id for one in earlier})
    for one in earlier:
        outcome = found.get(one.event_id)
        if isinstance(outcome, UnavailableError):
            refuse([one.item], outcome)
        elif outcome is None or not outcome.is_of(one.item.submission.statement_digest):
            raise CorruptionError("acknowledged-missing", detail="an accepted event is gone")
        else:
            _settle(one.item, outcome)


def _settle(item: Waiting, outcome: Outcome) -> None:
    if not item.answer.done():  # else the caller went away
        item.answer.set_result(outcome)


async def without_taken_ids(waiting: Sequence[Waiting], lookup: Lookup) -> list[Waiting]:
    """Refuse the submissions whose event_id belongs to an event of another stream.

    A batch may hold such a clash and an honest retry of the same event_id: each is judged alone.

    Returns:
        The others, in the same order.

    Raises:
        CorruptionError: there is no clash, though the database says that an event_id is taken.
        UnavailableError: the database does not answer.
    """
    ids = list({item.submission.statement.event_id for item in waiting})
    found = await lookup.ask(lambda reader: reader.events_by_id(ids))
    home = {event.event_id: event.stream for event in found}
    free: list[Waiting] = []
    clash: list[Waiting] = []
    for item in waiting:
        statement = item.submission.statement
        taken = home.get(statement.event_id, statement.stream) != statement.stream
        (clash if taken else free).append(item)
    if not clash:
        raise CorruptionError("duplicate-event", detail="an event_id is taken by no event")
    refuse(clash, EventConflictError())
    return free
