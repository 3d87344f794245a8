"""Who may give the ledger a new checkpoint key, and which keys it may be."""

from typing import Any

import pytest

from ledger.checkpoint_keys import key_in_force
from ledger.facts import RotationFacts
from signing.keys import SoftKey
from signing.notes import Ed25519Signer, parse_note, sign_note
from signing.second import sign_second
from tests.builders_rules import (
    CHECKPOINT_KEY,
    CHECKPOINT_SOFT_KEY,
    FACILITY,
    ORIGIN,
    REGISTRAR,
    SECOND_REGISTRAR,
    Taken,
    World,
    enrol,
    founded,
    proved_key,
    refused,
)
from tests.rotations import rotation


@pytest.fixture
def world() -> World:
    return founded()


def _new() -> SoftKey:
    return SoftKey.generate("EdDSA")


def _vkey(key: SoftKey, origin: str = ORIGIN) -> str:
    return str(Ed25519Signer(origin, key).verifier.vkey)


def _planned(new: SoftKey, old: SoftKey = CHECKPOINT_SOFT_KEY) -> dict[str, Any]:
    return rotation(new, origin=ORIGIN, old=old)


def _lost(world: World, new: SoftKey, second: str = SECOND_REGISTRAR) -> dict[str, Any]:
    return rotation(new, origin=ORIGIN, second=(second, world.key_of(second)))


def _rotate(world: World, document: dict[str, Any], signer: str = REGISTRAR) -> Taken:
    return world.add("checkpoint-key-rotated.v1", document, stream=FACILITY, signer=signer)


def test_the_old_key_hands_over_to_the_new_one(world: World) -> None:
    """From the size after the event on, and not before."""
    new = _new()
    world.position = 7
    _rotate(world, _planned(new))

    keys = world.directory.checkpoint_keys
    assert [(key.position, key.vkey) for key in keys] == [(0, CHECKPOINT_KEY), (7, _vkey(new))]
    assert world.directory.checkpoint_key == _vkey(new)
    in_force = {size: key_in_force(keys, size) for size in (0, 1, 7, 8, 100)}
    assert [key is keys[1] for key in in_force.values()] == [False, False, False, True, True]


def test_the_facts_of_a_rotation_are_its_content(world: World) -> None:
    new = _new()
    document = _lost(world, new)
    draft = world.draft("checkpoint-key-rotated.v1", document, stream=FACILITY, signer=REGISTRAR)
    facts = world.read(draft)

    assert isinstance(facts, RotationFacts)
    assert facts.checkpoint_spki == new.spki
    assert facts.second is not None
    assert facts.second.signer == SECOND_REGISTRAR


def test_a_lost_key_is_replaced_by_two_people(world: World) -> None:
    """An administrator and a registrar, or two registrars."""
    administrator = enrol(world, "administrator", "administrator")
    first, second = _new(), _new()
    _rotate(world, _lost(world, first))
    _rotate(world, _lost(world, second), administrator)

    assert world.directory.checkpoint_key == _vkey(second)


def test_without_the_old_key_one_person_is_not_enough(world: World) -> None:
    with refused("second-missing"):
        _rotate(world, rotation(_new(), origin=ORIGIN))


def test_only_administrators_and_registrars_rotate(world: World) -> None:
    doctor = enrol(world, "doctor", "doctor")
    with refused("role-not-valid", "/signer"):
        _rotate(world, _planned(_new()), doctor)
    with refused("role-not-valid", "/signer"):
        _rotate(world, _lost(world, _new()), doctor)


def test_the_second_person_is_another_one(world: World) -> None:
    """Also when it is another key of the same person."""
    third = enrol(world, "third", "registrar")
    with refused("second-not-valid"):
        _rotate(world, _lost(world, _new(), third), third)
    other = SoftKey.generate("ES256")
    world.add("key-enrolled.v1", proved_key(other, third, "n"), stream=third, signer=REGISTRAR)
    with refused("second-not-valid"):
        _rotate(world, rotation(_new(), origin=ORIGIN, second=(third, other)), third)


def test_the_second_person_is_a_registrar(world: World) -> None:
    """An administrator is not, nor is somebody who was one."""
    administrator = enrol(world, "administrator", "administrator")
    with refused("second-not-valid"):
        _rotate(world, _lost(world, _new(), administrator))
    former = enrol(world, "former", "registrar")
    world.add(
        "role-withdrawn.v1",
        {"role": "registrar", "reason": "left"},
        stream=former,
        signer=REGISTRAR,
    )
    with refused("second-not-valid"):
        _rotate(world, _lost(world, _new(), former))


def test_the_second_key_is_enrolled_valid_and_the_second_persons(world: World) -> None:
    third = enrol(world, "third", "registrar")
    document = _lost(world, _new(), third)
    with refused("second-not-valid"):
        _rotate(world, {**document, "second": {**document["second"], "signer": SECOND_REGISTRAR}})
    unknown = SoftKey.generate("ES256")
    with refused("second-not-valid"):
        _rotate(world, rotation(_new(), origin=ORIGIN, second=(third, unknown)))
    key_id = world.key_of(third).key_id
    world.add(
        "key-revoked.v1", {"key_id": key_id, "reason": "lost"}, stream=third, signer=REGISTRAR
    )
    with refused("second-not-valid"):
        _rotate(world, document)


def test_the_second_signature_is_over_this_very_handover(world: World) -> None:
    """Not over another key's, nor for another purpose."""
    one, other = _lost(world, _new()), _lost(world, _new())
    with refused("second-signature"):
        _rotate(world, {**one, "second": other["second"]})
    text = parse_note(one["handover"].encode()).text.encode()
    key = world.key_of(SECOND_REGISTRAR)
    foreign = sign_second(key, purpose="successor", text=text).decode()
    with refused("second-signature"):
        _rotate(world, {**one, "second": {**one["second"], "signature": foreign}})
    _rotate(world, one)


def test_a_bad_second_signature_is_refused_even_where_none_is_needed(world: World) -> None:
    """Nothing false stands in the ledger."""
    new = _new()
    document = _planned(new)
    with refused("second-signature"):
        _rotate(world, {**document, "second": _lost(world, _new())["second"]})
    _rotate(world, {**document, "second": _lost(world, new)["second"]})


def test_only_the_key_in_force_hands_over(world: World) -> None:
    """A key that was stolen and replaced hands over to nobody."""
    first, second = _new(), _new()
    _rotate(world, _planned(first))
    with refused("handover-signature"):
        _rotate(world, _planned(second))
    with refused("handover-signature"):
        _rotate(world, _planned(second, _new()))
    _rotate(world, _planned(second, first))


def test_a_foreign_line_is_refused_also_where_two_people_sign(world: World) -> None:
    new = _new()
    document = _planned(new, _new())
    with refused("handover-signature"):
        _rotate(world, {**document, "second": _lost(world, new)["second"]})


def test_a_forged_line_of_the_old_key_is_refused(world: World) -> None:
    new = _new()
    document = _planned(new)
    other = parse_note(_planned(_new())["handover"].encode()).signatures[1]
    good = parse_note(document["handover"].encode()).signatures[1]
    with refused("handover-signature"):
        _rotate(
            world, {**document, "handover": document["handover"].replace(str(good), str(other))}
        )


def test_a_checkpoint_key_never_returns(world: World) -> None:
    new = _new()
    with refused("checkpoint-key-used"):
        _rotate(world, rotation(CHECKPOINT_SOFT_KEY, origin=ORIGIN))
    _rotate(world, _planned(new))
    for used in (CHECKPOINT_SOFT_KEY, new):
        with refused("checkpoint-key-used"):
            _rotate(world, _lost(world, used))


def test_no_key_of_staff_becomes_the_checkpoint_key(world: World) -> None:
    """Nor the reverse: not even a key that is no longer in force is enrolled."""
    device = enrol(world, "monitor", "monitor", kind="device")
    staff_key = SoftKey.generate("EdDSA")
    world.add(
        "key-enrolled.v1", proved_key(staff_key, device, "more"), stream=device, signer=REGISTRAR
    )
    with refused("checkpoint-key"):
        _rotate(world, _planned(staff_key))
    new = _new()
    _rotate(world, _planned(new))
    for key in (CHECKPOINT_SOFT_KEY, new):
        with refused("checkpoint-key"):
            world.add(
                "key-enrolled.v1", proved_key(key, device, "n"), stream=device, signer=REGISTRAR
            )


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"checkpoint_key": "no key"}, "checkpoint-key-malformed", "/checkpoint_key"),
        ({"handover": "no note"}, "handover-malformed", "/handover"),
        ({"handover": ""}, "content-invalid", "/handover"),
        ({"reason": ""}, "content-invalid", "/reason"),
        ({"reason": " "}, "reason-blank", "/reason"),
        ({"reason": "x" * 501}, "content-invalid", "/reason"),
        ({"second": {}}, "content-missing-field", None),
        ({"until": "2030"}, "content-unknown-field", None),
    ],
)
def test_a_rotation_has_no_other_form(
    world: World, change: dict[str, Any], code: str, pointer: str | None
) -> None:
    with refused(code, pointer):
        _rotate(world, {**_planned(_new()), **change})


def test_the_handover_is_to_this_key_of_this_ledger(world: World) -> None:
    new, other = _new(), _new()
    with refused("handover-malformed", "/handover"):
        _rotate(world, {**_planned(new), "handover": _planned(other)["handover"]})
    foreign = "other.example/ledger"
    with refused("checkpoint-key-malformed", "/checkpoint_key"):
        _rotate(world, rotation(new, origin=foreign, old=CHECKPOINT_SOFT_KEY))


def test_the_new_key_has_signed_the_handover_once(world: World) -> None:
    """Whoever announces a key must hold it."""
    new = _new()
    document = _planned(new)
    note = parse_note(document["handover"].encode())
    old = Ed25519Signer(ORIGIN, CHECKPOINT_SOFT_KEY)
    third = Ed25519Signer(ORIGIN, _new())
    for handover, code in (
        (sign_note(note.text, old), "handover-signature"),
        (sign_note(note.text, old, Ed25519Signer(ORIGIN, new), third), "handover-malformed"),
        (document["handover"].encode() + str(note.signatures[0]).encode(), "handover-malformed"),
    ):
        with refused(code, "/handover"):
            _rotate(world, {**document, "handover": handover.decode()})
    flipped = document["handover"].replace(
        str(note.signatures[0]),
        str(parse_note(_planned(_new())["handover"].encode()).signatures[0]),
    )
    with refused("handover-signature", "/handover"):
        _rotate(world, {**document, "handover": flipped})


def test_a_ledger_that_is_not_founded_takes_no_key() -> None:
    with refused("ledger-not-founded"):
        _rotate(World(), _planned(_new()))
