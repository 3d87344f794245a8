"""Found a ledger that succeeds another: gather what the old one was, and close it for writing."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from api.checkpoint.process import read_policy
from api.settings import Settings
from api.witness.client import WitnessHead
from api.witness.group import WitnessGroup
from ledger.checkpoint_keys import CheckpointKey, key_in_force, verify_in_force
from ledger.checkpointing.state import StateFile
from ledger.checkpointing.table import CheckpointTable
from ledger.database import Connection, Database
from ledger.errors import EnvironmentRefusedError
from ledger.merkle import leaf_hash
from ledger.migrate import migrate
from ledger.open_directory import read_checkpoint_keys
from ledger.setting_aside import only_writer
from ledger.store import EntryStore
from ledger.succession import Founding, second_text, successor_of
from ledger.successor import record_successor
from signing.checkpoints import verify_checkpoint
from signing.errors import SigningError
from signing.keys import SoftKey
from signing.notes import Ed25519Verifier, parse_note
from signing.second import sign_second
from signing.vkeys import parse_vkey

MAX_NOTE_BYTES: Final = 64 * 1024


class Old(msgspec.Struct, frozen=True, kw_only=True):
    """What the new ledger says of the old one.

    Attributes:
        key: verifier key text that signed `checkpoint`; its name is the old origin.
        genesis: leaf hash of its first entry, hex.
        checkpoint: its last good checkpoint.
        cosigned: its last one with a witness's cosignature, or None.
    """

    key: str
    genesis: str
    checkpoint: bytes
    cosigned: bytes | None

    @property
    def origin(self) -> str:
        """The old origin."""
        return parse_vkey(self.key).name


class Succession(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided: which ledger is succeeded, and why."""

    old: Old
    reason: str


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """Files that were named on the command line: the last good and the last cosigned checkpoint."""

    checkpoint: Path | None = None
    cosigned: Path | None = None


def old_of_key(key: str, *, genesis: str, notes: Notes) -> Old:
    """Describe an old ledger that is not at hand, by its checkpoint key.

    Raises:
        EnvironmentRefusedError: no checkpoint was given, or one is not signed by that key.
    """
    if notes.checkpoint is None:
        raise EnvironmentRefusedError("the old ledger's last good checkpoint is needed")
    try:
        verifier = Ed25519Verifier(parse_vkey(key))
        found = [
            None if path is None else _read(path) for path in (notes.checkpoint, notes.cosigned)
        ]
        for note in found:
            if note is not None:
                verify_checkpoint(note, (verifier,))
    except SigningError as error:
        raise EnvironmentRefusedError(f"not of the old ledger: {error}") from None
    return Old(key=key, genesis=genesis, checkpoint=found[0] or b"", cosigned=found[1])


async def old_of_schema(settings: Settings, schema: str, *, notes: Notes) -> Old:
    """Describe an old ledger that lies in another schema of the same database.

    Where no file is named, the newest checkpoint that the ledger signed is taken, of the signer's
    own state, the tables and the witnesses; and the newest of them that has a cosignature.

    Raises:
        EnvironmentRefusedError: there is no ledger, or nothing of it was ever signed.
        CorruptionError: its directory is damaged: name its checkpoint key instead.
    """
    there = msgspec.structs.replace(settings, schema=schema)
    database = await asyncio.to_thread(there.open_database)
    with database.connect("owner", name="clinledger-succession") as connection:
        keys = read_checkpoint_keys(connection, database)
        first = EntryStore(connection, database).entry_at(0)
        stored = _stored(there, connection, database)
    known = [*stored, *await _witnessed(there, parse_vkey(keys[0].vkey).name)]
    good = _newest(known if notes.checkpoint is None else [_read(notes.checkpoint)], keys)
    if good is None or first is None:
        raise EnvironmentRefusedError(f"there is no signed checkpoint of the ledger in {schema}")
    size, checkpoint = good
    key = key_in_force(keys, size) or keys[0]
    candidates = known if notes.cosigned is None else [_read(notes.cosigned)]
    cosigned = _newest([note for note in candidates if _is_cosigned(note)], (key,), up_to=size)
    return Old(
        key=key.vkey,
        genesis=leaf_hash(first).hex(),
        checkpoint=checkpoint,
        cosigned=None if cosigned is None else cosigned[1],
    )


def close_old(settings: Settings, schema: str, *, successor: str) -> None:
    """Record in the old ledger's schema which one succeeds it: it takes no more events.

    Raises:
        SequencerRunningError: its server runs.
        EnvironmentRefusedError: another one succeeds it, or it is not the one before.
    """
    database = msgspec.structs.replace(settings, schema=schema).open_database()
    migrate(database)
    with (
        database.connect("owner", name="clinledger-succession") as connection,
        only_writer(connection, database),
    ):
        row = EntryStore(connection, database).ledger()
        if row is None or successor_of(row.origin) != successor:
            raise EnvironmentRefusedError(
                f"the ledger in {schema} is succeeded by another origin"
                if row is None
                else f"the ledger {row.origin} is succeeded by {successor_of(row.origin)}"
            )
        record_successor(connection, database, successor)


def succeeds_member(
    succession: Succession, new_key: str, *, registrars: Mapping[str, SoftKey]
) -> dict[str, object]:
    """Return the member `succeeds` of the founding document, signed by the second registrar.

    Args:
        succession: what was decided.
        new_key: verifier key text of the new ledger's checkpoint key.
        registrars: of the new ledger, by staff id; the first one signs the event itself.
    """
    old = succession.old
    founding = Founding(
        new_key=new_key,
        registrars=[(staff, key.key_id) for staff, key in registrars.items()],
        old_key=old.key,
        genesis=old.genesis,
        checkpoint=old.checkpoint,
        cosigned=old.cosigned,
        reason=succession.reason,
    )
    staff, key = list(registrars.items())[1]
    signature = sign_second(key, purpose="successor", text=second_text(founding))
    member: dict[str, object] = {
        "origin": old.origin,
        "genesis": old.genesis,
        "checkpoint_key": old.key,
        "checkpoint": old.checkpoint.decode(),
        "reason": succession.reason,
        "second": {"signer": staff, "key_id": key.key_id, "signature": signature.decode()},
    }
    if old.cosigned is not None:
        member["cosigned_checkpoint"] = old.cosigned.decode()
    return member


def _stored(settings: Settings, connection: Connection, database: Database) -> list[bytes]:
    own = StateFile(settings.checkpoint_state).load()
    tables = (
        CheckpointTable(connection, database, "checkpoint").newest(),
        CheckpointTable(connection, database, "publication").newest(),
    )
    stored = [one.note for one in tables if one is not None]
    return stored if own is None else [own.note, *stored]


async def _witnessed(settings: Settings, origin: str) -> list[bytes]:
    policy = read_policy(settings, None)
    if policy is None:
        return []
    async with WitnessGroup(policy) as witnesses:
        heads = await witnesses.heads(origin)
    return [head.note for head in heads.values() if isinstance(head, WitnessHead)]


def _newest(
    notes: Sequence[bytes], keys: Sequence[CheckpointKey], *, up_to: int | None = None
) -> tuple[int, bytes] | None:
    """Return size and text of the newest note that the ledger has signed, or None."""
    found: list[tuple[int, bytes]] = []
    for note in notes:
        try:
            size = verify_in_force(note, keys).checkpoint.size
        except SigningError:
            continue
        if up_to is None or size <= up_to:
            found.append((size, note))
    return max(found, default=None)


def _is_cosigned(note: bytes) -> bool:
    try:
        return len(parse_note(note).signatures) > 1
    except SigningError:
        return False


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_NOTE_BYTES)
    except OSError as error:
        raise EnvironmentRefusedError(f"cannot read {path}: {error.strerror}") from None
