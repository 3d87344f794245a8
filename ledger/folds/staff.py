"""Fold the directory: each member of staff with the keys and roles they held, and when.

A key is valid from its enrolling position up to and including its revoking one. The founding event
enrols the first registrars, whose own streams may begin later; so it folds into several members.
"""

from typing import Final, TypeVar

import msgspec

from ledger.folds.contents import as_id
from ledger.folds.words import read_person
from ledger.roles import FOUNDING_ROLES, StaffKind
from ledger.rows import BareEvent
from signing.keys import key_id_of


class RolePeriod(msgspec.Struct, frozen=True, kw_only=True):
    """A role and the positions between which it was held; None: it still is."""

    role: str
    granted_at_position: int
    withdrawn_at_position: int | None


class KeyPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """A key and the positions between which it is valid, both included; None: it still is.

    Attributes:
        spki: SubjectPublicKeyInfo, DER.
        certificate: DER, None when none was shown.
    """

    key_id: str
    alg: str
    spki: bytes
    certificate: bytes | None
    enrolled_at_position: int
    revoked_at_position: int | None


class StaffMember(msgspec.Struct, kw_only=True):
    """A person or device; mutable, evolved in place by `evolve_staff`.

    Attributes:
        kind: None for a registrar of the founding event before their own stream begins.
        name: as the enrolled resource gives it, "" before that.
        position: of the newest event that concerned the member.
        keys: by key_id, in order of enrolment.
    """

    staff: str
    kind: StaffKind | None = None
    name: str = ""
    enrolled_at_position: int | None = None
    position: int = -1
    roles: tuple[RolePeriod, ...] = ()
    keys: dict[str, KeyPeriod] = msgspec.field(default_factory=dict[str, KeyPeriod])

    def __repr__(self) -> str:
        """Show how far it is, never whom it is about."""
        return f"StaffMember(position={self.position})"


class _DeviceName(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""


class _Device(msgspec.Struct, frozen=True, kw_only=True):
    deviceName: tuple[_DeviceName, ...] = ()  # noqa: N815 - the element's FHIR name


class _Key(msgspec.Struct, frozen=True, kw_only=True):
    alg: str
    spki: bytes  # base64 in JSON
    certificate: bytes | None = None
    staff: str = ""


class _Founding(msgspec.Struct, frozen=True, kw_only=True):
    registrars: tuple[_Key, ...] = ()


class _Revocation(msgspec.Struct, frozen=True, kw_only=True):
    key_id: str = ""


class _Role(msgspec.Struct, frozen=True, kw_only=True):
    role: str = ""


_T = TypeVar("_T")
_DEVICE: Final = msgspec.json.Decoder(_Device)
_KEY: Final = msgspec.json.Decoder(_Key)
_FOUNDING: Final = msgspec.json.Decoder(_Founding)
_REVOCATION: Final = msgspec.json.Decoder(_Revocation)
_ROLE: Final = msgspec.json.Decoder(_Role)


def members_of(event: BareEvent) -> tuple[str, ...]:
    """Return the staff ids that an event of a staff or facility stream concerns."""
    if event.statement.type == "ledger-founded.v1":
        founding = _read(_FOUNDING, event)
        keys = () if founding is None else founding.registrars
        return tuple(dict.fromkeys(key.staff for key in keys if as_id(key.staff)))
    return (event.stream,) if event.statement.stream_kind == "staff" else ()


def evolve_staff(member: StaffMember, event: BareEvent) -> tuple[str, ...]:
    """Fold in the next event that concerns the member; return the key_ids it touched.

    Never fails on an event that the ledger admitted.
    """
    member.position = event.position
    match event.statement.type:
        case "ledger-founded.v1":
            return _found(member, event)
        case "practitioner-enrolled.v1":
            member.kind, member.enrolled_at_position = "practitioner", event.position
            member.name = read_person(event.content or b"").display
        case "device-enrolled.v1":
            member.kind, member.enrolled_at_position = "device", event.position
            device = _read(_DEVICE, event)
            names = () if device is None else device.deviceName
            member.name = names[0].name if names else ""
        case "key-enrolled.v1":
            key = _read(_KEY, event)
            return () if key is None else (_enrol(member, key, event.position),)
        case "key-revoked.v1":
            revocation = _read(_REVOCATION, event)
            return () if revocation is None else _revoke(member, revocation.key_id, event.position)
        case "role-granted.v1" | "role-withdrawn.v1" as tag:
            role = _read(_ROLE, event)
            if role is not None:
                change = _grant if tag == "role-granted.v1" else _withdraw
                change(member, role.role, event.position)
        case _:
            pass
    return ()


def _found(member: StaffMember, event: BareEvent) -> tuple[str, ...]:
    founding = _read(_FOUNDING, event)
    for role in FOUNDING_ROLES:
        _grant(member, role, event.position)
    keys = () if founding is None else founding.registrars
    return tuple(_enrol(member, key, event.position) for key in keys if key.staff == member.staff)


def _enrol(member: StaffMember, key: _Key, position: int) -> str:
    key_id = key_id_of(key.spki)
    member.keys[key_id] = KeyPeriod(
        key_id=key_id,
        alg=key.alg,
        spki=key.spki,
        certificate=key.certificate,
        enrolled_at_position=position,
        revoked_at_position=None,
    )
    return key_id


def _revoke(member: StaffMember, key_id: str, position: int) -> tuple[str, ...]:
    key = member.keys.get(key_id)
    if key is None:
        return ()
    member.keys[key_id] = msgspec.structs.replace(key, revoked_at_position=position)
    return (key_id,)


def _grant(member: StaffMember, role: str, position: int) -> None:
    if any(held.role == role and held.withdrawn_at_position is None for held in member.roles):
        return
    granted = RolePeriod(role=role, granted_at_position=position, withdrawn_at_position=None)
    member.roles = (*member.roles, granted)


def _withdraw(member: StaffMember, role: str, position: int) -> None:
    member.roles = tuple(
        msgspec.structs.replace(held, withdrawn_at_position=position)
        if held.role == role and held.withdrawn_at_position is None
        else held
        for held in member.roles
    )


def _read(decoder: msgspec.json.Decoder[_T], event: BareEvent) -> _T | None:
    try:
        return decoder.decode(event.content or b"")
    except msgspec.DecodeError:
        return None
