"""Read the active views: find the generation, and look again when a rebuild switched meanwhile."""

import re
from typing import Final, LiteralString
from uuid import UUID

import psycopg

from ledger.database import Connection, Database
from ledger.errors import RejectedError
from ledger.folds.words import cut
from projections.errors import ProjectionFailedError
from projections.tables import Row, views_query
from projections.tracking import active_number, tracking

_TRIES: Final = 3
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")  # which PostgreSQL cannot hold


class ViewReader:
    """Reads the active generation over one connection; not to be shared between threads."""

    def __init__(self, connection: Connection, database: Database) -> None:
        """Use an open autocommit connection, whose life stays the caller's affair."""
        self.connection = connection
        self.database = database

    def rows(
        self, text: LiteralString, *, prepare: bool | None = None, **parameters: object
    ) -> list[Row]:
        """Run one query on the active generation, whose schema fills `{views}`.

        One statement sees one snapshot, so what belongs together is read by one query.

        Args:
            text: the query.
            prepare: False plans it anew for these parameters; by default it is prepared in time.
            parameters: those of the query.

        Raises:
            ProjectionFailedError: there are no views.
        """
        for _ in range(_TRIES):
            try:
                number = active_number(self.connection, self.database)
                query = views_query(text, self.database, number)
                cursor = self.connection.execute(query, parameters, prepare=prepare, binary=True)
                return cursor.fetchall()
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                continue  # dropped between the two queries
        raise ProjectionFailedError("there are no views: run `clinledger rebuild`")

    def reached(self) -> int:
        """Return the position that the active views have reached, -1 for none.

        Raises:
            ProjectionFailedError: there are no views.
        """
        for _ in range(_TRIES):
            try:
                number = active_number(self.connection, self.database)
                return tracking(self.connection, self.database, number).position
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                continue
        raise ProjectionFailedError("there are no views: run `clinledger rebuild`")


def as_uuid(text: str) -> UUID | None:
    """Return an id that a reader gave as a UUID, None when it is not one in canonical form."""
    try:
        value = UUID(text)
    except ValueError:
        return None
    return value if str(value) == text else None


def split_identifier(identifier: str) -> tuple[str | None, str]:
    """Split FHIR's token form: `system|value`, `|value` (no system) or `value` (any system).

    Both are cut to what the views hold of them.

    Raises:
        RejectedError: `identifier-malformed`: no text that content could have.
    """
    if _NO_TEXT.search(identifier):
        raise RejectedError("identifier-malformed", "/identifier")
    system, bar, value = identifier.rpartition("|")
    return (cut(system) if bar else None), cut(value)
