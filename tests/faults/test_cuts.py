"""Cut the connections of the append path at every message that goes to PostgreSQL.

Each message is lost in two ways: the server never got it; or it did what the message says, commit
included, and its answer was lost. The client does what every client must: it submits the same event
until it has a receipt.
"""

import random

import pytest

from tests.cutting_proxy import CuttingProxy, Loss
from tests.faulty import Client

COMMIT = 4
"""The last of an append's messages: Bind, Describe, Execute, Sync."""
BOTH = pytest.mark.parametrize("loss", list(Loss), ids=["lost request", "lost answer"])


@BOTH
def test_a_batch_survives_a_cut_at_each_of_its_messages(
    client: Client, proxy: CuttingProxy, loss: Loss
) -> None:
    """A running sequencer appends to a stream that it knows: one statement, which is a commit."""
    at = 0
    while True:
        at += 1
        client.submit(client.note(f"before {at}"))
        events = [client.note(f"{number} of round {at}") for number in range(3)]
        proxy.arm_at(at, loss)
        client.submit_all(events)
        cuts = proxy.disarm()
        client.submit_all(events)
        client.check()
        if not cuts:
            break
    assert at > COMMIT


@BOTH
def test_a_start_and_a_new_stream_survive_a_cut_at_each_of_their_messages(
    client: Client, proxy: CuttingProxy, loss: Loss
) -> None:
    """Connecting, the lock, the settings, the head, the directory, the stream's key, the append."""
    at = 0
    while True:
        at += 1
        event = client.new_patient(f"patient {at}")
        client.live.stop()
        proxy.arm_at(at, loss)
        client.start()
        client.submit_all([event])
        cuts = proxy.disarm()
        client.submit_all([event])
        client.check()
        if not cuts:
            break
    assert at > 40


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (Loss.REQUEST, Loss.ANSWER),
        (Loss.ANSWER, Loss.REQUEST),
        pytest.param(Loss.REQUEST, Loss.REQUEST, marks=pytest.mark.long),
        pytest.param(Loss.ANSWER, Loss.ANSWER, marks=pytest.mark.long),
    ],
)
def test_a_cut_while_recovering_from_a_cut_is_survived(
    client: Client, proxy: CuttingProxy, first: Loss, then: Loss
) -> None:
    """The commit is lost, and then any message of the recovery, a second commit included."""
    at, cuts = 0, 2
    while cuts == 2:
        at += 1
        client.submit(client.note(f"before {at}"))
        event = client.note(f"note {at}")
        proxy.arm(lambda n, also=COMMIT + at: {COMMIT: first, also: then}.get(n))
        client.submit_all([event])
        cuts = proxy.disarm()
        client.submit_all([event])
    assert at > 20
    client.check()


@pytest.mark.parametrize("seed", [1, 2])
def test_cuts_at_random_under_load_lose_and_double_nothing(
    client: Client, proxy: CuttingProxy, seed: int
) -> None:
    """Sixty events, six at once, and every twentieth message is lost in one way or the other."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    proxy.arm(lambda _: chance.choice(list(Loss)) if chance.random() < 0.05 else None)
    for wave in range(10):
        events = [client.note(f"note {wave}.{number}") for number in range(4)]
        events += [client.new_patient(f"patient {wave}.{number}") for number in range(2)]
        client.submit_all(events)
    assert proxy.disarm() > 5
    client.check()
