"""Move rows at the tail out of the ledger, byte for byte, into the tables of what was set aside.

Only what no checkpoint covers may go: whoever calls brings every signed checkpoint that is known
(the signer's own, those stored, those of witnesses), and each must be of the tree that is kept.
Needs the owner's login, which alone may let go of the triggers that refuse changes, and only within
one transaction. A crash leaves everything as it was, or moved and waiting to be recorded.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final

import psycopg

from ledger.database import Connection, Database
from ledger.errors import EnvironmentRefusedError, SequencerRunningError, UnavailableError
from ledger.merkle import CompactRange, leaf_hash
from ledger.writer import lock_key
from signing.checkpoints import Checkpoint

_LOCK: Final = "SELECT pg_try_advisory_lock(%(key)s)"
_TAIL: Final = """
SELECT EXISTS (SELECT FROM {ledger}.head WHERE size > %(size)s)
  OR EXISTS (SELECT FROM {ledger}.entry WHERE position >= %(size)s)
  OR EXISTS (SELECT FROM {ledger}.sealed WHERE position >= %(size)s)
"""
_KEPT: Final = """
SELECT position, entry FROM {ledger}.entry WHERE position < %(size)s ORDER BY position
"""
_NEXT: Final = """
SELECT (SELECT count(*) FROM {ledger}.set_aside WHERE size = %(size)s),
  (SELECT count(*) FROM {ledger}.set_aside_head WHERE size = %(size)s)
"""
_MOVE: Final = """
INSERT INTO {ledger}.set_aside
  (size, ordinal, position, stream, version, event_id, entry, leaf_hash, link_salt, body)
SELECT %(size)s, %(rows)s + row_number() OVER (ORDER BY coalesce(e.position, s.position)) - 1,
  coalesce(e.position, s.position), e.stream, e.version, e.event_id, e.entry, e.leaf_hash,
  e.link_salt, s.body
FROM (SELECT * FROM {ledger}.entry WHERE position >= %(size)s) AS e
FULL JOIN (SELECT * FROM {ledger}.sealed WHERE position >= %(size)s) AS s
  ON s.position = e.position
"""
_MOVE_HEAD: Final = """
INSERT INTO {ledger}.set_aside_head (size, ordinal, head_size, head_root, head_peaks)
SELECT %(size)s, %(heads)s, size, root, peaks FROM {ledger}.head
"""
_TRIGGERS: Final = """
ALTER TABLE {ledger}.entry SWITCH TRIGGER append_only;
ALTER TABLE {ledger}.sealed SWITCH TRIGGER append_only;
ALTER TABLE {ledger}.tile SWITCH TRIGGER append_only
"""
_DELETE: Final = (
    "DELETE FROM {ledger}.entry WHERE position >= %(size)s",
    "DELETE FROM {ledger}.sealed WHERE position >= %(size)s",
    "DELETE FROM {ledger}.tile WHERE (index + 1) << (8 * level) > %(size)s",
)
_HEAD: Final = """
UPDATE {ledger}.head SET size = %(size)s, root = %(root)b, peaks = %(peaks)b
"""


@contextmanager
def only_writer(connection: Connection, database: Database) -> Generator[None]:
    """Hold the sequencer's lock: nobody appends meanwhile.

    Raises:
        SequencerRunningError: a sequencer runs.
    """
    key = {"key": lock_key(database.schema)}
    row = connection.execute(_LOCK, key).fetchone()
    if row is None or not row[0]:
        raise SequencerRunningError("a sequencer runs: stop the server first")
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(%(key)s)", key)


def has_tail(connection: Connection, database: Database, *, size: int) -> bool:
    """Tell whether there is anything beyond a size: rows, or a head that says so."""
    row = connection.execute(database.query(_TAIL), {"size": size}).fetchone()
    return row is not None and bool(row[0])


def set_tail_aside(
    connection: Connection, database: Database, *, size: int, checkpoints: Sequence[Checkpoint]
) -> None:
    """Move every row from position `size` on, and set the head back, in the caller's transaction.

    1. The rows that are kept have no gap, and their tree is that of every checkpoint. 2. The rows
    and the head are copied. 3. Rows and tiles are deleted, the head is that of the kept tree.

    Args:
        connection: of the owner, in a transaction, holding `only_writer`.
        database: where the ledger lies.
        size: number of entries to keep.
        checkpoints: everything that was ever signed, as far as it is known, signatures checked.

    Raises:
        EnvironmentRefusedError: a checkpoint covers more than that, or is of another tree; there
            are fewer entries; or the login does not own the tables.
        UnavailableError: a table is in use.
    """
    kept = _keep(connection, database, size=size, checkpoints=checkpoints)
    row = connection.execute(database.query(_NEXT), {"size": size}).fetchone()
    rows, heads = (0, 0) if row is None else row
    try:
        connection.execute(database.query(_TRIGGERS.replace("SWITCH", "DISABLE")))
        connection.execute(database.query(_MOVE), {"size": size, "rows": rows})
        connection.execute(database.query(_MOVE_HEAD), {"size": size, "heads": heads})
        for statement in _DELETE:
            connection.execute(database.query(statement), {"size": size})
        connection.execute(
            database.query(_HEAD),
            {"size": size, "root": kept.root(), "peaks": b"".join(kept.peaks)},
        )
        connection.execute(database.query(_TRIGGERS.replace("SWITCH", "ENABLE")))
    except psycopg.errors.LockNotAvailable:
        raise UnavailableError("a table is in use: try again") from None
    except psycopg.errors.InsufficientPrivilege:
        raise EnvironmentRefusedError(
            "setting aside needs the login that owns the tables"
        ) from None


def _keep(
    connection: Connection, database: Database, *, size: int, checkpoints: Sequence[Checkpoint]
) -> CompactRange:
    """Return the tree of the first `size` entries, computed from their bytes."""
    wanted = {checkpoint.size: checkpoint.root for checkpoint in checkpoints}
    newest = max(wanted, default=0)
    if newest > size:
        raise EnvironmentRefusedError(
            f"a signed checkpoint covers {newest} entries: nothing below may be set aside"
        )
    tree = CompactRange()
    with connection.cursor("set_aside_kept") as cursor:
        cursor.execute(database.query(_KEPT), {"size": size}, binary=True)
        for position, entry in cursor:
            if position != tree.size:
                break
            tree.append(leaf_hash(bytes(entry)))
            if tree.size in wanted and wanted[tree.size] != tree.root():
                raise EnvironmentRefusedError(
                    f"the first {tree.size} entries are not those that were signed: verify first"
                )
    if tree.size != size:
        raise EnvironmentRefusedError(f"there is no entry at position {tree.size}: verify first")
    return tree
