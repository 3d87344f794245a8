"""Who may publish the heads of all streams, and of which tree."""

from typing import Any

import pytest
from msgspec import UNSET

from ledger.facts import HeadsFacts
from ledger.heads import MAX_LAG
from signing.statement import Seen
from tests.builders_rules import FACILITY, World, enrol, founded, refused

ROOT = "ab" * 32


@pytest.fixture
def world() -> World:
    return founded()


@pytest.fixture
def ledger(world: World) -> str:
    """The ledger itself: a device with a role of its own."""
    return enrol(world, "the ledger", "ledger", kind="device")


def _publish(world: World, signer: str, size: int, **changes: Any) -> None:  # noqa: ANN401 - members of statements
    members = {"seen": Seen(root=ROOT, size=size), "stream": FACILITY, "signer": signer, **changes}
    world.add("heads-published.v1", {"size": size, "streams": 3, "root": ROOT}, **members)


def test_the_ledger_itself_publishes_heads(world: World, ledger: str) -> None:
    """Its facts are the content."""
    draft = world.draft(
        "heads-published.v1",
        {"size": 2, "streams": 3, "root": ROOT},
        seen=Seen(root=ROOT, size=2),
        stream=FACILITY,
        signer=ledger,
    )
    assert world.read(draft) == HeadsFacts(size=2, streams=3, root=ROOT)
    world.take(draft)
    assert world.directory.heads_size == 2


def test_nobody_else_publishes_heads(world: World, ledger: str) -> None:
    """Nor does the ledger author anything else."""
    doctor = enrol(world, "doctor", "doctor", "administrator")
    with refused("role-not-valid", "/signer"):
        _publish(world, doctor, 2)
    policy = {"version": 1, "entry_deadline_hours": 1, "outage_deadline_hours": 1}
    with refused("role-not-valid", "/signer"):
        world.add("policy-set.v1", policy, stream=FACILITY, signer=ledger)


def test_people_do_not_hold_the_role_of_the_ledger(world: World) -> None:
    with refused("role-kind"):
        enrol(world, "nurse", "ledger")


def test_heads_are_of_the_tree_that_was_seen(world: World, ledger: str) -> None:
    """So their root needs no naming: it is signed already."""
    for seen in (Seen(root=ROOT, size=1), UNSET):
        with refused("heads-size", "/size"):
            _publish(world, ledger, 2, seen=seen)


def test_each_heads_are_of_a_larger_tree(world: World, ledger: str) -> None:
    _publish(world, ledger, 2)
    for size in (1, 2):
        with refused("heads-not-newer"):
            _publish(world, ledger, size)
    _publish(world, ledger, 3)


def test_heads_of_a_tree_too_many_events_ago_are_refused(world: World, ledger: str) -> None:
    """Whoever verifies must remember what was then."""
    world.position = MAX_LAG + 3
    with refused("heads-too-old"):
        _publish(world, ledger, 2)
    _publish(world, ledger, 3)


@pytest.mark.parametrize(
    "change", [{"size": 0}, {"streams": 0}, {"root": "AB" * 32}, {"root": ""}, {"note": "x"}]
)
def test_a_heads_document_has_no_other_form(
    world: World, ledger: str, change: dict[str, object]
) -> None:
    document = {"size": 2, "streams": 3, "root": ROOT, **change}
    draft = world.draft(
        "heads-published.v1",
        document,
        seen=Seen(root=ROOT, size=2),
        stream=FACILITY,
        signer=ledger,
    )
    code = "content-unknown-field" if "note" in change else "content-invalid"
    with refused(code):
        world.read(draft)
