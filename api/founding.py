"""Found a ledger, and finish what an interrupted founding left: its registrars, its own key."""

import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from api.author import Author
from api.checkpoint_keys import CHECKPOINT_KEY, key_name, key_names
from api.client import LedgerClient
from api.directory_documents import founding_document, practitioner_resource
from api.keystore import KeyStore
from api.ledger_staff import LedgerEnrolment, enrol_ledger, find_enrolment
from api.succession import Succession, succeeds_member
from ledger.ids import new_id
from ledger.reader import LedgerReader
from ledger.state import DirectoryState
from signing.keys import SoftKey


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """What a founded ledger lacks before staff can be enrolled and heads published.

    Attributes:
        registrars: number from 1, staff id and name of those who have no name yet.
        ledger: how far the ledger's own enrolment has come.
    """

    registrars: tuple[tuple[int, str, str], ...]
    ledger: LedgerEnrolment

    @property
    def is_nothing(self) -> bool:
        """Whether the founding is finished."""
        return not self.registrars and self.ledger.is_done


def founders(directory: DirectoryState) -> list[str]:
    """Return the staff ids of the first registrars, in the order of the founding event."""
    return [key.staff for key in directory.keys.values() if key.enrolled_at_position == 0]


def find_unfinished(
    reader: LedgerReader, directory: DirectoryState, keys: KeyStore, *, names: Sequence[str]
) -> Unfinished:
    """Tell what is missing; `names` are those of the first registrars, in their order."""
    return Unfinished(
        registrars=tuple(
            (number, staff, name)
            for number, (staff, name) in enumerate(
                zip(founders(directory), names, strict=True), start=1
            )
            if not reader.stream(staff)
        ),
        ledger=find_enrolment(reader, directory, keys),
    )


class FoundingKeys(NamedTuple):
    """The keys of a ledger to be founded.

    Attributes:
        checkpoint: signs its checkpoints.
        registrars: by staff id; the first one signs the founding event.
    """

    checkpoint: SoftKey
    registrars: Mapping[str, SoftKey]


def create_keys(
    keys: KeyStore, registrars: Mapping[str, KeyStore], *, is_successor: bool = False
) -> FoundingKeys:
    """Write the keys of a ledger to be founded, where they are not there yet.

    Args:
        keys: where the checkpoint key is kept.
        registrars: where the key of each staff id is kept.
        is_successor: whether the checkpoint key must be another than those that are here.
    """
    name = key_name(len(key_names(keys)) + 1) if is_successor else CHECKPOINT_KEY
    return FoundingKeys(
        checkpoint=keys.load_or_create(name, "EdDSA"),
        registrars={
            staff: store.load_or_create(staff, "ES256") for staff, store in registrars.items()
        },
    )


async def append_founding(
    author: Author, origin: str, keys: FoundingKeys, *, succession: Succession | None = None
) -> None:
    """Append the founding event as the first of the registrars.

    Args:
        author: the first registrar.
        origin: of the ledger.
        keys: of the ledger; the author's is the first registrar's.
        succession: which ledger it succeeds, and why; None for none.
    """
    document = founding_document(
        origin,
        checkpoint=keys.checkpoint,
        registrars=[
            (staff, key, secrets.token_urlsafe(16)) for staff, key in keys.registrars.items()
        ],
    )
    if succession is not None:
        document["succeeds"] = succeeds_member(
            succession, str(document["checkpoint_key"]), registrars=keys.registrars
        )
    await author.append("ledger-founded.v1", document, stream=new_id(), stream_kind="facility")


async def finish_founding(
    client: LedgerClient,
    author: Author,
    keys: KeyStore,
    *,
    origin: str,
    unfinished: Unfinished,
) -> None:
    """Append what is missing, as a registrar; interrupted, it is finished by the next call."""
    for number, staff, name in unfinished.registrars:
        await author.append(
            "practitioner-enrolled.v1",
            practitioner_resource(staff, name=name, code=f"REG-{number}"),
            stream=staff,
            stream_kind="staff",
        )
    if not unfinished.ledger.is_done:
        await enrol_ledger(client, author, keys, origin=origin, begun=unfinished.ledger)
