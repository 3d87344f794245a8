"""Slip a well-hashed row in at the tail past the sequencer, as a superuser with the code can."""

from pathlib import Path
from typing import LiteralString

from ledger.database import Database
from ledger.entry import ZERO_HASH, Entry, encode_entry, link_hash
from ledger.founding import open_keyring
from ledger.merkle import CompactRange, leaf_hash
from ledger.reader import LedgerReader
from ledger.sealing import Frame, associated_data, encode_frame, seal
from ledger.store import EntryStore
from ledger.submitted import SubmittedEvent
from signing.container import assemble_container
from signing.statement import parse_statement, statement_digest

_APPEND: tuple[LiteralString, ...] = (
    """INSERT INTO {ledger}.entry
    (position, stream, version, event_id, entry, leaf_hash, link_salt) VALUES (%(position)s,
    %(stream)s, %(version)s, %(event_id)s, %(entry)s, %(leaf)s, %(salt)s)""",
    "INSERT INTO {ledger}.sealed (position, body) VALUES (%(position)s, %(body)s)",
    "UPDATE {ledger}.head SET size = %(size)s, root = %(root)s, peaks = %(peaks)s",
)
_TILE: LiteralString = """
INSERT INTO {ledger}.tile (level, index, hash) VALUES (%(level)s, %(number)s, %(hash)s)
"""
_UNSIGNED = assemble_container("ES256", bytes(range(1, 65)))


def slip_in(database: Database, home: Path, event: SubmittedEvent) -> int:
    """Append an event under a signature that is none, hashes and head as they should be.

    Args:
        database: of the ledger.
        home: with the facility key.
        event: of a sealed stream that has events; its own signature is not used.
    """
    with database.connect("owner") as connection:
        keyring = open_keyring(EntryStore(connection, database), home)
        reader = LedgerReader(connection, database, keyring)
        statement = parse_statement(event.statement)
        stream = reader.stream(statement.stream)
        previous = stream[-1].leaf_hash if stream else ZERO_HASH
        link = link_hash(bytes(32), len(stream) + 1, previous)
        entry = encode_entry(
            Entry(
                received_at_ms=reader.events(reader.head().size - 2, 1)[0].received_at_ms,
                link=link,
                statement_digest=statement_digest(event.statement),
                container_digest=statement_digest(_UNSIGNED),
            )
        )
        frame = Frame(
            statement=event.statement,
            container=_UNSIGNED,
            salt=event.salt,
            content=event.content,
        )
        key = reader.load_keys([statement.stream])[statement.stream]
        aad = associated_data(keyring.origin, statement.stream, statement.event_id)
        old = reader.head()
        tree = CompactRange.from_peaks(old.size, old.peaks)
        leaf = leaf_hash(entry)
        tiles = tree.append(leaf)
        values = {
            "position": old.size,
            "stream": statement.stream,
            "version": len(stream) + 1,
            "event_id": statement.event_id,
            "entry": entry,
            "leaf": leaf,
            "salt": bytes(32),
            "body": seal(encode_frame(frame), key=key, nonce=bytes(12), aad=aad),
            "size": tree.size,
            "root": tree.root(),
            "peaks": b"".join(tree.peaks),
        }
        with connection.transaction():
            for query in _APPEND:
                connection.execute(database.query(query), values)
            for tile in tiles:
                connection.execute(database.query(_TILE), tile._asdict())
        return old.size
