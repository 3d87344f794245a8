"""A ledger is founded once, whoever else tries at the same moment (ARCHITECTURE §4)."""

import json
import os
from pathlib import Path

import pytest

from ledger.database import Database
from ledger.draft import Draft, sign_event
from ledger.errors import CommandRefusedError, RejectedError
from ledger.migrate import migrate
from ledger.rows import Outcome
from ledger.submitted import SubmittedEvent
from ledger.verify import verify_ledger
from tests.builders_resources import an_id
from tests.builders_rules import ORIGIN, REGISTRAR, World, founding
from tests.live import LiveHospital, LiveLedger


def foundation(name: str, *, origin: str = ORIGIN) -> SubmittedEvent:
    """Return the founding event of somebody who made keys of their own."""
    world = World()
    content = json.dumps(founding(world)).encode()
    draft = Draft(
        stream=an_id(f"facility of {name}"),
        stream_kind="facility",
        event_id=an_id(f"founding of {name}"),
        type="ledger-founded.v1",
        occurred_at_ms=1_790_000_000_000,
        media_type="application/json",
        content=content,
    )
    return sign_event(
        draft,
        world.key_of(REGISTRAR),
        origin=origin,
        signer_staff=REGISTRAR,
        seen=None,
        salt=os.urandom(32),
        signed_at_ms=1_790_000_000_000,
    )


def test_of_many_foundings_at_once_one_counts(live: LiveLedger) -> None:
    answers = live.submit_together([foundation(f"founder {n}") for n in range(10)])
    assert [isinstance(answer, Outcome) for answer in answers] == [True] + [False] * 9
    refused = [answer.code for answer in answers if isinstance(answer, RejectedError)]
    assert refused == ["seen-missing"] * 9  # there is a tree now, which these name not
    assert verify_ledger(live.database, keyring=live.keyring).ok


def test_a_founding_sent_again_gets_its_receipt(live: LiveLedger) -> None:
    event = foundation("founder")
    first = live.submit(event)
    live.stop()
    live.start()
    again = live.submit(event)
    assert (again.created, again.receipt) == (False, first.receipt)


def test_nothing_comes_before_the_founding(live: LiveLedger, tmp_path: Path) -> None:
    """Not even what is well signed by staff of another ledger with the same origin and ids."""
    neighbour = Database(live.database.url, "neighbour")
    migrate(neighbour)
    other = LiveLedger(neighbour, tmp_path / "other")
    hospital = LiveHospital(other)
    event = hospital.signed("note-written.v1", hospital.note())
    for submitted in (event, hospital.events[hospital.registered.statement.event_id]):
        with pytest.raises(CommandRefusedError, match="key-not-valid"):
            live.submit(submitted)
    other.close()
    assert live.sequencer.head.size == 0


def test_a_founding_for_another_origin_is_refused(live: LiveLedger) -> None:
    with pytest.raises(RejectedError, match="origin-mismatch"):
        live.submit(foundation("founder", origin="other.example/ledger"))
    assert live.sequencer.head.size == 0
