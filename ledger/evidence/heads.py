"""Open published heads: show that nothing was left out of a file as of their size."""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from ledger.evidence.format import OpenedHeads, Opening
from ledger.heads import HeadTree, StreamHead
from ledger.profiles.directory import HeadsPublished
from ledger.reader import LedgerReader
from ledger.rows import Event

HEADS_TYPE: Final = "heads-published.v1"

_NEWEST: Final = """
SELECT event_id FROM {ledger}.entry
WHERE stream = %(stream)s::uuid AND position < %(before)s
ORDER BY version DESC
LIMIT 50
"""
_HEADS: Final = """
SELECT DISTINCT ON (stream) stream::text, version, leaf_hash
FROM {ledger}.entry
WHERE position < %(size)s
ORDER BY stream, version DESC
"""


def newest_heads(reader: LedgerReader, facility: str, size: int) -> Event | None:
    """Return the newest event below a size, in the facility's stream, that published heads."""
    store, before = reader.store, size
    query = store.database.query(_NEWEST)
    while rows := store.connection.execute(
        query, {"stream": facility, "before": before}
    ).fetchall():
        events = reader.events_by_id([str(row[0]) for row in rows])
        found = [event for event in events if event.statement.type == HEADS_TYPE]
        if found:
            return found[-1]
        before = events[0].position
    return None


def open_heads(reader: LedgerReader, published: Event, chains: Collection[Event]) -> OpenedHeads:
    """Open the streams of some events in published heads, those that began below their size.

    Args:
        reader: over the ledger.
        published: the event.
        chains: events of the streams to open, their first ones among them.
    """
    content = msgspec.json.decode(published.content or b"", type=HeadsPublished)
    heads = _heads_at(reader, content.size)
    tree = HeadTree(heads)
    streams = {event.stream for event in chains if event.position < content.size}
    openings = tuple(_open(tree, stream, heads[stream]) for stream in sorted(streams))
    return OpenedHeads(event_id=published.event_id, openings=openings)


def _open(tree: HeadTree, stream: str, head: StreamHead) -> Opening:
    index, proof = tree.prove(stream)
    return Opening(
        index=index,
        leaf_hash=head.leaf_hash.hex(),
        proof=tuple(node.hex() for node in proof),
        stream=stream,
        version=head.version,
    )


def _heads_at(reader: LedgerReader, size: int) -> Mapping[str, StreamHead]:
    store = reader.store
    rows = store.connection.execute(store.database.query(_HEADS), {"size": size}).fetchall()
    return {
        str(stream): StreamHead(version=int(version), leaf_hash=bytes(leaf))
        for stream, version, leaf in rows
    }
