"""Lend readers of the ledger to routes that run in threads: pooled connections, keys kept warm."""

import contextlib
import math
from collections.abc import Callable, Generator
from queue import Empty, LifoQueue
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout

from ledger.database import Database
from ledger.errors import LedgerError, UnavailableError
from ledger.keyring import Keyring
from ledger.reader import LedgerReader
from projections.errors import ProjectionError
from projections.reads import ViewReader
from projections.runner import wait_for_position

READERS: Final = 8
_WAIT_SECONDS: Final = 5.0
_BEHIND_SECONDS: Final = 5.0


class ReaderPool:
    """A bounded number of readers; whoever finds none waits a little and is then sent away.

    A keyring belongs to one reader at a time, because keyrings are not made for several threads.
    """

    def __init__(self, database: Database, new_keyring: Callable[[], Keyring]) -> None:
        """Open the pool; connections follow as they are needed."""
        self.database = database
        self._pool = database.pool("reader", size=READERS, name="clinledger-reader")
        self._keyrings: LifoQueue[Keyring] = LifoQueue()
        self._new_keyring = new_keyring

    @contextlib.contextmanager
    def reader(self) -> Generator[LedgerReader]:
        """Lend a reader for the length of one request.

        Raises:
            UnavailableError: no connection is free in time, or the server does not answer.
        """
        try:
            keyring = self._keyrings.get_nowait()
        except Empty:
            keyring = self._new_keyring()
        try:
            with self._pool.connection(timeout=_WAIT_SECONDS) as connection:
                yield LedgerReader(connection, self.database, keyring)
        except PoolTimeout:
            raise UnavailableError("no connection is free", retry_after_seconds=2) from None
        except psycopg.OperationalError as error:
            # The message may repeat a row: only its SQLSTATE is told.
            state = error.sqlstate or type(error).__name__
            raise UnavailableError(f"the database does not answer ({state})") from None
        finally:
            self._keyrings.put(keyring)

    @contextlib.contextmanager
    def views(self, min_position: int | None = None) -> Generator[ViewReader]:
        """Lend a reader of the views, once they have reached a position if one is given.

        Raises:
            ProjectionBehindError: they do not reach it in time.
            UnavailableError: as `reader`.
        """
        with self.reader() as reader:
            connection = reader.store.connection
            if min_position is not None:
                wait_for_position(
                    connection, self.database, min_position, timeout_seconds=_BEHIND_SECONDS
                )
            yield ViewReader(connection, self.database)

    def views_position(self) -> float:
        """Return the position that the live views have reached, NaN when it cannot be told."""
        try:
            with self.views() as views:
                return views.reached()
        except (LedgerError, ProjectionError, psycopg.Error):
            return math.nan

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()
