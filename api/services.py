"""Hold what routes need: one value, made once, handed to `create_app`.

Nothing here is global: tests and the server build it the same way.
"""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeAlias, cast

import msgspec
from fastapi import Depends
from starlette.requests import Request
from typing_extensions import override

from api.auth import Authenticator, Principal
from api.head_watch import HeadWatch
from api.ledger_schemas import Genesis
from api.metrics import Metrics
from api.nonces import SECRET_BYTES, NonceMint
from api.readers import ReaderPool
from ledger.admission import Admission
from ledger.clock import Clock
from ledger.database import Database
from ledger.errors import EnvironmentRefusedError, LedgerError
from ledger.keyring import Keyring
from ledger.sequencing import SequencerLike
from ledger.successor import read_successor
from signing.statement import format_time_ms


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes of one server need.

    Attributes:
        readers: for routes that run in threads.
        heads: the head as it is told to clients, and waiting for it to move.
        stopped: done when the sequencer has stopped for good, with the reason.
        checkpoint_status: file in which the checkpoint process says how it fares, if one runs.
        successor: origin of the ledger that succeeds this one, as of the server's start.
    """

    sequencer: SequencerLike
    admission: Admission
    readers: ReaderPool
    clock: Clock
    authenticator: Authenticator
    heads: HeadWatch
    nonces: NonceMint
    metrics: Metrics
    genesis: Genesis
    stopped: asyncio.Task[LedgerError]
    checkpoint_status: Path | None = None
    successor: str | None = None

    @override
    def __repr__(self) -> str:
        return f"Services(origin={self.sequencer.origin!r})"

    @property
    def origin(self) -> str:
        """The ledger's origin."""
        return self.sequencer.origin

    def now_seconds(self) -> int:
        """Return seconds since 1970."""
        return self.clock.now_ms() // 1000

    def close(self) -> None:
        """Close what `build_services` opened; the sequencer is its owner's to close."""
        self.stopped.cancel()
        self.readers.close()


def build_services(  # noqa: PLR0913 - what a server is made of
    sequencer: SequencerLike,
    *,
    database: Database,
    new_keyring: Callable[[], Keyring],
    clock: Clock,
    nonce_secret: bytes | None = None,
    checkpoint_status: Path | None = None,
) -> Services:
    """Build the services around a running sequencer, in its event loop.

    Args:
        sequencer: the ledger's only writer.
        database: where readers connect.
        new_keyring: a keyring for each reader, as they belong to one thread at a time.
        clock: judges tokens and stamps drafts.
        nonce_secret: 32 bytes that all workers share; fresh ones by default.
        checkpoint_status: where the checkpoint process says how it fares.

    Raises:
        EnvironmentRefusedError: the ledger was not founded yet.
    """
    metrics = Metrics()
    readers = ReaderPool(database, new_keyring)
    services = Services(
        sequencer=sequencer,
        admission=Admission(sequencer),
        readers=readers,
        clock=clock,
        authenticator=Authenticator(
            lambda: sequencer.directory, origin=sequencer.origin, clock=clock
        ),
        heads=HeadWatch(lambda: sequencer.head, clock=clock),
        nonces=NonceMint(
            nonce_secret or secrets.token_bytes(SECRET_BYTES), origin=sequencer.origin
        ),
        metrics=metrics,
        genesis=_genesis(readers),
        successor=_successor(readers),
        stopped=asyncio.create_task(sequencer.wait_stopped(), name="sequencer-stopped"),
        checkpoint_status=checkpoint_status,
    )
    metrics.watch(
        head_size=lambda: sequencer.head.size,
        waiting=lambda: sequencer.waiting,
        projected=readers.views_position,
    )
    return services


def _genesis(readers: ReaderPool) -> Genesis:
    with readers.reader() as reader:
        first = reader.events(-1, 1)
    if not first:
        raise EnvironmentRefusedError("the ledger was not founded yet: see `clinledger init`")
    return Genesis(
        leaf_hash=first[0].leaf_hash.hex(), received_at=format_time_ms(first[0].received_at_ms)
    )


def _successor(readers: ReaderPool) -> str | None:
    with readers.reader() as reader:
        return read_successor(reader.store.connection, reader.store.database)


def services_of(request: Request) -> Services:
    """Return the services of the application that handles a request."""
    return cast("Services", request.app.state.services)


async def _services(request: Request) -> Services:
    return services_of(request)


async def _principal(request: Request) -> Principal:
    # In the event loop, where the directory changes: no lock is needed to read it.
    return services_of(request).authenticator.authenticate(request)


Given: TypeAlias = Annotated[Services, Depends(_services)]
Caller: TypeAlias = Annotated[Principal, Depends(_principal)]
