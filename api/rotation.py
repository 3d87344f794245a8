"""Give the ledger a new checkpoint key: make the key, sign the event, and survive being killed.

The steps, and what a crash after each leaves:

1. the new key's file is written: a key that no event names; the same step finds it again;
2. the signed event is written to a file beside the signer's state: nothing else has happened;
3. the event is appended: a repetition appends the very same event, and gets its first receipt;
4. that file is removed.
"""

from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from api.author import Author
from api.checkpoint_keys import KeyFolder, key_name
from api.client import LedgerClient
from api.event_json import submission_json, submitted_event
from api.keystore import KeyStore
from api.schemas import EventReceipt, EventSubmission
from ledger.durable import replace_file
from ledger.errors import EnvironmentRefusedError, RejectedError
from ledger.state import DirectoryState
from ledger.submitted import SubmittedEvent
from signing.handovers import handover_text, sign_handover
from signing.keys import Signer
from signing.notes import Ed25519Signer
from signing.second import sign_second

ROTATED: Final = "checkpoint-key-rotated.v1"


class Second(NamedTuple):
    """A second registrar, and their key."""

    staff: str
    key: Signer


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided.

    Attributes:
        reason: why; stored in the open.
        lost: the old key is lost or not trusted: it does not sign.
        second: signs in its place.
    """

    reason: str
    lost: bool = False
    second: Second | None = None


class PendingEvent:
    """The file of the event that is being appended."""

    def __init__(self, path: Path) -> None:
        """Use this file, in a folder that exists or can be made."""
        self.path = path

    def load(self) -> SubmittedEvent | None:
        """Return the event that an interrupted command was about to append, or None.

        Raises:
            EnvironmentRefusedError: the file cannot be read.
        """
        try:
            body = msgspec.json.decode(self.path.read_bytes(), type=EventSubmission)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError):
            raise EnvironmentRefusedError(f"{self.path} cannot be read") from None
        return submitted_event(body)

    def save(self, event: SubmittedEvent) -> None:
        """Write the event, whole or not at all; durable on return.

        Raises:
            EnvironmentRefusedError: it cannot be written.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self.path, msgspec.json.encode(submission_json(event)))
        except OSError as error:
            raise EnvironmentRefusedError(f"cannot write {self.path}: {error.strerror}") from None

    def clear(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)


def prepare_key(keys: KeyStore, directory: DirectoryState) -> Ed25519Signer:
    """Return the ledger's next checkpoint key, made when there is none; durable on return.

    Raises:
        EnvironmentRefusedError: the folder of keys cannot be used.
        MalformedKeyError: the file of that name holds a key of another algorithm.
    """
    name = key_name(len(directory.checkpoint_keys) + 1)
    return Ed25519Signer(directory.origin, keys.load_or_create(name, "EdDSA"))


def rotation_document(
    keys: KeyStore, directory: DirectoryState, rotation: Rotation
) -> dict[str, object]:
    """Return the content of the event, with the new key made and everything signed.

    Raises:
        EnvironmentRefusedError: the key in force is not here.
    """
    new = prepare_key(keys, directory)
    old = None
    if not rotation.lost:
        old = KeyFolder(keys, directory.origin).find(directory.checkpoint_key)
        if old is None:
            raise EnvironmentRefusedError(
                "the private key of the checkpoint key in force is not here; if it is lost, two "
                "registrars replace it: --lost --second STAFF"
            )
    document: dict[str, object] = {
        "checkpoint_key": str(new.verifier.vkey),
        "handover": sign_handover(new, old).decode(),
        "reason": rotation.reason,
    }
    if rotation.second is not None:
        staff, key = rotation.second
        text = handover_text(new.verifier.vkey).encode()
        document["second"] = {
            "signer": staff,
            "key_id": key.key_id,
            "signature": sign_second(key, purpose="handover", text=text).decode(),
        }
    return document


async def append_once(
    client: LedgerClient, event: SubmittedEvent, pending: PendingEvent
) -> EventReceipt:
    """Append the event, which `pending` holds; forget it when the ledger has taken or refused it.

    Raises:
        RejectedError: the ledger refuses it, for good.
        UnavailableError: whether it was appended is unknown; `pending` keeps it.
    """
    try:
        receipt = await client.submit(event)
    except RejectedError:
        pending.clear()
        raise
    pending.clear()
    return receipt


async def sign_rotation(
    author: Author, document: dict[str, object], *, facility: str, pending: PendingEvent
) -> SubmittedEvent:
    """Sign the event and keep it in `pending`, durable on return."""
    event = await author.sign(ROTATED, document, stream=facility, stream_kind="facility")
    pending.save(event)
    return event
