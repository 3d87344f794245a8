"""Keep what a witness has cosigned, durably, in one small SQLite file.

The file is the witness's memory: if it is lost, or set back, the witness could cosign a history
that contradicts what it cosigned before. It is therefore made by an explicit act only.
"""

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from ledger.durable import sync
from ledger.errors import EnvironmentRefusedError, UnavailableError

MAX_REFUSED: Final = 1000
"""Refused requests kept of each log; the first ones are the evidence, later ones repeat it."""

_APPLICATION_ID: Final = 0x636C7769  # "clwi"
_FORMAT: Final = 1
_BUSY_SECONDS: Final = 5.0
_SCHEMA: Final = """
CREATE TABLE cosigned (
    origin TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    time_seconds INTEGER NOT NULL,
    note BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE refused (
    id INTEGER PRIMARY KEY,
    origin TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    time_seconds INTEGER NOT NULL,
    reason TEXT NOT NULL,
    request BLOB NOT NULL,
    cosigned BLOB
) STRICT;
"""
_LATEST: Final = "SELECT size, root, time_seconds, note FROM cosigned WHERE origin = ?"
_RECORD: Final = """
INSERT INTO cosigned (origin, size, root, time_seconds, note) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (origin) DO UPDATE SET
    size = excluded.size, root = excluded.root, time_seconds = excluded.time_seconds,
    note = excluded.note
"""
_REFUSE: Final = """
INSERT INTO refused (origin, digest, time_seconds, reason, request, cosigned)
SELECT ?1, ?2, ?3, ?4, ?5, (SELECT note FROM cosigned WHERE origin = ?1)
WHERE (SELECT count(*) FROM refused WHERE origin = ?1) < ?6
ON CONFLICT (digest) DO NOTHING
"""
_REFUSED: Final = "SELECT origin, time_seconds, reason, request, cosigned FROM refused ORDER BY id"


class Cosigned(msgspec.Struct, frozen=True, kw_only=True):
    """The newest checkpoint of a log that the witness vouches for.

    Attributes:
        size: number of leaves.
        root: its root hash.
        time_seconds: of the cosignature, POSIX; 0 for a pinned start that was never cosigned.
        note: the checkpoint with the log's and the witness's signatures; empty for a pin.
    """

    size: int
    root: bytes
    time_seconds: int
    note: bytes


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A request that a trusted key signed and that contradicts what was cosigned.

    Attributes:
        origin: which log.
        time_seconds: when it came, POSIX.
        reason: why it was refused.
        request: the whole body.
        cosigned: the note that the witness had cosigned then; empty when none.
    """

    origin: str
    time_seconds: int
    reason: str
    request: bytes
    cosigned: bytes


class StateTransaction:
    """One locked step: nobody else reads or writes between its look and its record."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def latest(self, origin: str) -> Cosigned | None:
        """Return the newest cosigned checkpoint of a log."""
        row = self._connection.execute(_LATEST, (origin,)).fetchone()
        if row is None:
            return None
        size, root, time_seconds, note = row
        return Cosigned(size=size, root=root, time_seconds=time_seconds, note=note)

    def record(self, origin: str, cosigned: Cosigned) -> None:
        """Replace the newest cosigned checkpoint of a log."""
        values = (origin, cosigned.size, cosigned.root, cosigned.time_seconds, cosigned.note)
        self._connection.execute(_RECORD, values)

    def refuse(self, origin: str, *, text: str, reason: str, request: bytes, now: int) -> None:
        """Keep a refused request, once for each text of a checkpoint, at most 1000 of a log."""
        digest = hashlib.sha256(text.encode()).digest()
        self._connection.execute(_REFUSE, (origin, digest, now, reason, request, MAX_REFUSED))


class WitnessState:
    """The state file. Processes and threads may share it; each step locks it."""

    def __init__(self, path: Path) -> None:
        """Use an existing file.

        Raises:
            EnvironmentRefusedError: it is missing, or is not a witness's state.
        """
        self._path = path
        if not path.exists():
            raise EnvironmentRefusedError(
                f"the state file {path} is missing. If this witness has cosigned anything before, "
                "restore nothing old: it could then cosign a history that contradicts it. Give "
                "the witness a new key, and make a new state with `clinledger witness new-state`"
            )
        try:
            with self._connected() as connection:
                application = connection.execute("PRAGMA application_id").fetchone()[0]
                version = connection.execute("PRAGMA user_version").fetchone()[0]
        except UnavailableError:
            application = version = None
        if (application, version) != (_APPLICATION_ID, _FORMAT):
            raise EnvironmentRefusedError(f"{path} is not the state file of a witness")

    @classmethod
    def create(cls, path: Path) -> "WitnessState":
        """Make a new, empty state file of mode 600, durable on return.

        Raises:
            EnvironmentRefusedError: there is one already, or it cannot be written.
        """
        draft = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            try:
                with contextlib.closing(sqlite3.connect(draft)) as connection:
                    connection.executescript(
                        f"PRAGMA application_id = {_APPLICATION_ID};"
                        f"PRAGMA user_version = {_FORMAT};{_SCHEMA}"
                    )
                sync(draft)
                path.hardlink_to(draft)  # unlike a rename, this never replaces a state
            finally:
                draft.unlink()
            sync(path.parent)
        except FileExistsError:
            raise EnvironmentRefusedError(f"{path} exists already") from None
        except OSError as error:
            raise EnvironmentRefusedError(f"cannot write {path}: {error.strerror}") from None
        return cls(path)

    @contextlib.contextmanager
    def transaction(self) -> Generator[StateTransaction]:
        """Lock the state, and commit durably when the block ends without an error.

        Raises:
            UnavailableError: the file is gone, damaged, full or locked; nothing was recorded,
                or it is unknown whether the last step was.
        """
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield StateTransaction(connection)
            except BaseException:
                if connection.in_transaction:  # not after an error that SQLite rolled back itself
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def latest(self, origin: str) -> Cosigned | None:
        """Return the newest cosigned checkpoint of a log."""
        with self._connected() as connection:
            return StateTransaction(connection).latest(origin)

    def refused(self) -> list[Refused]:
        """Return the kept requests, oldest first."""
        with self._connected() as connection:
            return [
                Refused(
                    origin=row[0],
                    time_seconds=row[1],
                    reason=row[2],
                    request=row[3],
                    cosigned=row[4] or b"",
                )
                for row in connection.execute(_REFUSED)
            ]

    @contextlib.contextmanager
    def _connected(self) -> Generator[sqlite3.Connection]:
        # mode=rw: a file that vanished is an error, not an empty state.
        uri = f"file:{quote(str(self._path))}?mode=rw"
        try:
            with contextlib.closing(
                sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
            ) as connection:
                connection.execute("PRAGMA synchronous = EXTRA")
                yield connection
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            raise UnavailableError(f"the witness's state: {name}") from None
