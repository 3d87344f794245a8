"""Hold the submissions that wait for the sequencer's answer, and sort out contested event_ids."""

import asyncio
from collections.abc import Sequence

import msgspec

from ledger.errors import CorruptionError, EventConflictError, LedgerError
from ledger.lookup import Lookup
from ledger.rows import Outcome
from ledger.submission import Submission


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A submission and the promise of an answer to whoever sent it."""

    submission: Submission
    answer: asyncio.Future[Outcome]


def refuse(waiting: Sequence[Waiting], error: LedgerError) -> None:
    """Answer with an error, except those who have an answer or went away."""
    for item in waiting:
        if not item.answer.done():
            item.answer.set_exception(error)


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
