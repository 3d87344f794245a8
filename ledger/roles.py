"""Name the roles that a member of staff, person or device, can hold in a ledger.

A role is granted and withdrawn by events on the staff stream; what each role may author is in
`ledger.catalogue`. The names are permanent: they stand in stored events.
"""

from typing import Final, Literal

StaffKind = Literal["practitioner", "device"]

Role = Literal[
    "administrator",
    "registrar",
    "doctor",
    "nurse",
    "pharmacist",
    "laboratory",
    "imaging",
    "his",
    "monitor",
    "auditor",
    "archivist",
    "ledger",
]

PRACTITIONER_ROLES: Final[frozenset[Role]] = frozenset(
    {
        "administrator",
        "registrar",
        "doctor",
        "nurse",
        "pharmacist",
        "laboratory",
        "imaging",
        "auditor",
        "archivist",
    }
)
"""Roles that a person can hold."""

DEVICE_ROLES: Final[frozenset[Role]] = frozenset(
    {"laboratory", "imaging", "his", "monitor", "ledger"}
)
"""Roles that a device can hold: analysers and modalities, the hospital's HIS, bedside monitors, and
the ledger itself."""

FOUNDING_ROLES: Final[tuple[Role, ...]] = ("registrar", "administrator")
"""What the founding event gives to each of its registrars."""


def roles_of(kind: StaffKind) -> frozenset[Role]:
    """Tell which roles a person or a device can hold."""
    return PRACTITIONER_ROLES if kind == "practitioner" else DEVICE_ROLES
