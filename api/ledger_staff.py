"""Enrol the ledger itself: a device with a key of its own, which may author heads."""

from typing import Final

from api.author import Author
from api.client import LedgerClient
from api.directory_documents import device_resource, proved_key
from api.keystore import KeyStore
from ledger.ids import new_id

_NAME: Final = "clinledger"


async def enrol_ledger(client: LedgerClient, author: Author, keys: KeyStore, origin: str) -> str:
    """Append three events as a registrar: device, key, role; return the new staff id.

    The key is made here and is not the checkpoint key: who signs checkpoints authors no events.

    Args:
        client: of the ledger.
        author: a registrar, on that client.
        keys: where the new key is kept.
        origin: of the ledger; also the device's serial number.
    """
    staff = new_id()
    key = keys.load_or_create(staff, "ES256")
    nonce = await client.possession_nonce(staff)
    events: tuple[tuple[str, dict[str, object]], ...] = (
        ("device-enrolled.v1", device_resource(staff, name=_NAME, serial=origin)),
        ("key-enrolled.v1", {**proved_key(key, origin=origin, staff=staff, nonce=nonce)}),
        ("role-granted.v1", {"role": "ledger"}),
    )
    for tag, content in events:
        await author.append(tag, content, stream=staff, stream_kind="staff")
    return staff
