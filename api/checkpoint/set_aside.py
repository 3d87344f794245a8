"""Set entries at the tail aside, as two people have decided, and record it as the next event."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from api.author import Author
from api.checkpoint.process import read_policy
from api.connect import start_local
from api.schemas import EventReceipt
from api.settings import Settings
from api.witness.client import WitnessError, WitnessHead
from api.witness.group import WitnessGroup
from ledger.checkpointing.signer import NO_STATE
from ledger.checkpointing.state import StateFile
from ledger.checkpointing.table import CheckpointTable
from ledger.clock import SystemClock
from ledger.database import Connection, Database
from ledger.errors import EnvironmentRefusedError
from ledger.founding import open_keyring
from ledger.reader import LedgerReader
from ledger.roles import Role
from ledger.set_aside import TAG, second_text
from ledger.set_aside_table import find_pending
from ledger.setting_aside import has_tail, only_writer, set_tail_aside
from ledger.state import DirectoryState
from ledger.store import EntryStore
from ledger.stream_cache import StreamCache
from projections.rebuild import begin_anew, drop_inactive
from projections.tracking import install_views
from signing.checkpoints import Checkpoint, parse_checkpoint
from signing.errors import SigningError
from signing.keys import SoftKey
from signing.notes import parse_note
from signing.second import Purpose, sign_second

_AUTHORS: Final[tuple[Role, ...]] = ("registrar", "administrator")


class Signer(NamedTuple):
    """A member of staff who decides, and their key."""

    staff: str
    key: SoftKey


class Deciders(NamedTuple):
    """Two different people: the first authors the event, the second is a registrar."""

    first: Signer
    second: Signer


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided.

    Attributes:
        size: number of entries that are kept.
        reason: why; it is stored in the open and names no patient.
        choose: finds the two deciders' keys, given the directory as of the kept entries.
        policy: file that names the witnesses; default the one in the home, if it is there.
    """

    size: int
    reason: str
    choose: Callable[[DirectoryState], Deciders]
    policy: Path | None = None


class _Ready(NamedTuple):
    """What was set aside and waits to be recorded, and who records it."""

    facility: str
    content: dict[str, object]
    first: Signer


async def set_aside(settings: Settings, decision: Decision) -> EventReceipt:
    """Set aside every entry from position `size` on, and append the event that records it.

    1. No sequencer and no signer run, and none begins. 2. Everything that was signed is of what is
    kept: the signer's own last checkpoint, those stored, those of every witness. 3. In one
    transaction the rows are moved, the head set back and the views begun anew. 4. The event. When
    it is interrupted after 3, nothing can be appended before the same call has done 4.

    Raises:
        EnvironmentRefusedError: something was signed of it, nothing is there to be set aside, a
            witness does not answer, or a sequencer or a signer runs.
        CorruptionError: what is kept is damaged as well.
        UnavailableError: the database does not answer.
    """
    database = await asyncio.to_thread(settings.open_database)
    with StateFile(settings.checkpoint_state).locked():
        with database.connect("owner", name="clinledger-set-aside") as connection:
            signed = _signed_here(settings, connection, database)
            signed += await _witnessed(settings, connection, database, decision.policy)
            ready = await asyncio.to_thread(
                _decide, settings, connection, database, decision=decision, signed=signed
            )
            drop_inactive(connection, database)
        return await _record(settings, database, ready)


def _signed_here(
    settings: Settings, connection: Connection, database: Database
) -> list[Checkpoint]:
    """Return the signer's own last checkpoint and the newest stored ones."""
    own = StateFile(settings.checkpoint_state).load()
    tables = (
        CheckpointTable(connection, database, "checkpoint").newest(),
        CheckpointTable(connection, database, "publication").newest(),
    )
    stored = [one.note for one in tables if one is not None]
    if own is None and stored:
        raise EnvironmentRefusedError(NO_STATE)
    notes = stored if own is None else [own.note, *stored]
    try:
        return [parse_checkpoint(parse_note(note).text) for note in notes]
    except SigningError as error:
        raise EnvironmentRefusedError(f"a stored checkpoint is none: {error.code}") from None


async def _witnessed(
    settings: Settings, connection: Connection, database: Database, policy: Path | None
) -> list[Checkpoint]:
    """Return what every witness has cosigned last."""
    chosen = read_policy(settings, policy)
    row = EntryStore(connection, database).ledger()
    if chosen is None or row is None:
        return []
    async with WitnessGroup(chosen) as witnesses:
        heads = await witnesses.heads(row.origin)
    for name, head in heads.items():
        if isinstance(head, WitnessError):
            raise EnvironmentRefusedError(
                f"witness {name} does not say what it has cosigned ({head.fault}): nothing may be "
                "set aside before it does"
            )
    return [head.checkpoint for head in heads.values() if isinstance(head, WitnessHead)]


def _decide(
    settings: Settings,
    connection: Connection,
    database: Database,
    *,
    decision: Decision,
    signed: Sequence[Checkpoint],
) -> _Ready:
    """Move the rows, unless they are moved; return what the event must say."""
    install_views(connection, database)
    with only_writer(connection, database), connection.transaction():
        keyring = open_keyring(EntryStore(connection, database), settings.home)
        reader = LedgerReader(connection, database, keyring)
        if has_tail(connection, database, size=decision.size):
            begin_anew(connection, database)
            set_tail_aside(connection, database, size=decision.size, checkpoints=signed)
        cache = StreamCache()
        cache.load_directory(reader)
        directory = cache.directory
        found = find_pending(reader.store, reader.head(), recorded=directory.set_aside)
        if found is None:
            raise EnvironmentRefusedError(f"the ledger has {reader.head().size} entries")
        if found.size != decision.size:
            raise EnvironmentRefusedError(
                f"what was set aside from {found.size} on waits to be recorded: repeat that"
            )
        deciders = decision.choose(directory)
        _check_deciders(directory, deciders)
        text = second_text(directory.origin, found, decision.reason)
        return _Ready(
            facility=directory.facility,
            content={
                **msgspec.structs.asdict(found),
                "reason": decision.reason,
                "second": second_signature(deciders.second, text, purpose="set-aside"),
            },
            first=deciders.first,
        )


def second_signature(signer: Signer, text: bytes, *, purpose: Purpose) -> dict[str, str]:
    """Let the second person sign; return what stands in the content."""
    return {
        "signer": signer.staff,
        "key_id": signer.key.key_id,
        "signature": sign_second(signer.key, purpose=purpose, text=text).decode(),
    }


def _check_deciders(directory: DirectoryState, deciders: Deciders) -> None:
    """Refuse before anything is moved what the rules would refuse after it."""
    for signer, roles in ((deciders.first, _AUTHORS), (deciders.second, ("registrar",))):
        key = directory.key_for(signer.key.key_id)
        if key is None or key.staff != signer.staff or key.revoked_at_position is not None:
            raise EnvironmentRefusedError(f"no valid key of {signer.staff} is here")
        if directory.roles_of(signer.staff).isdisjoint(roles):
            raise EnvironmentRefusedError(f"{signer.staff} is no {' or '.join(roles)}")
    if deciders.first.staff == deciders.second.staff:
        raise EnvironmentRefusedError("two different people decide")


async def _record(settings: Settings, database: Database, ready: _Ready) -> EventReceipt:
    client = await start_local(settings, database)
    try:
        author = Author(client, ready.first.staff, ready.first.key, clock=SystemClock())
        return await author.append(
            TAG, ready.content, stream=ready.facility, stream_kind="facility"
        )
    finally:
        await client.close()
