"""Run the checkpoint process, as a child of the server: `python -m api.checkpoint.process`.

It stops when its standard input ends, so that none is left behind by a server that was killed.
When it refuses to sign it says why, in its log and in its status file, and does nothing more until
it is stopped: a person has to look.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from api.checkpoint.heads import HeadsPublisher, find_last
from api.checkpoint.rounds import Pace, Rounds
from api.checkpoint.status import StatusFile
from api.checkpoint_keys import KeyFolder, key_names
from api.children import stop_event
from api.keystore import KeyStore
from api.logs import configure_logs, error_fields
from api.settings import Settings, read_settings
from api.witness.group import WitnessGroup
from ledger.checkpointing.follower import InconsistentLedgerError, Progress
from ledger.checkpointing.signer import SignerRefusedError, resume
from ledger.checkpointing.state import StateFile
from ledger.checkpointing.table import CheckpointTable
from ledger.clock import SystemClock
from ledger.errors import EnvironmentRefusedError, LedgerError
from ledger.founding import open_keyring
from ledger.reader import LedgerReader
from ledger.store import EntryStore
from signing.errors import SigningError
from signing.policies import Policy, parse_policy

_STOPPED: Final = 0
_REFUSED: Final = 1
_UNUSABLE: Final = 2
_GRACE_SECONDS: Final = 5.0


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """How to begin.

    Attributes:
        new_state: the reason for beginning without a state, if that was decided.
        policy: file that names the witnesses; default the one in the home, if it is there.
        pace: how often to publish.
        heads: whether to publish the newest entries of all streams, hourly.
    """

    new_state: str | None = None
    policy: Path | None = None
    pace: Pace = Pace()
    heads: bool = True


@contextlib.asynccontextmanager
async def open_rounds(
    settings: Settings,
    *,
    status: StatusFile,
    begin: Begin | None = None,
    progress: Progress | None = None,
) -> AsyncGenerator[Rounds]:
    """Resume signing as the settings say, holding the lock of the state; verifies the ledger.

    Args:
        settings: where the ledger and the keys are.
        status: where to say how it goes.
        begin: how to begin, where it is not as usual.
        progress: told while the ledger is verified.

    Raises:
        InconsistentLedgerError: something is wrong with the ledger; nothing is signed.
        EnvironmentRefusedError: no key, no state where there must be one, another process runs.
        UnavailableError: the database does not answer.
    """
    store = KeyStore(settings.keys)
    if not key_names(store):
        raise EnvironmentRefusedError(f"there is no checkpoint key in {settings.keys}")
    begin = begin or Begin()
    policy = read_policy(settings, begin.policy)
    state = StateFile(settings.checkpoint_state)
    database = await asyncio.to_thread(settings.open_database)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(state.locked())
        reader = stack.enter_context(database.connect("reader", name="clinledger-checkpoint"))
        writer = stack.enter_context(database.connect("writer", name="clinledger-checkpoint"))
        keyring = open_keyring(EntryStore(reader, database), settings.home)
        checkpointer = await asyncio.to_thread(
            resume,
            reader,
            database,
            keyring,
            keys=KeyFolder(store, keyring.origin),
            state=state,
            table=CheckpointTable(writer, database),
            new_state=begin.new_state,
            progress=progress,
        )
        witnesses = None
        if policy is not None:
            witnesses = await stack.enter_async_context(WitnessGroup(policy))
        heads = None
        if begin.heads:
            facility = checkpointer.follower.directory.facility
            last = await asyncio.to_thread(
                find_last, LedgerReader(reader, database, keyring), facility
            )
            heads = HeadsPublisher(checkpointer.follower, settings, last=last, clock=SystemClock())
        yield Rounds(
            checkpointer,
            CheckpointTable(writer, database, "publication"),
            policy=policy,
            witnesses=witnesses,
            status=status,
            clock=SystemClock(),
            pace=begin.pace,
            heads=heads,
        )


def read_policy(settings: Settings, chosen: Path | None) -> Policy | None:
    """Return the policy that names the witnesses: the file chosen, or the one in the home, if any.

    Raises:
        EnvironmentRefusedError: it cannot be read, or is no policy.
    """
    path = chosen or settings.witness_policy
    if chosen is None and not path.exists():
        return None
    try:
        return parse_policy(path.read_bytes())
    except OSError as error:
        raise EnvironmentRefusedError(f"cannot read {path}: {error.strerror}") from None
    except SigningError as error:
        raise EnvironmentRefusedError(f"{path} is no witness policy: {error}") from None


def main() -> int:
    """Sign checkpoints until told to stop; return the exit code.

    The loop stays open: closing it would wait for a verification that a thread may be busy with.
    """
    configure_logs()
    return asyncio.new_event_loop().run_until_complete(_run(read_settings(os.environ)))


async def _run(settings: Settings) -> int:
    log: Any = structlog.get_logger()
    stop = stop_event()
    status = StatusFile(settings.checkpoint_status, SystemClock())
    running = asyncio.create_task(_sign(settings, status, stop))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if not running.done():
            await asyncio.wait({running}, timeout=_GRACE_SECONDS)
        if running.done():
            running.result()
    except (InconsistentLedgerError, SignerRefusedError) as error:
        status.refuse(error)
        log.critical("no checkpoint is signed any more: verify first", detail=str(error))
        await stopped
        return _REFUSED
    except LedgerError as error:
        # The messages of these are our own and name no patient.
        log.critical("the checkpoint process stops", detail=str(error), **error_fields(error))
        return _UNUSABLE
    finally:
        running.cancel()
        stopped.cancel()
    return _STOPPED


async def _sign(settings: Settings, status: StatusFile, stop: asyncio.Event) -> None:
    status.tell("starting", 0)
    async with open_rounds(settings, status=status) as rounds:
        await rounds.run(stop)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
