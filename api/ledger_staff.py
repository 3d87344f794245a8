"""Enrol the ledger itself: a device with a key of its own, which may author heads."""

from typing import Annotated, Final

import msgspec

from api.author import Author
from api.client import LedgerClient
from api.directory_documents import device_resource, proved_key
from api.keystore import KeyStore
from ledger.ids import new_id
from ledger.reader import LedgerReader
from ledger.state import DirectoryState

_NAME: Final = "clinledger"


class LedgerEnrolment(msgspec.Struct, frozen=True, kw_only=True):
    """How far the ledger's own enrolment has come.

    Attributes:
        staff: the device's staff id; "" when none was enrolled yet.
        has_key: whether its key, which is here, is enrolled.
        has_role: whether it holds the role `ledger`.
    """

    staff: str = ""
    has_key: bool = False
    has_role: bool = False

    @property
    def is_done(self) -> bool:
        """Whether the ledger can sign heads from here."""
        return self.has_key and self.has_role


class _DeviceName(msgspec.Struct, frozen=True):
    name: str


class _Device(msgspec.Struct, frozen=True, rename="camel"):
    serial_number: str = ""
    device_name: Annotated[tuple[_DeviceName, ...], msgspec.Meta(max_length=64)] = ()


def find_enrolment(
    reader: LedgerReader, directory: DirectoryState, keys: KeyStore
) -> LedgerEnrolment:
    """Tell how far the ledger was enrolled, by a command that perhaps was interrupted.

    A device whose enrolled key is revoked, or is not here, is passed over: it needs a successor.

    Args:
        reader: of the ledger.
        directory: folded from it.
        keys: where the ledger's key is kept.
    """
    for staff, member in directory.staff.items():
        if member.kind != "device" or not _is_ledger(reader, staff):
            continue
        has_role = "ledger" in member.roles
        enrolled = directory.keys_of(staff)
        if not enrolled:
            return LedgerEnrolment(staff=staff, has_role=has_role)
        key = keys.load(staff)
        found = None if key is None else directory.key_for(key.key_id)
        if found is not None and found.staff == staff and found.revoked_at_position is None:
            return LedgerEnrolment(staff=staff, has_key=True, has_role=has_role)
    return LedgerEnrolment()


async def enrol_ledger(
    client: LedgerClient,
    author: Author,
    keys: KeyStore,
    *,
    origin: str,
    begun: LedgerEnrolment | None = None,
) -> str:
    """Append what is missing of three events, as a registrar: device, key, role; return the id.

    The key is made here and is not the checkpoint key: who signs checkpoints authors no events.

    Args:
        client: of the ledger.
        author: a registrar, on that client.
        keys: where the new key is kept.
        origin: of the ledger; also the device's serial number.
        begun: what `find_enrolment` found.
    """
    begun = begun or LedgerEnrolment()
    staff = begun.staff or new_id()
    key = keys.load_or_create(staff, "ES256")
    if not begun.staff:
        device = device_resource(staff, name=_NAME, serial=origin)
        await author.append("device-enrolled.v1", device, stream=staff, stream_kind="staff")
    if not begun.has_key:
        nonce = await client.possession_nonce(staff)
        proved = proved_key(key, origin=origin, staff=staff, nonce=nonce)
        await author.append("key-enrolled.v1", {**proved}, stream=staff, stream_kind="staff")
    if not begun.has_role:
        role = {"role": "ledger"}
        await author.append("role-granted.v1", role, stream=staff, stream_kind="staff")
    return staff


def _is_ledger(reader: LedgerReader, staff: str) -> bool:
    """Tell whether a device was enrolled as this ledger: by its name, and its origin as serial."""
    events = reader.stream(staff)
    if not events or events[0].statement.type != "device-enrolled.v1":
        return False
    device = msgspec.json.decode(events[0].content or b"{}", type=_Device)
    return device.serial_number == reader.origin and device.device_name == (_DeviceName(_NAME),)
