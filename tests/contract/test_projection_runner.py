"""The eventsourcing library's own ProjectionRunner and subscription run on a real ledger."""

import re
from pathlib import Path
from typing import Any

from psycopg import conninfo

from ledger.rows import Outcome
from tests.live import LiveHospital

DOCUMENT = Path(__file__).parents[2] / "docs" / "eventsourcing.md"


def documented_program() -> dict[str, Any]:
    """Run the program of the document and return its names."""
    [program] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "documented"}
    exec(compile(program, str(DOCUMENT), "exec"), names)  # noqa: S102 - our own document
    return names


def test_the_documented_projection_follows_the_ledger(hospital: LiveHospital) -> None:
    live = hospital.live
    env = {
        "CLINLEDGER_DATABASE_URL": conninfo.make_conninfo(live.database.url),
        "CLINLEDGER_HOME": str(live.home),
    }
    before = live.sequencer.head.size
    with documented_program()["run"](env) as runner:
        runner.wait(before, timeout=20)  # what was there
        events = [hospital.signed("note-written.v1", hospital.note(f"n {n}")) for n in range(5)]
        answers = live.submit_together(events)
        assert all(isinstance(answer, Outcome) for answer in answers)
        runner.wait(before + 5, timeout=20)  # what comes, by NOTIFY
        assert runner.view.by_type["note-written.v1"] == 5
        assert sum(runner.view.by_type.values()) == before + 5
