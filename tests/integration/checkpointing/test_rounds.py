"""Rounds of the checkpoint process: witnesses first, signing never waits for them, publishing."""

import asyncio
from pathlib import Path

import pytest

from api.checkpoint.rounds import Pace, Rounds
from api.checkpoint.status import describe_status, read_status
from api.witness.state import Cosigned
from ledger.checkpointing.follower import InconsistentLedgerError
from signing.notes import parse_note
from tests.attack import Attack
from tests.checkpoint_process import NAMES, Process
from tests.checkpointed import Checkpointed


@pytest.fixture
def process(signed: Checkpointed, tmp_path: Path) -> Process:
    return Process(signed, tmp_path)


async def _once(rounds: Rounds) -> None:
    await rounds.once()


def test_a_round_signs_asks_every_witness_and_publishes_with_their_cosignatures(
    process: Process,
) -> None:
    """A policy of both is reached by what is published."""
    process.run(_once)

    published = process.published()
    judgement = process.policy.verify(published.note)
    assert (judgement.checkpoint.size, set(judgement.cosigned)) == (40, set(NAMES))
    stored = process.signed.table.newest()
    assert stored is not None
    assert len(parse_note(stored.note).signatures) == 1
    assert process.signed.verify().findings == ()


def test_witnesses_follow_the_growing_ledger(process: Process) -> None:
    """Each later round brings a consistency proof from what the witness knew."""
    for _ in range(3):
        process.run(_once)
        process.signed.notes(7)
    process.run(_once)

    origin = process.signed.signer.verifier.vkey.name
    assert [process.net.size(name, origin) for name in NAMES] == [61, 61]
    assert process.policy.verify(process.published().note).checkpoint.size == 61


def test_without_witnesses_what_was_signed_is_published_alone(process: Process) -> None:
    """No policy, no quorum, no alarm."""
    process.run(_once, witnessed=False)

    assert process.published().size == 40
    assert process.net.asked == []


def test_nothing_new_is_not_published_again(process: Process) -> None:
    """One publication for each size, as long as nothing changes."""
    process.run(_once)
    process.run(_once)

    assert process.published().number == 1


def test_what_was_signed_and_not_published_is_published_after_a_restart(process: Process) -> None:
    """The process may die between the two."""
    process.signed.start().sign_new()
    process.run(_once)

    assert process.policy.verify(process.published().note).checkpoint.size == 40


def test_publishing_waits_for_its_interval_while_signing_goes_on(process: Process) -> None:
    """Outward once a minute, to witnesses each second."""

    async def act(rounds: Rounds) -> None:
        await rounds.once()
        for _ in range(3):
            process.signed.notes(1)
            await rounds.round()

    process.run(act, witnessed=False, pace=Pace(publish_seconds=3600))

    assert process.published().size == 40
    assert process.signed.saved().checkpoint.size == 43


def test_a_witness_that_does_not_answer_delays_nothing(process: Process) -> None:
    """Signing goes on beside it, and what comes from the others is published."""
    process.net.slow.add("two")

    async def act(rounds: Rounds) -> None:
        await rounds.begin()
        for _ in range(4):
            started = asyncio.get_running_loop().time()
            await rounds.round()
            process.signed.notes(1)
            assert asyncio.get_running_loop().time() - started < 0.4
        await asyncio.sleep(0.7)
        await rounds.round()

    process.run(act)

    judgement = process.policy.judge(process.published().note)
    assert set(judgement.cosigned) == {"one"}
    assert not judgement.reached
    assert process.signed.saved().checkpoint.size == 44


def test_a_missing_quorum_is_told_after_a_while_and_stops_nothing(process: Process) -> None:
    """Care goes on; the operator is told."""
    process.net.cut.update(NAMES)

    process.run(_once, pace=Pace(publish_seconds=0, quorum_seconds=-1))

    assert describe_status(process.status, now_ms=process.clock.now_ms()) == "unwitnessed"
    assert process.published().size == 40


def test_database_and_state_set_back_together_are_found_by_a_witness(
    process: Process, attack: Attack
) -> None:
    """Attack 42: the witness remembers what both have forgotten."""
    process.run(_once)
    state = process.signed.file.path.read_bytes()
    process.signed.notes(3)
    process.run(_once)
    process.signed.file.path.write_bytes(state)
    attack.truncate(40)
    attack.cover_up()
    for table in ("checkpoint", "publication"):
        attack.run(attack.only("DELETE FROM {ledger}.TABLE WHERE size > 40", table))

    with pytest.raises(InconsistentLedgerError, match="witness one has cosigned size 43"):
        process.run(_once)


def test_a_fork_is_found_by_a_witness_before_anything_is_signed(
    process: Process, attack: Attack
) -> None:
    """Attacks 11 and 13, with the state file thrown away as well."""
    process.run(_once)
    process.signed.file.path.unlink()
    attack.truncate(38)
    attack.cover_up()
    for table in ("checkpoint", "publication"):
        attack.run(attack.only("TRUNCATE {ledger}.TABLE", table))
    attack.rewind(38)
    process.signed.notes(9)

    with pytest.raises(InconsistentLedgerError, match="witness one has cosigned size 40"):
        process.run(_once)
    assert not process.signed.file.path.exists()


def test_a_witness_that_saw_more_is_heeded_while_running(process: Process) -> None:
    """Somebody else signed in our name, and had it cosigned."""

    async def act(rounds: Rounds) -> None:
        await rounds.once()
        ahead = Cosigned(size=60, root=bytes(32), time_seconds=1, note=b"x")
        with process.net.states["one"].transaction() as state:
            state.record(process.signed.signer.verifier.vkey.name, ahead)
        process.signed.notes(1)
        with pytest.raises(InconsistentLedgerError, match="witness one: it has cosigned 60"):
            await rounds.once()
        with pytest.raises(InconsistentLedgerError):
            await rounds.round()

    process.run(act)


def test_a_jumping_clock_asks_the_witnesses_first(process: Process) -> None:
    """A machine that was put to sleep, or set back with its memory."""

    async def act(rounds: Rounds) -> int:
        await rounds.once()
        process.net.asked.clear()
        process.clock.time_ms += 3_600_000
        await rounds.round()
        return process.net.asked.count(("one", "GET"))

    assert process.run(act) == 1


def test_the_status_file_says_how_it_goes(process: Process) -> None:
    """It is late when the process falls silent."""
    now = process.clock.now_ms()
    assert describe_status(process.status, now_ms=now) == "none"
    assert describe_status(None, now_ms=now) == "none"

    process.run(_once)

    status = read_status(process.status)
    assert status is not None
    assert (status.state, status.size) == ("ok", 40)
    assert describe_status(process.status, now_ms=now) == "ok"
    assert describe_status(process.status, now_ms=now + 61_000) == "late"


def test_a_witness_that_comes_back_is_asked_again_though_nothing_is_new(process: Process) -> None:
    """A night without events must not leave the last checkpoint without its quorum."""

    async def act(rounds: Rounds) -> None:
        process.net.cut.add("two")
        await rounds.once()
        assert not process.policy.judge(process.published().note).reached
        process.net.cut.clear()
        for _ in range(3):
            await rounds.round()
            await asyncio.sleep(0.3)

    process.run(act, pace=Pace(publish_seconds=0, again_seconds=0))

    assert process.policy.judge(process.published().note).reached
    assert process.published().number == 2
    assert process.signed.verify().findings == ()


def test_a_quorum_that_was_reached_is_not_missing_while_nothing_is_new(process: Process) -> None:
    """An idle ledger is no alarm."""

    async def act(rounds: Rounds) -> None:
        await rounds.once()
        await rounds.round()

    process.run(act, pace=Pace(publish_seconds=0, quorum_seconds=0))

    assert describe_status(process.status, now_ms=process.clock.now_ms()) == "ok"
