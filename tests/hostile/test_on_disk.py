"""Root on the database's host (T2): the files of a stopped server are changed or exchanged."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from ledger.checkpointing.follower import InconsistentLedgerError
from ledger.database import Database
from ledger.embedded import EmbeddedPostgres
from ledger.errors import EnvironmentRefusedError
from ledger.migrate import migrate
from ledger.server_programs import find_programs, server_user
from ledger.verify import Report, VerifyOptions, verify_ledger
from tests.attack import found
from tests.checkpointed import Checkpointed
from tests.hospital import Hospital, build_hospital

EVENTS = 40
VICTIM = 33
"""A note of the doctor's; nothing special about it."""


class Host:
    """A server whose files can be got at, and the hospital on it."""

    def __init__(self, home: Path) -> None:
        self.server = EmbeddedPostgres(home)
        self.database = Database(self.server.start(), "ledger")
        migrate(self.database)
        self.hospital: Hospital = build_hospital(self.database, events=EVENTS)

    def file_of(self, table: str) -> Path:
        """Return where the rows of a table lie."""
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            row = connection.execute("SELECT pg_relation_filepath(%s)", [table]).fetchone()
        assert row is not None
        return self.server.data / str(row[0])

    def verify(self, *checkpoints: Path) -> Report:
        """Verify with what an auditor kept."""
        keyring = self.hospital.builder.keyring
        options = VerifyOptions(checkpoints=checkpoints)
        return verify_ledger(self.database, keyring=keyring, options=options)

    def ignore_checksums(self) -> None:
        """Switch the pages' checksums off, as root can with the server's own program."""
        major = int((self.server.data / "PG_VERSION").read_text())
        program = find_programs(None, major=major).directory / "pg_checksums"
        if not program.exists():
            pytest.skip("these server programs have no pg_checksums")
        user = server_user(self.server.data)
        subprocess.run(  # noqa: S603 - a program of the server's
            [program, "--disable", "-D", self.server.data],
            check=True,
            capture_output=True,
            cwd="/",
            user=None if user is None else user.uid,
            group=None if user is None else user.gid,
        )


@pytest.fixture
def host(clinledger_home: Path) -> Host:
    """A hospital on a server of its own."""
    return Host(clinledger_home)


def flip(file: Path, known: bytes, *, at: int) -> None:
    """Flip one bit of a row on the disk, found by what it holds."""
    data = bytearray(file.read_bytes())
    (place,) = [match.start() for match in re.finditer(re.escape(known), bytes(data))]
    data[place + at] ^= 1
    with file.open("r+b") as pages:
        pages.write(data)
        os.fsync(pages.fileno())


def test_attack_37_a_flipped_bit_on_the_disk_is_refused_by_the_page_checksum(host: Host) -> None:
    """Bit rot: the server does not hand out such a page, and `verify` says so."""
    file = host.file_of("ledger.entry")
    host.server.stop()
    flip(file, host.hospital.builder.events[VICTIM].leaf_hash, at=5)
    host.server.start()

    with pytest.raises(EnvironmentRefusedError, match="SQLSTATE XX001"):
        host.verify()


def test_attack_37_an_edited_heap_file_without_checksums_is_found_at_its_position(
    host: Host,
) -> None:
    """Root edits the leaf hash on the disk and makes the server believe it."""
    file = host.file_of("ledger.entry")
    host.server.stop()
    flip(file, host.hospital.builder.events[VICTIM].leaf_hash, at=5)
    host.ignore_checksums()
    host.server.start()

    report = host.verify()

    assert [(f.code, f.position) for f in report.findings] == [("leaf-mismatch", VICTIM)]


def test_attack_01_a_body_edited_on_the_disk_is_found_at_its_position(host: Host) -> None:
    """Sealed contents do not open any more."""
    file = host.file_of("ledger.sealed_0")
    with psycopg.connect(host.database.url) as connection:
        query = "SELECT body FROM ledger.sealed WHERE position = %s"
        row = connection.execute(query, [VICTIM]).fetchone()
        assert row is not None
    host.server.stop()
    flip(file, bytes(row[0])[40:80], at=7)
    host.ignore_checksums()
    host.server.start()

    report = host.verify()

    assert [(f.code, f.position) for f in report.findings] == [("body-unreadable", VICTIM)]


def test_attack_12_an_older_copy_of_the_files_is_found_by_checkpoints(
    host: Host, clinledger_home: Path, tmp_path: Path
) -> None:
    """The signer's own state and whoever kept a checkpoint remember what the files forgot."""
    signed = Checkpointed(host.database, host.hospital, tmp_path)
    copy = clinledger_home / "copy"
    host.server.stop()
    _copy(host.server.data, copy)
    host.server.start()
    signed.notes(3)
    signed.start().sign_new()
    kept = tmp_path / "kept"
    kept.write_bytes(signed.saved().note)
    assert host.verify(kept).ok
    signed.close()
    host.server.stop()
    shutil.rmtree(host.server.data)
    _copy(copy, host.server.data)
    host.server.start()

    assert host.verify().ok
    assert found(host.verify(kept), "checkpoint-inconsistent") == [EVENTS]
    with pytest.raises(InconsistentLedgerError):
        signed.start().sign_new()
    signed.close()


def _copy(source: Path, target: Path) -> None:
    """Copy a data folder with its owners, as root can."""
    shutil.copytree(source, target)
    for path in (source, *source.rglob("*")):
        status = path.stat()
        os.chown(target / path.relative_to(source), status.st_uid, status.st_gid)
