"""Bodies up to a page stay in their row, in old ledgers from the migration on."""

import shutil
from pathlib import Path

from ledger.database import Connection, Database
from ledger.migrate import MIGRATIONS, migrate
from ledger.store import PARTITION_SPAN

BODY = bytes(range(250)) * 24
"""6,000 bytes: out of line by PostgreSQL's default, a page's worth by ours."""


def store(connection: Connection, *positions: int) -> None:
    for position in positions:
        connection.execute(
            "INSERT INTO ward.sealed (position, body) VALUES (%(position)s, %(body)s)",
            {"position": position, "body": BODY},
        )


def out_of_line(connection: Connection) -> int:
    """Return the bytes of the bodies that do not lie in their rows."""
    row = connection.execute(
        """
        SELECT sum(pg_relation_size(c.reltoastrelid))::bigint
        FROM pg_inherits JOIN pg_class AS c ON c.oid = inhrelid
        WHERE inhparent = 'ward.sealed'::regclass
        """
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_an_old_ledger_keeps_its_bodies_and_stores_new_ones_in_line(
    empty_database_url: str, tmp_path: Path
) -> None:
    old = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, old)
    for number in range(4, 100):
        for path in old.glob(f"{number:04}_*.sql"):
            path.unlink()
    database = Database(empty_database_url, "ward")
    migrate(database, old)
    with database.connect("owner") as connection:
        store(connection, 0)
        before = out_of_line(connection)
        assert before > 0
        migrate(database)
        connection.execute("SELECT ward.ensure_sealed_partition(%(at)s)", {"at": PARTITION_SPAN})
        store(connection, 1, PARTITION_SPAN)
        assert out_of_line(connection) == before
        rows = connection.execute("SELECT body FROM ward.sealed ORDER BY position").fetchall()
    assert [bytes(row[0]) for row in rows] == [BODY] * 3


def test_the_writer_may_still_make_partitions(database: Database) -> None:
    with database.connect("writer") as connection:
        connection.execute(
            "SELECT ledger.ensure_sealed_partition(%(at)s)", {"at": 2 * PARTITION_SPAN}
        )
        row = connection.execute("SELECT to_regclass('ledger.sealed_2') IS NOT NULL").fetchone()
    assert row == (True,)
