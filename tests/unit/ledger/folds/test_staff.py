"""The key directory's fold."""

import base64

from ledger.folds.staff import StaffMember, evolve_staff, members_of
from signing.keys import key_id_of
from tests.builders_events import DOCTOR, NURSE, PLAIN, World

FACILITY = "019a0000-0000-7000-a000-000000000001"
SPKI_A, SPKI_B = b"first key", b"second key"


def key(spki: bytes, staff: str = "") -> dict[str, str]:
    return {"alg": "ES256", "spki": base64.b64encode(spki).decode(), "staff": staff}


def founded() -> World:
    world = World()
    registrars = [key(SPKI_A, DOCTOR), key(SPKI_B, NURSE)]
    content = {"origin": "x", "registrars": registrars}
    world.add("ledger-founded.v1", FACILITY, "facility", content, media_type=PLAIN)
    return world


def folded(world: World, staff: str) -> StaffMember:
    member = StaffMember(staff=staff)
    for event in world.events:
        if staff in members_of(event):
            evolve_staff(member, event)
    return member


def test_the_founding_event_enrols_the_first_registrars() -> None:
    world = founded()
    assert members_of(world.events[0]) == (DOCTOR, NURSE)
    member = folded(world, NURSE)
    assert [(k.key_id, k.enrolled_at_position) for k in member.keys.values()] == [
        (key_id_of(SPKI_B), 0)
    ]
    assert sorted(role.role for role in member.roles) == ["administrator", "registrar"]
    assert member.kind is None


def test_a_key_and_a_role_keep_the_positions_between_which_they_held() -> None:
    world = founded()
    staff = "019a0000-0000-7000-a000-000000000009"
    resource = {"resourceType": "Practitioner", "name": [{"family": "Vũ", "given": ["Thị", "Lan"]}]}
    world.add("practitioner-enrolled.v1", staff, "staff", resource)
    world.add("key-enrolled.v1", staff, "staff", key(b"third key"), media_type=PLAIN)
    world.add("role-granted.v1", staff, "staff", {"role": "doctor"}, media_type=PLAIN)
    revocation = {"key_id": key_id_of(b"third key"), "reason": "lost"}
    world.add("key-revoked.v1", staff, "staff", revocation, media_type=PLAIN)
    world.add("role-withdrawn.v1", staff, "staff", {"role": "doctor"}, media_type=PLAIN)
    member = folded(world, staff)
    assert (member.kind, member.name, member.enrolled_at_position) == (
        "practitioner",
        "Vũ Thị Lan",
        1,
    )
    assert [
        (held.role, held.granted_at_position, held.withdrawn_at_position) for held in member.roles
    ] == [("doctor", 3, 5)]
    assert [(k.enrolled_at_position, k.revoked_at_position) for k in member.keys.values()] == [
        (2, 4)
    ]


def test_a_device_is_known_by_its_device_name() -> None:
    world = founded()
    staff = "019a0000-0000-7000-a000-00000000000a"
    resource = {"resourceType": "Device", "deviceName": [{"name": "Analyser 2"}]}
    world.add("device-enrolled.v1", staff, "staff", resource)
    member = folded(world, staff)
    assert (member.kind, member.name) == ("device", "Analyser 2")
