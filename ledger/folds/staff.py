"""Fold the directory: each member of staff with the keys and roles they held, and when.

A key is valid from its enrolling position up to and including its revoking one. The founding event
enrols the first registrars, whose own streams may begin later; so it folds into several members.
"""

from typing import Final

import msgspec

from ledger.facts import FoundingFacts, KeyEnrolledFacts, KeyRevokedFacts, RoleFacts, read_facts
from ledger.folds.words import read_person
from ledger.roles import FOUNDING_ROLES, Role, StaffKind
from ledger.rows import Event

_DIRECTORY: Final = frozenset(
    {"key-enrolled.v1", "key-revoked.v1", "role-granted.v1", "role-withdrawn.v1"}
)


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


_DEVICE: Final = msgspec.json.Decoder(_Device)


def members_of(event: Event) -> tuple[str, ...]:
    """Return the staff ids that an event of a staff or facility stream concerns."""
    if event.statement.type == "ledger-founded.v1":
        return tuple(dict.fromkeys(key.staff for key in _founding(event).registrars))
    return (event.stream,) if event.statement.stream_kind == "staff" else ()


def evolve_staff(member: StaffMember, event: Event) -> tuple[str, ...]:
    """Fold in the next event that concerns the member; return the key_ids it touched.

    Raises:
        RejectedError: the content of a directory event is not what admission demands; such a
            ledger must be verified, not projected.
    """
    member.position = event.position
    tag = event.statement.type
    if tag == "ledger-founded.v1":
        return _found(member, event)
    if tag in {"practitioner-enrolled.v1", "device-enrolled.v1"}:
        person = tag == "practitioner-enrolled.v1"
        member.kind = "practitioner" if person else "device"
        member.enrolled_at_position = event.position
        member.name = _name(event.content or b"null", person=person)
        return ()
    return _evolve_directory(member, event) if tag in _DIRECTORY else ()


def _evolve_directory(member: StaffMember, event: Event) -> tuple[str, ...]:
    match read_facts(event.statement, event.content or b""):
        case KeyEnrolledFacts(key=key):
            member.keys[key.key_id] = KeyPeriod(
                key_id=key.key_id,
                alg=key.alg,
                spki=key.spki,
                certificate=key.certificate,
                enrolled_at_position=event.position,
                revoked_at_position=None,
            )
            return (key.key_id,)
        case KeyRevokedFacts(key_id=key_id):
            revoked = msgspec.structs.replace(
                member.keys[key_id], revoked_at_position=event.position
            )
            member.keys[key_id] = revoked
            return (key_id,)
        case RoleFacts(role=role):
            if event.statement.type == "role-granted.v1":
                _grant(member, role, event.position)
            else:
                member.roles = tuple(_ended(held, role, event.position) for held in member.roles)
            return ()
        case _:
            return ()


def _found(member: StaffMember, event: Event) -> tuple[str, ...]:
    for role in FOUNDING_ROLES:
        _grant(member, role, event.position)
    keys = [key for key in _founding(event).registrars if key.staff == member.staff]
    for key in keys:
        member.keys[key.key_id] = KeyPeriod(
            key_id=key.key_id,
            alg=key.alg,
            spki=key.spki,
            certificate=key.certificate,
            enrolled_at_position=event.position,
            revoked_at_position=None,
        )
    return tuple(key.key_id for key in keys)


def _founding(event: Event) -> FoundingFacts:
    facts = read_facts(event.statement, event.content or b"")
    if not isinstance(facts, FoundingFacts):
        raise TypeError("ledger-founded.v1 yields founding facts")
    return facts


def _grant(member: StaffMember, role: Role, position: int) -> None:
    if any(held.role == role and held.withdrawn_at_position is None for held in member.roles):
        return
    granted = RolePeriod(role=role, granted_at_position=position, withdrawn_at_position=None)
    member.roles = (*member.roles, granted)


def _ended(held: RolePeriod, role: Role, position: int) -> RolePeriod:
    if held.role != role or held.withdrawn_at_position is not None:
        return held
    return msgspec.structs.replace(held, withdrawn_at_position=position)


def _name(content: bytes, *, person: bool) -> str:
    if person:
        return read_person(content).display
    try:
        names = _DEVICE.decode(content).deviceName
    except msgspec.DecodeError:
        return ""
    return names[0].name if names else ""
