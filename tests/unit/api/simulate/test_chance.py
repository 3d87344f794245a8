import uuid

from api.simulate.chance import Chance, derived_id


def test_the_same_words_draw_the_same_numbers_for_ever() -> None:
    chance = Chance("clinledger", "7", "1")

    drawn = [chance.below(1000) for _ in range(6)]

    assert drawn == [677, 267, 873, 40, 872, 371]


def test_a_fork_does_not_move_the_stream_it_came_from() -> None:
    one, other = Chance("a"), Chance("a")
    fork = one.fork("b")
    fork.digits(50)

    assert [one.below(10**9) for _ in range(5)] == [other.below(10**9) for _ in range(5)]


def test_draws_stay_within_their_bounds() -> None:
    chance = Chance("bounds")

    assert {chance.between(3, 6) for _ in range(300)} == {3, 4, 5, 6}
    assert {chance.near_middle(0, 2) for _ in range(300)} == {0, 1, 2}
    assert {chance.weighted((("a", 1), ("b", 2))) for _ in range(300)} == {"a", "b"}
    assert {chance.happens(0) for _ in range(300)} == {False}
    assert {chance.happens(100) for _ in range(300)} == {True}


def test_a_choice_without_weight_is_never_drawn() -> None:
    chance = Chance("weights")

    assert {chance.weighted((("never", 0), ("always", 3))) for _ in range(200)} == {"always"}


def test_derived_ids_are_canonical_version_8_uuids() -> None:
    derived = derived_id("clinledger", "đơn vị", "1")

    assert uuid.UUID(derived).version == 8
    assert uuid.UUID(derived).variant == uuid.RFC_4122
    assert str(uuid.UUID(derived)) == derived
    assert derived == "835568d6-5cf8-8fb5-9970-d1047de68ab8"
    assert derived_id("clinledger", "đơn vị", "2") != derived
