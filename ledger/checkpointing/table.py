"""Store signed checkpoints where readers, auditors and mirrors find them.

Table `checkpoint` has each as the ledger signed it, table `publication` those for outsiders, with
their cosignatures. Rows are numbered from 1 without gaps, so that a missing one shows.
"""

from collections.abc import Mapping
from typing import Final, Literal, LiteralString, Protocol

import msgspec
import psycopg
from psycopg.rows import TupleRow

from ledger.database import Connection, Database
from ledger.errors import EnvironmentRefusedError, UnavailableError

_ADD: Final = """
INSERT INTO {ledger}.TABLE (number, size, note) VALUES (%(number)s, %(size)s, %(note)b)
"""
_NEWEST: Final = "SELECT number, size, note FROM {ledger}.TABLE ORDER BY number DESC LIMIT 1"


class StoredCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A stored checkpoint; nothing in it has been checked.

    Attributes:
        number: from 1, in the order of storing.
        size: of the tree, as the row says.
        note: the signed note's exact bytes.
    """

    number: int
    size: int
    note: bytes


class Checkpoints(Protocol):
    """Where signed checkpoints are stored, in order, never changed."""

    def newest(self) -> StoredCheckpoint | None:
        """Return the last one stored, or None.

        Raises:
            UnavailableError: the database does not answer.
        """
        ...

    def add(self, checkpoint: StoredCheckpoint) -> None:
        """Store one; durable on return.

        Raises:
            EnvironmentRefusedError: somebody else has stored one of this number.
            UnavailableError: the database does not answer. It may or may not be stored.
        """
        ...


class CheckpointTable(Checkpoints):
    """One of the two tables, over one connection; not to be shared between threads."""

    def __init__(
        self,
        connection: Connection,
        database: Database,
        table: Literal["checkpoint", "publication"] = "checkpoint",
    ) -> None:
        """Use an open connection (role `writer` to add), whose life stays the caller's affair."""
        self._connection = connection
        self._database = database
        self._table: Final = table

    def newest(self) -> StoredCheckpoint | None:
        """Return the last one stored, or None."""
        row = next(iter(self._rows(_NEWEST, {})), None)
        if row is None:
            return None
        number, size, note = row
        return StoredCheckpoint(number=number, size=size, note=bytes(note))

    def add(self, checkpoint: StoredCheckpoint) -> None:
        """Store one; durable on return."""
        try:
            self._rows(_ADD, msgspec.structs.asdict(checkpoint))
        except psycopg.errors.UniqueViolation:
            raise EnvironmentRefusedError("another process stores checkpoints too") from None

    def _rows(self, query: LiteralString, parameters: Mapping[str, object]) -> list[TupleRow]:
        text = self._database.query(query.replace("TABLE", self._table))
        try:
            cursor = self._connection.execute(text, parameters, binary=True)
            return cursor.fetchall() if cursor.description else []
        except psycopg.OperationalError as error:
            state = error.sqlstate or type(error).__name__
            raise UnavailableError(f"the database does not answer ({state})") from None
