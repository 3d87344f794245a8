"""An import that is killed is repeated: nothing is lost, nothing is there twice."""

import time
from pathlib import Path

import msgspec

from api.event_json import submission_json
from ledger.database import Database
from ledger.embedded import EmbeddedPostgres
from ledger.store import EntryStore
from signing.statement import Seen
from tests.benchmarks.workload import recipe_for, signed_chain
from tests.killable import Ledger, kill

PATIENTS = range(1_000, 1_030)


def _head(ledger: Ledger) -> Seen:
    database = Database(EmbeddedPostgres(ledger.home).start())
    with database.connect("reader") as connection:
        head = EntryStore(connection, database).head()
    return Seen(root=head.root.hex(), size=head.size)


def _signed_histories(ledger: Ledger, seen: Seen, path: Path) -> int:
    """Write so many patients' events to a file; return how many."""
    recipe = recipe_for(ledger.home / "keys", seen)
    events = [event for number in PATIENTS for event in signed_chain(recipe, number)]
    path.write_bytes(b"".join(msgspec.json.encode(submission_json(e)) + b"\n" for e in events))
    return len(events)


def test_a_killed_import_is_repeated_and_completes(ledger: Ledger, tmp_path: Path) -> None:
    """Killed in the middle, twice; then it runs to its end, and every receipt is met."""
    ledger.run("simulate", "--patients", "2", "--acks", str(ledger.acks), "--json")
    before = _head(ledger)
    file = tmp_path / "import.jsonl"
    events = _signed_histories(ledger, before, file)
    kept = ledger.acknowledged()
    command = ("import", str(file), "--acks", str(ledger.acks), "--json")
    for share in (0.2, 0.5):
        running = ledger.start(*command)
        deadline = time.monotonic() + 60
        while _head(ledger).size < before.size + share * events:
            assert running.poll() is None, "the import ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        kill(running)
    assert before.size < _head(ledger).size < before.size + events
    done = ledger.run(*command)
    assert done["refused"] == 0
    assert done["created"] + done["already_there"] == events
    assert done["created"] > 0
    assert done["already_there"] >= 0.5 * events
    assert done["size"] == before.size + events
    assert ledger.acknowledged() >= kept + events
    ledger.check()
