"""Whatever is tried: each checkpoint key signs its own sizes only, and none ever returns."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.checkpoint_keys import CheckpointKey, key_in_force, verify_in_force
from ledger.errors import RejectedError
from ledger.merkle import EMPTY_ROOT
from signing.checkpoints import Checkpoint, sign_checkpoint
from signing.errors import SigningError
from signing.handovers import read_handover, sign_handover
from signing.keys import SoftKey
from signing.notes import Ed25519Signer, Ed25519Verifier
from tests.builders_rules import (
    CHECKPOINT_SOFT_KEY,
    FACILITY,
    ORIGIN,
    REGISTRAR,
    SECOND_REGISTRAR,
    founded,
)
from tests.noted import note_key
from tests.rotations import rotation

POOL = (CHECKPOINT_SOFT_KEY, *(note_key(f"checkpoint key {number}") for number in range(3)))
FOUNDED = founded()
steps = st.lists(
    st.tuples(
        st.sampled_from(POOL),
        st.sampled_from((None, *POOL)),
        st.sampled_from([None, REGISTRAR, SECOND_REGISTRAR]),
        st.integers(0, 5),
    ),
    max_size=12,
)


def signer_of(key: SoftKey) -> Ed25519Signer:
    return Ed25519Signer(ORIGIN, key)


def signed(size: int, key: SoftKey) -> bytes:
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=EMPTY_ROOT)
    return sign_checkpoint(checkpoint, signer_of(key))


def is_accepted(note: bytes, keys: list[CheckpointKey]) -> bool:
    try:
        verify_in_force(note, keys)
    except SigningError:
        return False
    return True


@settings(max_examples=60, deadline=None)
@given(steps)
def test_no_sequence_of_rotations_brings_a_key_back(
    tried: list[tuple[SoftKey, SoftKey | None, str | None, int]],
) -> None:
    world = copy.deepcopy(FOUNDED)
    for new, old, second, gap in tried:
        world.position += gap
        before = copy.deepcopy((world.directory, world.streams))
        in_force = world.directory.checkpoint_key
        other = None if second is None else (second, world.key_of(second))
        document = rotation(new, origin=ORIGIN, old=old, second=other)
        try:
            world.add("checkpoint-key-rotated.v1", document, stream=FACILITY, signer=REGISTRAR)
        except RejectedError:
            assert (world.directory, world.streams) == before
            continue
        handed_over = old is not None and str(signer_of(old).verifier.vkey) == in_force
        assert handed_over or (old is None and second == SECOND_REGISTRAR)
    keys = world.directory.checkpoint_keys
    assert len({key.vkey for key in keys}) == len(keys) <= len(POOL)
    assert [key.position for key in keys] == sorted({key.position for key in keys})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), max_size=3, unique=True), st.integers(0, 60))
def test_at_each_size_exactly_one_key_is_accepted(positions: list[int], size: int) -> None:
    keys = [
        CheckpointKey(position=position, vkey=str(signer_of(key).verifier.vkey), spki=key.spki)
        for position, key in zip([0, *sorted(positions)], POOL, strict=False)
    ]
    passed = sum(position < size for position in positions)

    accepted = [is_accepted(signed(size, key), keys) for key in POOL]

    assert accepted == [number == passed for number in range(len(POOL))]
    assert key_in_force(keys, size) is keys[passed]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_changed_byte_of_a_handover_is_taken_for_it(data: st.DataObject) -> None:
    """Refused, or with the signature of the old key missing."""
    new, old = signer_of(POOL[1]), signer_of(POOL[0])
    note, vkey = bytearray(sign_handover(new, old)), str(new.verifier.vkey)
    place = data.draw(st.integers(0, len(note) - 1))
    note[place] ^= data.draw(st.integers(1, 255))

    try:
        taken = read_handover(bytes(note), vkey).is_signed_by(Ed25519Verifier(old.verifier.vkey))
    except SigningError:
        taken = False

    assert not taken
