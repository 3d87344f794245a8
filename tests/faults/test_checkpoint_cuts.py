"""Cut the checkpoint path at every message to PostgreSQL and every question to a witness.

Each is lost in two ways: it did not happen; or it happened and its answer was lost. Then the
process is started again, as its supervisor does, and must need no other repair.
"""

import gc
from collections.abc import Generator
from pathlib import Path

import pytest

from api.checkpoint.rounds import Rounds
from ledger.database import Database
from ledger.errors import LedgerError
from tests.attack import Attack
from tests.checkpoint_process import NAMES, Process
from tests.checkpointed import Checkpointed
from tests.copied import built_hospital, copied
from tests.cutting_proxy import CuttingProxy, Loss
from tests.hospital import Hospital
from tests.postgres import Server

BOTH = pytest.mark.parametrize("loss", list(Loss), ids=["lost request", "lost answer"])


@pytest.fixture(scope="module")
def tiny_hospital(postgres_server: Server, template_url: str) -> Generator[Hospital]:
    """A hospital just founded; its database is only ever copied."""
    with built_hospital(postgres_server, template_url, events=20) as found:
        yield found


@pytest.fixture
def attack(postgres_server: Server, tiny_hospital: Hospital) -> Generator[Attack]:
    """A session on a copy of the hospital's ledger."""
    with copied(postgres_server, tiny_hospital) as session:
        yield session


@pytest.fixture
def process(attack: Attack, tmp_path: Path) -> Generator[Process]:
    """The checkpoint process and its witnesses, undisturbed."""
    signed = Checkpointed(attack.database, attack.hospital, tmp_path)
    yield Process(signed, tmp_path)
    signed.close()


async def _once(rounds: Rounds) -> None:
    await rounds.once()


def _check(process: Process) -> None:
    """Start again: everything is signed, cosigned and published."""
    process.run(_once)
    size = process.signed.size
    origin = process.signed.signer.verifier.vkey.name
    assert [process.net.size(name, origin) for name in NAMES] == [size, size]
    published = process.policy.verify(process.published().note)
    assert (published.checkpoint.size, set(published.cosigned)) == (size, set(NAMES))
    assert process.signed.saved().checkpoint.size == size
    process.signed.close()


@BOTH
def test_every_question_to_a_witness_may_be_lost(process: Process, loss: Loss) -> None:
    """What it cosigned last, the last checkpoint once more, the new one: of both witnesses."""
    process.run(_once)
    at = 0
    while True:
        at += 1
        process.signed.notes(2)
        process.net.asked.clear()
        process.net.lose = lambda number, at=at: loss if number == at else None
        process.run(_once)
        asked = len(process.net.asked)
        process.net.lose = lambda _number: None
        _check(process)
        if asked < at:
            break
    assert at > 3 * len(NAMES)
    assert process.signed.verify().findings == ()


# psycopg forgets to mark a cursor as closed when the connection is lost at its CLOSE.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@BOTH
def test_every_message_of_the_signer_to_the_database_may_be_lost(
    process: Process, attack: Attack, tmp_path: Path, loss: Loss
) -> None:
    """Connecting, reading, verifying, storing what was signed, publishing what was cosigned."""
    proxy = CuttingProxy(attack.database.url)
    process.run(_once)
    undisturbed = process.signed
    at, failed = 0, 0
    while True:
        at += 1
        undisturbed.notes(1)
        process.signed = Checkpointed(Database(proxy.url, "ledger"), attack.hospital, tmp_path)
        proxy.arm_at(at, loss)
        try:
            process.run(_once)
        except LedgerError:
            failed += 1
        process.signed.close()
        process.signed = undisturbed
        cuts = proxy.disarm()
        _check(process)
        if not cuts:
            break
    proxy.close()
    gc.collect()  # what psycopg says of those cursors belongs to this test, not to a later one
    assert at > 40
    assert failed > at * 0.8  # not where a connection is only taken leave of
    assert process.signed.verify().findings == ()
