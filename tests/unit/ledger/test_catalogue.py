"""The catalogue: which types there are, what is sealed, which are reserved."""

import pytest

from ledger.catalogue import CATALOGUE, RESERVED, event_type, is_sealed
from tests.builders_rules import refused


def test_only_directory_events_are_stored_in_the_open() -> None:
    in_the_open = {tag for tag in CATALOGUE if not is_sealed(tag)}
    assert in_the_open == {
        "ledger-founded.v1",
        "policy-set.v1",
        "checkpoint-key-rotated.v1",
        "tail-set-aside.v1",
        "heads-published.v1",
        "device-enrolled.v1",
        "key-enrolled.v1",
        "key-revoked.v1",
        "role-granted.v1",
        "role-withdrawn.v1",
    }


@pytest.mark.parametrize("tag", sorted(RESERVED))
def test_a_reserved_type_is_refused_as_such(tag: str) -> None:
    with refused("type-reserved", "/type"):
        event_type(tag)


def test_an_unknown_type_is_refused() -> None:
    with refused("type-unknown", "/type"):
        event_type("note-written.v2")


def test_no_reserved_type_is_in_the_catalogue() -> None:
    assert RESERVED.isdisjoint(CATALOGUE)


def test_whoever_may_correct_a_type_may_also_author_it() -> None:
    assert all(kind.amenders <= kind.authors for kind in CATALOGUE.values())


def test_what_can_be_retracted_can_be_amended() -> None:
    assert all(kind.amendable or not kind.retractable for kind in CATALOGUE.values())
