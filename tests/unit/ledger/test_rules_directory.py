"""The rules of the directory: founding, policy, enrolment, keys and roles."""

import pytest

from ledger.roles import Role
from ledger.state import StaffState
from signing.keys import SoftKey
from tests.builders_hospital import Hospital
from tests.builders_resources import Json, an_id, device, patient, practitioner
from tests.builders_rules import (
    CHECKPOINT_SOFT_KEY,
    FACILITY,
    REGISTRAR,
    SECOND_REGISTRAR,
    World,
    enrol,
    founded,
    founding,
    proved_key,
    refused,
)


@pytest.fixture
def world() -> World:
    return founded()


def _grant(world: World, staff: str, role: str) -> None:
    world.add("role-granted.v1", {"role": role}, stream=staff, signer=REGISTRAR)


def _withdraw(world: World, staff: str, role: str, signer: str = REGISTRAR) -> None:
    document = {"role": role, "reason": "left"}
    world.add("role-withdrawn.v1", document, stream=staff, signer=signer)


def _enrol_key(world: World, staff: str, key: SoftKey, nonce: str) -> None:
    document = proved_key(key, staff, nonce)
    world.add("key-enrolled.v1", document, stream=staff, signer=REGISTRAR)


def _revoke(world: World, staff: str, key: SoftKey, signer: str = REGISTRAR) -> None:
    document = {"key_id": key.key_id, "reason": "lost"}
    world.add("key-revoked.v1", document, stream=staff, signer=signer)


def _policy(version: int) -> Json:
    return {"version": version, "entry_deadline_hours": 12, "outage_deadline_hours": 24}


def test_the_founders_hold_the_governing_roles_from_position_0(world: World) -> None:
    for staff in (REGISTRAR, SECOND_REGISTRAR):
        assert world.directory.roles_of(staff) == {"registrar", "administrator"}
        (key,) = world.directory.keys_of(staff)
        assert key.enrolled_at_position == 0
        assert world.directory.key_for(key.key_id) is key
    assert world.directory.facility == FACILITY


def test_a_ledger_is_founded_once(world: World) -> None:
    with refused("ledger-already-founded", "/type"):
        world.add("ledger-founded.v1", founding(world), stream=FACILITY, signer=REGISTRAR)
    with refused("ledger-already-founded", "/type"):
        world.add("ledger-founded.v1", founding(world), stream=an_id("new"), signer=REGISTRAR)


def test_nothing_comes_before_the_founding() -> None:
    world = World()
    draft = world.draft("policy-set.v1", _policy(1), stream=FACILITY, signer=REGISTRAR)
    with refused("ledger-not-founded", "/type"):
        world.take(draft)
    world.add("ledger-founded.v1", founding(world), stream=FACILITY, signer=REGISTRAR)
    world.take(draft)


def test_a_founding_at_another_position_than_0_is_refused() -> None:
    world = World()
    world.position = 1
    draft = world.draft("ledger-founded.v1", founding(world), stream=FACILITY, signer=REGISTRAR)
    with refused("ledger-already-founded"):
        world.take(draft)
    world.position = 0
    world.take(draft)


def test_a_statement_for_another_ledger_is_refused(world: World) -> None:
    members = {"stream": FACILITY, "signer": REGISTRAR}
    with refused("ledger-mismatch", "/ledger"):
        world.add("policy-set.v1", _policy(1), ledger="elsewhere.example/ledger", **members)
    world.add("policy-set.v1", _policy(1), **members)


def test_policies_are_numbered_without_gaps(world: World) -> None:
    with refused("policy-version"):
        world.add("policy-set.v1", _policy(2), stream=FACILITY, signer=REGISTRAR)
    for version in (1, 2):
        world.add("policy-set.v1", _policy(version), stream=FACILITY, signer=REGISTRAR)
    with refused("policy-version"):
        world.add("policy-set.v1", _policy(2), stream=FACILITY, signer=REGISTRAR)
    assert (world.directory.policy_version, world.directory.policy_position) == (2, 2)


def test_only_an_administrator_sets_policy(world: World) -> None:
    doctor = enrol(world, "doctor", "doctor")
    with refused("role-not-valid", "/signer"):
        world.add("policy-set.v1", _policy(1), stream=FACILITY, signer=doctor)
    _grant(world, doctor, "administrator")
    world.add("policy-set.v1", _policy(1), stream=FACILITY, signer=doctor)


def test_a_founder_is_enrolled_as_a_person(world: World) -> None:
    members = {"stream": SECOND_REGISTRAR, "signer": REGISTRAR}
    with refused("staff-kind", "/type"):
        world.add("device-enrolled.v1", device(SECOND_REGISTRAR), **members)
    world.add("practitioner-enrolled.v1", practitioner(SECOND_REGISTRAR), **members)
    assert world.directory.roles_of(SECOND_REGISTRAR) == {"registrar", "administrator"}


def test_a_founder_takes_nothing_before_being_enrolled(world: World) -> None:
    with refused("stream-unknown", "/stream"):
        _withdraw(world, SECOND_REGISTRAR, "registrar")
    members = {"stream": SECOND_REGISTRAR, "signer": REGISTRAR}
    world.add("practitioner-enrolled.v1", practitioner(SECOND_REGISTRAR), **members)
    _withdraw(world, SECOND_REGISTRAR, "registrar")


def test_the_stream_of_a_founder_is_no_patients(world: World) -> None:
    nurse = enrol(world, "nurse", "nurse")
    with refused("stream-exists", "/stream"):
        world.add(
            "patient-registered.v1",
            patient(SECOND_REGISTRAR),
            stream=SECOND_REGISTRAR,
            signer=nurse,
        )


def test_a_key_belongs_to_one_subject_for_ever(world: World) -> None:
    nurse, doctor = enrol(world, "nurse", "nurse"), enrol(world, "doctor", "doctor")
    key = SoftKey.generate("ES256")
    _enrol_key(world, nurse, key, "n1")
    with refused("key-of-another"):
        _enrol_key(world, doctor, key, "n2")
    with refused("key-already-enrolled"):
        _enrol_key(world, nurse, key, "n3")
    _revoke(world, nurse, key)
    with refused("key-revoked"):
        _enrol_key(world, nurse, key, "n4")
    with refused("key-of-another"):
        _enrol_key(world, doctor, key, "n5")


def test_a_possession_proof_is_taken_once(world: World) -> None:
    nurse = enrol(world, "nurse", "nurse")
    _enrol_key(world, nurse, SoftKey.generate("ES256"), "n1")
    with refused("possession-replayed"):
        _enrol_key(world, nurse, SoftKey.generate("ES256"), "n1")
    with refused("possession-replayed"):
        _enrol_key(world, nurse, SoftKey.generate("ES256"), f"nonce {REGISTRAR}")
    _enrol_key(world, nurse, SoftKey.generate("ES256"), "n2")


def test_the_checkpoint_key_is_never_enrolled(world: World) -> None:
    monitor = enrol(world, "monitor", "monitor", kind="device")
    with refused("checkpoint-key"):
        _enrol_key(world, monitor, CHECKPOINT_SOFT_KEY, "n1")
    _enrol_key(world, monitor, SoftKey.generate("EdDSA"), "n1")


def test_people_sign_with_algorithms_of_the_legal_list_and_devices_with_ed25519_too(
    world: World,
) -> None:
    nurse = enrol(world, "nurse", "nurse")
    monitor = enrol(world, "monitor", "monitor", kind="device")
    with refused("key-algorithm"):
        _enrol_key(world, nurse, SoftKey.generate("EdDSA"), "n1")
    _enrol_key(world, nurse, SoftKey.generate("ES384"), "n1")
    _enrol_key(world, monitor, SoftKey.generate("EdDSA"), "n2")


def test_a_ledger_is_not_founded_with_keys_off_the_legal_list() -> None:
    world = World()
    world.keys[SECOND_REGISTRAR] = SoftKey.generate("EdDSA")
    with refused("key-algorithm"):
        world.add("ledger-founded.v1", founding(world), stream=FACILITY, signer=REGISTRAR)


def test_a_key_is_valid_from_its_enrolment_up_to_its_revocation(world: World) -> None:
    administrator = enrol(world, "administrator", "administrator", "registrar")
    key = world.key_of(administrator)
    members = {"stream": FACILITY, "signer": administrator}
    world.add("policy-set.v1", _policy(1), **members)
    _revoke(world, administrator, key, signer=administrator)  # it signs its own revocation
    with refused("key-not-valid", "/key_id"):
        world.add("policy-set.v1", _policy(2), **members)
    (state,) = world.directory.keys_of(administrator)
    enrolled, revoked = state.enrolled_at_position, world.position - 1
    assert state.revoked_at_position == revoked
    assert not state.is_valid_at(enrolled - 1)
    assert state.is_valid_at(enrolled)
    assert state.is_valid_at(revoked)
    assert not state.is_valid_at(revoked + 1)


def test_an_unknown_key_is_refused(world: World) -> None:
    with refused("key-not-valid", "/key_id"):
        world.add("policy-set.v1", _policy(1), stream=FACILITY, signer=an_id("stranger"))


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"signer": SECOND_REGISTRAR}, "/signer"), ({"alg": "ES384"}, "/alg")],
)
def test_a_key_signs_for_its_subject_and_algorithm_only(
    world: World, changes: Json, pointer: str
) -> None:
    members = {"stream": FACILITY, "signer": REGISTRAR, "key_id": world.key_of(REGISTRAR).key_id}
    with refused("key-not-valid", pointer):
        world.add("policy-set.v1", _policy(1), **{**members, **changes})
    world.add("policy-set.v1", _policy(1), **members)


def test_only_a_valid_key_of_this_person_is_revoked(world: World) -> None:
    nurse, doctor = enrol(world, "nurse", "nurse"), enrol(world, "doctor", "doctor")
    key = world.key_of(nurse)
    with refused("key-unknown"):
        _revoke(world, doctor, key)
    with refused("key-unknown"):
        _revoke(world, nurse, SoftKey.generate("ES256"))
    _revoke(world, nurse, key)
    with refused("key-already-revoked"):
        _revoke(world, nurse, key)


@pytest.mark.parametrize(
    ("kind", "possible", "impossible"),
    [("practitioner", "doctor", "his"), ("device", "monitor", "doctor")],
)
def test_people_and_devices_hold_roles_of_their_own(
    world: World, kind: str, possible: str, impossible: str
) -> None:
    staff = enrol(world, "member", kind="device" if kind == "device" else "practitioner")
    with refused("role-kind"):
        _grant(world, staff, impossible)
    _grant(world, staff, possible)
    with refused("role-already-held"):
        _grant(world, staff, possible)
    _withdraw(world, staff, possible)
    with refused("role-not-held"):
        _withdraw(world, staff, possible)


def test_roles_are_granted_by_registrars(world: World) -> None:
    nurse = enrol(world, "nurse", "nurse")
    draft = world.draft("role-granted.v1", {"role": "doctor"}, stream=nurse, signer=nurse)
    with refused("role-not-valid", "/signer"):
        world.take(draft)
    _grant(world, nurse, "registrar")
    world.take(draft)


def _governors(world: World) -> None:
    for staff in (REGISTRAR, SECOND_REGISTRAR):
        world.add("practitioner-enrolled.v1", practitioner(staff), stream=staff, signer=REGISTRAR)


@pytest.mark.parametrize("role", ["administrator", "registrar"])
def test_the_last_holder_of_a_governing_role_keeps_it(world: World, role: Role) -> None:
    _governors(world)
    _withdraw(world, SECOND_REGISTRAR, role)
    with refused(f"last-{role}"):
        _withdraw(world, REGISTRAR, role)
    _grant(world, SECOND_REGISTRAR, role)
    _withdraw(world, REGISTRAR, role, signer=REGISTRAR)


def test_the_last_governing_key_is_not_revoked(world: World) -> None:
    _governors(world)
    _revoke(world, SECOND_REGISTRAR, world.key_of(SECOND_REGISTRAR))
    with refused("last-administrator"):
        _withdraw(world, REGISTRAR, "administrator")  # a holder without a key does not count
    with refused("last-administrator"):
        _revoke(world, REGISTRAR, world.key_of(REGISTRAR))
    _enrol_key(world, SECOND_REGISTRAR, SoftKey.generate("ES256"), "n1")
    _revoke(world, REGISTRAR, world.key_of(REGISTRAR))


def test_the_last_registrar_keeps_the_key_though_others_administrate(world: World) -> None:
    _governors(world)
    administrator = enrol(world, "administrator", "administrator")
    assert world.directory.keys_of(administrator)
    _withdraw(world, SECOND_REGISTRAR, "registrar")
    with refused("last-registrar"):
        _revoke(world, REGISTRAR, world.key_of(REGISTRAR))


def test_unknown_staff_has_neither_keys_nor_roles(world: World) -> None:
    assert world.directory.keys_of(an_id("stranger")) == []
    assert world.directory.roles_of(an_id("stranger")) == frozenset()
    assert world.directory.key_for("ab" * 32) is None


def test_a_stranger_is_enrolled_by_a_registrar_only() -> None:
    hospital = Hospital()
    stream = an_id("new nurse")
    members = {"stream": stream, "event_id": an_id("enrolment")}
    with refused("role-not-valid"):
        hospital.add(
            "practitioner-enrolled.v1", practitioner(stream), signer=hospital.doctor, **members
        )
    hospital.add("practitioner-enrolled.v1", practitioner(stream), signer=REGISTRAR, **members)
    assert hospital.directory.staff[stream] == StaffState(stream=stream, kind="practitioner")
