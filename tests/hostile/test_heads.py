"""Published heads that lie, and what they are good for: nothing can be withheld any more."""

import pytest

from ledger.checkpointing.follower import Follower, InconsistentLedgerError
from ledger.heads import HeadTree, StreamHead
from tests.attack import Attack, found
from tests.ledger_builder import Author, Built


@pytest.fixture
def ledger(attack: Attack) -> Author:
    """The ledger's own key, enrolled as a device with the role `ledger`."""
    author = attack.hospital.builder.author("EdDSA")
    attack.hospital.enrol(author, "ledger", device=True)
    return author


def _heads(attack: Attack, size: int) -> HeadTree:
    newest: dict[str, StreamHead] = {}
    for built in attack.events[:size]:
        newest[built.stream] = StreamHead(built.version, built.leaf_hash)
    return HeadTree(newest)


def _publish(
    attack: Attack, author: Author, size: int, *, tree: HeadTree | None = None, streams: int = 0
) -> Built:
    builder = attack.hospital.builder
    tree = tree or _heads(attack, size)
    return builder.add(
        "heads-published.v1",
        author,
        stream=attack.hospital.facility,
        content={"size": size, "streams": streams or tree.streams, "root": tree.root().hex()},
        seen=builder.seen(size),
    )


def test_true_heads_are_found_to_be_true(attack: Attack, ledger: Author) -> None:
    """Of the newest tree, and of a smaller one after which a lot was written."""
    hospital = attack.hospital
    _publish(attack, ledger, 40)
    for _ in range(20):
        hospital.note(hospital.other)
    _publish(attack, ledger, len(attack.events) - 7)
    _publish(attack, ledger, len(attack.events))
    hospital.builder.commit()

    assert attack.verify().findings == ()
    assert attack.verify(keyring=False).findings == ()


@pytest.mark.parametrize("lie", ["withheld", "older", "too many", "too few"])
def test_attack_40_heads_that_withhold_an_event_are_found(
    attack: Attack, ledger: Author, lie: str
) -> None:
    """The newest entry of a record, or a revocation: the event that hides it is a provable lie."""
    size = len(attack.events)
    streams = _heads(attack, size).streams
    match lie:
        case "withheld":
            tree = _heads(attack, size - 1)
        case "older":
            tree = _heads(attack, 12)
        case _:
            tree = _heads(attack, size)
            streams += 1 if lie == "too many" else -1
    published = _publish(attack, ledger, size, tree=tree, streams=streams)
    attack.hospital.builder.commit()

    assert found(attack.verify(), "heads-mismatch") == [published.position]
    assert found(attack.verify(keyring=False), "heads-mismatch") == [published.position]
    with attack.database.connect("reader") as connection:
        follower = Follower(connection, attack.database, attack.hospital.builder.keyring)
        with pytest.raises(InconsistentLedgerError, match="heads-mismatch"):
            follower.advance()


def test_heads_by_a_key_without_the_role_are_found(attack: Attack) -> None:
    """Put in past the sequencer."""
    published = _publish(attack, attack.hospital.doctor, len(attack.events))
    attack.hospital.builder.commit()

    assert found(attack.verify(), "role-not-valid") == [published.position]


def test_heads_too_old_to_be_judged_are_refused_by_the_rules(
    attack: Attack, ledger: Author
) -> None:
    """Nothing passes because it cannot be recomputed."""
    first = _publish(attack, ledger, 100)
    second = _publish(attack, ledger, 90)
    attack.hospital.builder.commit()

    assert first.position < second.position
    assert found(attack.verify(), "rule-broken") == [second.position]
