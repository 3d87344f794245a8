"""Give each database role what it needs and nothing more (ARCHITECTURE §6).

Privileges keep honest programs honest; a superuser is above them, which is what `verify` is for.
"""

from typing import Final, LiteralString

from psycopg import sql

from ledger.database import Connection, Database, Role

_APPEND_ONLY: Final = ("entry", "sealed", "tile", "ledger", "checkpoint", "publication")


def existing_roles(connection: Connection, database: Database) -> set[Role]:
    """Return those of the ledger's roles that exist on the server."""
    roles: tuple[Role, ...] = ("writer", "projector", "reader", "auditor")
    names: dict[str, Role] = {database.role_name(role): role for role in roles}
    rows = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%(names)s)", {"names": list(names)}
    ).fetchall()
    return {names[str(row[0])] for row in rows}


def grant_privileges(connection: Connection, database: Database) -> set[Role]:
    """Grant the ledger's privileges to those of its roles that exist; safe to repeat.

    The writer may insert and move the head; nobody may update or delete. Returns the roles found.
    """
    roles = existing_roles(connection, database)
    for role in sorted(roles):
        name = sql.Identifier(database.role_name(role))
        _grant(connection, "USAGE ON SCHEMA {ledger}, {keys}", database, name)
        _grant(connection, "SELECT ON ALL TABLES IN SCHEMA {ledger}", database, name)
        if role != "auditor":
            _grant(connection, "SELECT ON {keys}.stream_key", database, name)
        if role == "writer":
            for table in _APPEND_ONLY:
                _grant(
                    connection, "INSERT ON {ledger}.{table}", database, name, sql.Identifier(table)
                )
            _grant(connection, "UPDATE ON {ledger}.head", database, name)
            _grant(connection, "INSERT ON {keys}.stream_key", database, name)
            _grant(
                connection,
                "EXECUTE ON FUNCTION {ledger}.ensure_sealed_partition(bigint)",
                database,
                name,
            )
    return roles


def _grant(
    connection: Connection,
    what: LiteralString,
    database: Database,
    role: sql.Identifier,
    table: sql.Identifier | None = None,
) -> None:
    text = sql.SQL("GRANT " + what + " TO {role}")
    connection.execute(
        text.format(
            ledger=sql.Identifier(database.schema),
            keys=sql.Identifier(database.keys_schema),
            table=table or sql.SQL(""),
            role=role,
        )
    )
