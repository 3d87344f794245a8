"""Open connections to one ledger's schema, each in the role and with the time-outs it needs.

Correctness never depends on session state beyond one connection: no cross-schema transaction,
no LISTEN that could not be missed (ARCHITECTURE §6).
"""

from typing import Any, Final, Literal, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from ledger.errors import EnvironmentRefusedError, UnavailableError

Role = Literal["owner", "writer", "projector", "reader", "auditor"]
Connection = psycopg.Connection[TupleRow]
AsyncConnection = psycopg.AsyncConnection[TupleRow]

# set_config takes effect only where the role exists and the login may become it; a small site
# whose login owns everything works without roles, and `doctor` says so.
_SET_ROLE: Final = """
SELECT set_config('role', rolname, false)
FROM pg_roles
WHERE rolname = %(role)s AND pg_has_role(current_user, oid, 'member')
"""
_STATEMENT_TIMEOUT_SECONDS: Final[dict[str, int]] = {
    "owner": 0,
    "writer": 30,
    "projector": 300,
    "reader": 30,
    "auditor": 0,
}
_CONNECT_TIMEOUT_SECONDS = 10
_SILENCE_SECONDS = 15


class Database:
    """One ledger's place in a PostgreSQL server: a connection URL and a schema.

    The URL may hold a password, so `repr` shows the schema only.
    """

    def __init__(self, url: str, schema: str = "ledger") -> None:
        """Take a libpq URL or keyword string and the schema's name.

        Raises:
            EnvironmentRefusedError: when the schema's name is not plain
                (`[a-z_][a-z0-9_]*`, at most 40 characters).
        """
        plain = schema.isascii() and schema.isidentifier() and schema == schema.lower()
        if not plain or len(schema) > 40:  # noqa: PLR2004 - leaves room for the views' suffix
            raise EnvironmentRefusedError(
                "a schema is named with a-z, 0-9 and _, at most 40 characters"
            )
        self._url = url
        self.schema = schema
        self._queries: dict[str, bytes] = {}

    def __repr__(self) -> str:
        """Show the schema, never the URL."""
        return f"Database(schema={self.schema!r})"

    @property
    def url(self) -> str:
        """The connection URL, for programs that must be told where to connect."""
        return self._url

    @property
    def keys_schema(self) -> str:
        """The schema of the stream keys."""
        return f"{self.schema}_keys"

    def views_schema(self, number: int) -> str:
        """Return the schema of one generation of read models."""
        return f"{self.schema}_views_{number}"

    def role_name(self, role: Role) -> str:
        """Return the database role's name, e.g. `ledger_writer`."""
        return f"{self.schema}_{role}"

    def query(self, text: LiteralString) -> bytes:
        """Fill `{ledger}` and `{keys}` in a query constant with this ledger's schemas."""
        known = self._queries.get(text)
        if known is None:
            query = sql.SQL(text).format(
                ledger=sql.Identifier(self.schema), keys=sql.Identifier(self.keys_schema)
            )
            known = self._queries[text] = query.as_bytes(None)
        return known

    def connect(self, role: Role, *, name: str = "clinledger") -> Connection:
        """Open an autocommit connection in the role.

        Raises:
            UnavailableError: when the server does not answer.
        """
        connection: Connection | None = None
        try:
            connection = psycopg.connect(**self._arguments(role, name))
            connection.execute(_SET_ROLE, {"role": self.role_name(role)})
        except psycopg.OperationalError as error:
            if connection is not None:
                connection.close()
            raise _unavailable(error) from None
        return connection

    async def connect_async(self, role: Role, *, name: str = "clinledger") -> AsyncConnection:
        """Open an autocommit connection for use in an event loop.

        Raises:
            UnavailableError: when the server does not answer.
        """
        connection: AsyncConnection | None = None
        try:
            connection = await psycopg.AsyncConnection.connect(**self._arguments(role, name))
            await connection.execute(_SET_ROLE, {"role": self.role_name(role)})
        except psycopg.OperationalError as error:
            if connection is not None:
                await connection.close()
            raise _unavailable(error) from None
        return connection

    def pool(
        self, role: Role, *, size: int, name: str = "clinledger"
    ) -> ConnectionPool[Connection]:
        """Return an opened pool of up to `size` connections in the role."""

        def configure(connection: Connection) -> None:
            connection.execute(_SET_ROLE, {"role": self.role_name(role)})

        arguments = self._arguments(role, name)
        pool: ConnectionPool[Connection] = ConnectionPool(
            arguments.pop("conninfo"),
            min_size=1,
            max_size=size,
            kwargs=arguments,
            configure=configure,
            check=ConnectionPool.check_connection,
            open=False,
        )
        pool.open()
        return pool

    def _arguments(self, role: Role, name: str) -> dict[str, Any]:
        options = (
            f"-c statement_timeout={_STATEMENT_TIMEOUT_SECONDS[role]}s -c lock_timeout=4s "
            "-c idle_in_transaction_session_timeout=300s"
        )
        return {
            "conninfo": self._url,
            "autocommit": True,
            "application_name": name,
            "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
            # A network that falls silent must not hold an append for hours (TCP only).
            "keepalives_idle": _SILENCE_SECONDS,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 2_000 * _SILENCE_SECONDS,
            "options": options,
        }


def _unavailable(error: psycopg.Error) -> UnavailableError:
    # str(error) may repeat the password of a URL: only its class and SQLSTATE are told.
    state = error.sqlstate or type(error).__name__
    return UnavailableError(f"the database does not answer ({state})", retry_after_seconds=2)
