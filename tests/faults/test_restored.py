"""The database is put back to an older copy, file by file, while clients hold newer receipts."""

import shutil
from pathlib import Path

import pytest

from ledger.database import Database
from ledger.embedded import EmbeddedPostgres
from ledger.errors import CorruptionError, SubmissionRejectedError, UnavailableError
from ledger.migrate import migrate
from tests.attack import found
from tests.faulty import Client
from tests.live import LiveLedger


@pytest.fixture
def server(clinledger_home: Path) -> EmbeddedPostgres:
    """A server of the test's own, whose files can be exchanged."""
    return EmbeddedPostgres(clinledger_home)


def copy(source: Path, target: Path) -> None:
    """Copy a data folder with its owners, as root can; the server must be stopped."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    for path in (source, *source.rglob("*")):
        status = path.stat()
        shutil.chown(target / path.relative_to(source), status.st_uid, status.st_gid)


def test_an_older_copy_of_the_data_folder_is_found_by_receipts(
    server: EmbeddedPostgres, clinledger_home: Path, tmp_path: Path
) -> None:
    """The running sequencer stops; one started anew cannot know, but every receipt does."""
    database = Database(server.start(), "ledger")
    migrate(database)
    live = LiveLedger(database, tmp_path)
    client = Client(live, database, tmp_path)
    old = len(client.receipts)
    server.stop()
    copy(server.data, clinledger_home / "copy")
    server.start()
    for number in range(5):
        client.submit(client.note(f"lost {number}"))
    saw_the_lost = client.note("by an author who saw what is gone")
    client.check()
    server.stop()
    copy(clinledger_home / "copy", server.data)
    server.start()

    # The sequencer of the newer state does not write on top of the older one.
    with pytest.raises(UnavailableError):
        live.submit(saw_the_lost)
    error = live.run(live.sequencer.wait_stopped())
    assert isinstance(error, CorruptionError)
    assert error.code == "head-mismatch"

    # One started anew goes on; whoever saw the lost state does not sign for it.
    live.stop()
    live.start()
    with pytest.raises(SubmissionRejectedError) as refused:
        live.submit(saw_the_lost)
    assert refused.value.code == "seen-inconsistent"
    live.submit(client.note("after the restoring"))
    report = client.verify()
    live.close()
    assert found(report, "acknowledged-missing") == list(range(old, old + 5))
    assert {finding.code for finding in report.findings} == {"acknowledged-missing"}
