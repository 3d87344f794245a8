"""Read the key directory."""

import base64
from typing import Final

import msgspec

from ledger.errors import NotFoundError
from projections.reads import ViewReader, as_uuid

STAFF_KEYS: Final = """
SELECT s.staff, k.key_id, k.alg, k.spki, k.position, k.revoked_at_position, k.certificate
FROM {views}.staff AS s LEFT JOIN {views}.staff_key AS k USING (staff)
WHERE s.staff = %(staff)s
ORDER BY k.ordinal
"""
STAFF: Final = """
SELECT staff, kind, name, enrolled_at_position, roles FROM {views}.staff
WHERE staff = ANY(%(staff)s)
ORDER BY position
"""


class KeyHit(msgspec.Struct, frozen=True, kw_only=True):
    """A key as `GET /v1/staff/{id}/keys` shows it; `spki` and `certificate` are base64 of DER."""

    key_id: str
    alg: str
    spki: str
    enrolled_at_position: int
    revoked_at_position: int | None
    certificate: str | None


class StaffHit(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff with every role ever held."""

    staff: str
    kind: str | None
    name: str
    enrolled_at_position: int | None
    roles: msgspec.Raw


def staff_keys(views: ViewReader, staff: str) -> list[KeyHit]:
    """Return every key that a member of staff ever had, in order of enrolment.

    Raises:
        NotFoundError: `staff-unknown`.
    """
    key = as_uuid(staff)
    rows = [] if key is None else views.rows(STAFF_KEYS, staff=key)
    if not rows:
        raise NotFoundError("staff-unknown", "", "no such member of staff in this ledger")
    return [
        KeyHit(
            key_id=key_id,
            alg=alg,
            spki=base64.b64encode(spki).decode(),
            enrolled_at_position=enrolled,
            revoked_at_position=revoked,
            certificate=None if certificate is None else base64.b64encode(certificate).decode(),
        )
        for _, key_id, alg, spki, enrolled, revoked, certificate in rows
        if key_id is not None
    ]


def staff_members(views: ViewReader, staff: list[str]) -> list[StaffHit]:
    """Return those of the members of staff that the ledger knows."""
    keys = [key for text in staff if (key := as_uuid(text)) is not None]
    return [
        StaffHit(
            staff=str(found),
            kind=kind,
            name=name,
            enrolled_at_position=enrolled,
            roles=msgspec.Raw(roles),
        )
        for found, kind, name, enrolled, roles in views.rows(STAFF, staff=keys)
    ]
