"""Keep the key directory: staff with their roles, and every key ever enrolled."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from ledger.folds.staff import KeyPeriod, RolePeriod, StaffMember, evolve_staff, members_of
from projections.projection import LoadRows, Projection
from projections.tables import Column, RowSink, Table

_STAFF: Final = Column("staff", "uuid", "Stream of the member of staff.")

STAFF: Final = Table(
    name="staff",
    comment="Each member of staff, person or device.",
    columns=(
        _STAFF,
        Column("kind", "text", "practitioner or device; nothing before enrolment.", nullable=True),
        Column("name", "text", "As the enrolled resource gives it."),
        Column("enrolled_at_position", "bigint", "Of the enrolling event.", nullable=True),
        Column("roles", "bytea", "JSON: every role ever held, with positions."),
        Column("position", "bigint", "Position of the newest event that concerned the member."),
    ),
    key=("staff",),
    stream="staff",
)
STAFF_KEY: Final = Table(
    name="staff_key",
    comment="Every key ever enrolled; one key belongs to one member of staff for ever.",
    columns=(
        Column("key_id", "text", "SHA-256 of the SubjectPublicKeyInfo, hex."),
        _STAFF,
        Column("alg", "text", "The only algorithm that it may sign with."),
        Column("spki", "bytea", "SubjectPublicKeyInfo, DER."),
        Column("certificate", "bytea", "DER, when one was shown.", nullable=True),
        Column("ordinal", "bigint", "Place among the member's keys, from 0."),
        Column("position", "bigint", "Enrolling position: valid from here."),
        Column("revoked_at_position", "bigint", "Valid up to and including.", nullable=True),
    ),
    key=("key_id",),
    stream="staff",
    indexes=("staff",),
)
TABLES: Final = (STAFF, STAFF_KEY)
_ENCODER: Final = msgspec.json.Encoder()
_ROLES: Final = msgspec.json.Decoder(tuple[RolePeriod, ...])


def _empty(stream: str) -> StaffMember:
    return StaffMember(staff=stream)


def _load(load: LoadRows, streams: Sequence[str]) -> Mapping[str, StaffMember]:
    members: dict[str, StaffMember] = {}
    for staff, kind, name, enrolled, roles, position in load(STAFF, streams):
        members[staff] = StaffMember(
            staff=staff,
            kind=kind,
            name=name,
            enrolled_at_position=enrolled,
            position=position,
            roles=_ROLES.decode(roles),
        )
    for row in sorted(load(STAFF_KEY, streams), key=lambda row: row[5]):
        key_id, staff, alg, spki, certificate, _, enrolled, revoked = row
        members[staff].keys[key_id] = KeyPeriod(
            key_id=key_id,
            alg=alg,
            spki=spki,
            certificate=certificate,
            enrolled_at_position=enrolled,
            revoked_at_position=revoked,
        )
    return members


def _write(changes: RowSink, member: StaffMember, touched: Collection[str] | None) -> None:
    staff = member.staff
    changes.put(
        STAFF,
        (
            staff,
            member.kind,
            member.name,
            member.enrolled_at_position,
            _ENCODER.encode(member.roles),
            member.position,
        ),
    )
    for ordinal, key in enumerate(member.keys.values()):
        if touched is None or key.key_id in touched:
            changes.put(
                STAFF_KEY,
                (
                    key.key_id,
                    staff,
                    key.alg,
                    key.spki,
                    key.certificate,
                    ordinal,
                    key.enrolled_at_position,
                    key.revoked_at_position,
                ),
            )


def _weight(member: StaffMember) -> int:
    return 1 + len(member.keys)


PROJECTION: Final = Projection(
    tables=TABLES,
    kinds=frozenset({"staff", "facility"}),
    owners=members_of,
    empty=_empty,
    evolve=evolve_staff,
    load=_load,
    write=_write,
    weight=_weight,
)
