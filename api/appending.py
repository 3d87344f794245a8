"""Append events on behalf of a principal: one, or a batch in order. Async end to end.

Who may carry whose events is decided here; everything about the event itself by admission and
the sequencer.
"""

import asyncio
import time
from collections.abc import Sequence

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


_peek_decoder = msgspec.json.Decoder(_Peek)


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
        done = await _append(services, principal, event)
        outcome = "created" if done.created else "repeated"
    except (RejectedError, NotAllowedError, BodyInvalidError):
        outcome = "refused"
        raise
    except UnavailableError:
        outcome = "unavailable"
        raise
    finally:
        services.metrics.append_seconds.labels(outcome).observe(time.perf_counter() - started)
    return done


async def append_in_order(
    services: Services, principal: Principal, events: Sequence[SubmittedEvent]
) -> list[Answer]:
    """Append events in this order and return one answer for each; a refused one stops none.

    Events go to the sequencer one after the other without waiting for each to be durable, so
    that a batch costs few commits. An event that must look something up first (its stream is not
    in memory) or that others may depend on before they are admitted (keys, roles) is waited for.
    """
    tasks: list[asyncio.Task[Answer]] = []
    for event in events:
        alone = _must_be_alone(services, event)
        if alone and tasks:
            await asyncio.wait(tasks)
        task = asyncio.create_task(_answer(services, principal, event))
        tasks.append(task)
        if alone:
            await asyncio.wait([task])
        else:
            await asyncio.sleep(0)  # runs it up to the sequencer's queue, and lets others run
    return list(await asyncio.gather(*tasks))


async def _append(services: Services, principal: Principal, event: SubmittedEvent) -> Outcome:
    peek = _peek(event)
    if peek.signer:  # without one it is no statement, and admission says so
        principal.require_may_submit_for(peek.signer)
    if peek.type == "key-enrolled.v1":
        await _check_nonce(services, peek, event)
    return await services.admission.submit(event)


async def _answer(services: Services, principal: Principal, event: SubmittedEvent) -> Answer:
    try:
        return await append(services, principal, event)
    except (LedgerError, NotAllowedError, BodyInvalidError) as error:
        return error


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


def _must_be_alone(services: Services, event: SubmittedEvent) -> bool:
    peek = _peek(event)
    directory = peek.stream_kind in {"staff", "facility"}
    return directory or services.sequencer.keyring.known(peek.stream) is None


def _peek(event: SubmittedEvent) -> _Peek:
    try:
        return _peek_decoder.decode(event.statement)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Peek()
