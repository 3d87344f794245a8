"""Append events on behalf of a principal: one, or a batch in order. Async end to end.

Who may carry whose events is decided here; everything about the event itself by admission and
the sequencer.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from api.auth import Principal
from api.errors import BodyInvalidError, NotAllowedError
from api.nonces import peek_possession
from api.services import Services
from ledger.errors import LedgerError, RejectedError, UnavailableError
from ledger.rows import Outcome
from ledger.submitted import SubmittedEvent
from signing.statement import statement_digest

Answer = Outcome | LedgerError | NotAllowedError | BodyInvalidError


class _Peek(msgspec.Struct, frozen=True, kw_only=True):
    # Read leniently: admission accepts one spelling only, and in that one this is what it says.
    event_id: str = ""
    signer: str = ""
    stream: str = ""
    stream_kind: str = ""
    type: str = ""


# A few milliseconds, for which other requests wait. After each event, deciding them one by one
# and turning the event loop took an eighth of the time of a batch.
_AT_ONCE: Final = 16
_DIRECTORY: Final = frozenset({"staff", "facility"})
_peek_decoder: Final = msgspec.json.Decoder(_Peek)


async def append(services: Services, principal: Principal, event: SubmittedEvent) -> Outcome:
    """Append one event; durable on return.

    Raises:
        NotAllowedError: the principal may not submit for this signer.
        BodyInvalidError: a new key's possession proof is over no nonce of this server.
        RejectedError: admission or the rules refuse it; nothing was stored.
        UnavailableError: try again with the same event.
    """
    started = time.perf_counter()
    outcome = "failed"
    try:
        begun = await _begin(services, principal, event, _peek(event))
        done = begun if isinstance(begun, Outcome) else await begun
        outcome = _word_for(done)
    except (LedgerError, NotAllowedError, BodyInvalidError) as error:
        outcome = _word_for(error)
        raise
    finally:
        services.metrics.observe_append(outcome, time.perf_counter() - started)
    return done


async def append_in_order(
    services: Services, principal: Principal, events: Sequence[SubmittedEvent]
) -> list[Answer]:
    """Append events in this order and return one answer for each; a refused one stops none.

    Events go to the sequencer one after the other without waiting for each to be durable, so
    that a batch costs few commits. Only an event that others may depend on before they are
    admitted (keys, roles) is waited for.
    """
    begun: list[Answer | asyncio.Future[Outcome]] = []
    for number, event in enumerate(events, 1):
        peek = _peek(event)
        alone = peek.stream_kind in _DIRECTORY
        if alone:
            await _settled(begun)
        started = time.perf_counter()
        try:
            answer = await _begin(services, principal, event, peek)
        except (LedgerError, NotAllowedError, BodyInvalidError) as error:
            answer = error
        _observe(services, answer, started)
        begun.append(answer)
        if alone:
            await _settled(begun)
        elif number % _AT_ONCE == 0:
            await asyncio.sleep(0)  # lets others run: the sequencer, and other requests
    return await _settled(begun)


async def _settled(begun: Sequence[Answer | asyncio.Future[Outcome]]) -> list[Answer]:
    """Wait for all answers. What is not an answer to these events is raised."""
    futures = [one for one in begun if isinstance(one, asyncio.Future)]
    if futures:
        await asyncio.wait(futures)
    return [_answer_of(one) if isinstance(one, asyncio.Future) else one for one in begun]


def _answer_of(done: asyncio.Future[Outcome]) -> Answer:
    error = done.exception()
    if error is None:
        return done.result()
    if isinstance(error, LedgerError):
        return error
    raise error


def _observe(services: Services, answer: Answer | asyncio.Future[Outcome], started: float) -> None:
    """Count and time an append, when its answer has come."""

    def observe(word: str) -> None:
        services.metrics.observe_append(word, time.perf_counter() - started)

    if isinstance(answer, asyncio.Future):
        answer.add_done_callback(
            lambda done: observe("failed" if done.cancelled() else _word_for(_answer_of(done)))
        )
    else:
        observe(_word_for(answer))


def _word_for(answer: Answer) -> str:
    match answer:
        case Outcome():
            return "created" if answer.created else "repeated"
        case RejectedError() | NotAllowedError() | BodyInvalidError():
            return "refused"
        case UnavailableError():
            return "unavailable"
        case _:
            return "failed"


async def _begin(
    services: Services, principal: Principal, event: SubmittedEvent, peek: _Peek
) -> Outcome | asyncio.Future[Outcome]:
    if peek.signer:  # without one it is no statement, and admission says so
        principal.require_may_submit_for(peek.signer)
    if peek.type == "key-enrolled.v1":
        await _check_nonce(services, peek, event)
    return await services.admission.begin(event)


async def _check_nonce(services: Services, peek: _Peek, event: SubmittedEvent) -> None:
    proved = peek_possession(event.content)
    if proved is None:
        return  # admission says what is wrong with it
    nonce, staff = proved
    try:
        services.nonces.check(nonce, staff=staff, now_seconds=services.now_seconds())
    except BodyInvalidError:
        # A retry gets its first receipt, however late it comes.
        digest = statement_digest(event.statement)
        if await services.sequencer.lookup.find(peek.event_id, digest) is None:
            raise


def _peek(event: SubmittedEvent) -> _Peek:
    try:
        return _peek_decoder.decode(event.statement)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Peek()
