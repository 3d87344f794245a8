"""Keep the views up to date: catch up, then fold each commit as it is announced."""

import threading
import time
from typing import Final

import psycopg
from psycopg import sql

from ledger.database import Connection, Database
from ledger.errors import UnavailableError
from ledger.keyring import Keyring
from projections.engine import Engine
from projections.errors import ProjectionBehindError, ProjectionFailedError
from projections.tracking import active_number, tracking

POLL_SECONDS: Final = 1.0
MOST_AT_ONCE: Final = 250
_PACE_SECONDS: Final = 0.025
_FIRST_PAUSE_SECONDS: Final = 0.002
_LONGEST_PAUSE_SECONDS: Final = 0.01


class Projector:
    """Follows the ledger into whichever generation of views is active.

    Two projectors of one ledger do no harm: the tracking row's lock lets them take turns.
    """

    def __init__(self, database: Database, keyring: Keyring, *, limit: int = MOST_AT_ONCE) -> None:
        """Take what is needed to connect; nothing is opened yet.

        Args:
            database: the ledger; its views must have been installed.
            keyring: opens sealed bodies; owned by this projector's thread.
            limit: most events in one transaction: of more, the first would be seen later, and
                fewer cost more each.
        """
        self._database = database
        self._keyring = keyring
        self._limit = limit
        self._connection: Connection | None = None
        self._engine: Engine | None = None

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._engine = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def catch_up(self) -> int:
        """Fold everything that is committed; return the position reached (-1 for none).

        Raises:
            CorruptionError, ProjectionFailedError: see `Engine.fold_batch`.
            UnavailableError: the database does not answer.
        """
        while self.step():
            pass
        return self._place()

    def step(self) -> bool:
        """Fold one batch into the active generation; tell whether there were any events.

        Raises:
            CorruptionError, ProjectionFailedError, UnavailableError: as `catch_up`.
        """
        connection = self._connected()
        try:
            # The pointer is held for the time of the batch: a rebuild switches between batches.
            with connection.transaction():
                number = active_number(connection, self._database, lock=True)
                if self._engine is None or self._engine.number != number:
                    self._engine = Engine(connection, self._database, self._keyring, number=number)
                return self._engine.fold_batch(self._limit) is not None
        except psycopg.OperationalError as error:
            self.close()
            raise UnavailableError(f"the views cannot be written now ({error.sqlstate})") from None
        except psycopg.Error as error:
            # The message may repeat the row: only its SQLSTATE is told.
            self.close()
            raise ProjectionFailedError(f"the views cannot be written ({error.sqlstate})") from None

    def run(self, stop: threading.Event, *, poll_seconds: float = POLL_SECONDS) -> None:
        """Follow the ledger until told to stop, reconnecting when the connection is lost.

        Wakes at each announced commit (LISTEN on the schema's name) and after `poll_seconds` at
        the latest, for notifications may be lost.

        Raises:
            CorruptionError, ProjectionFailedError: the views cannot be computed; stop and verify.
        """
        while not stop.is_set():
            try:
                self._follow(stop, poll_seconds)
            except (psycopg.OperationalError, UnavailableError):
                self.close()
                stop.wait(poll_seconds)
        self.close()

    def _follow(self, stop: threading.Event, poll_seconds: float) -> None:
        listening = self._database.connect("projector", name="clinledger-projector-listen")
        try:
            # Listening begins before catching up, so no commit falls in between.
            listening.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._database.schema)))
            while not stop.is_set():
                begun = time.monotonic()
                if self.step():
                    # Half of what a small batch costs is the same for one event and for fifty, and
                    # on a busy machine it is taken from whoever appends: what comes meanwhile is
                    # folded together.
                    stop.wait(max(0.0, begun + _PACE_SECONDS - time.monotonic()))
                else:
                    self._wait_for_news(listening, poll_seconds)
        finally:
            listening.close()

    def _wait_for_news(self, listening: Connection, poll_seconds: float) -> None:
        folded = 0 if self._engine is None else self._engine.reached + 1
        for announced in listening.notifies(timeout=poll_seconds):
            # The size of the ledger; most commits were folded before they are read of here.
            size = announced.payload
            if not size.isdecimal() or int(size) > folded:
                break

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self.close()
            self._connection = self._database.connect("projector", name="clinledger-projector")
        return self._connection

    def _place(self) -> int:
        connection = self._connected()
        number = active_number(connection, self._database)
        return tracking(connection, self._database, number).position


def wait_for_position(
    connection: Connection, database: Database, min_position: int, *, timeout_seconds: float
) -> int:
    """Wait until the active views have folded a position; return the one they reached.

    Raises:
        ProjectionBehindError: they had not within the time.
    """
    deadline = time.monotonic() + timeout_seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        number = active_number(connection, database)
        try:
            reached = tracking(connection, database, number).position
        except psycopg.errors.UndefinedTable:  # a rebuild switched just now
            reached = -1
        if reached >= min_position:
            return reached
        if time.monotonic() + pause > deadline:
            raise ProjectionBehindError(min_position, reached)
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
