"""Find and make the keys of many streams at once, for whoever imports whole histories."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from ledger.reader import LedgerReader

_NEW_KEYS: Final = """
INSERT INTO {keys}.stream_key (stream, stream_kind, wrapped, facility_key_id)
SELECT u.stream, u.stream_kind, u.wrapped, %(facility_key_id)s
FROM unnest(%(streams)s::uuid[], %(kinds)s::text[], %(wrapped)b::bytea[])
  AS u (stream, stream_kind, wrapped)
ON CONFLICT (stream) DO NOTHING
RETURNING stream
"""


def make_stream_keys(reader: LedgerReader, kinds: Mapping[str, str]) -> Mapping[str, bytes]:
    """Make keys for streams, durable on return; a stream that has one keeps it.

    Args:
        reader: over a connection of the writer's role.
        kinds: kind of stream by stream.

    Returns:
        The keys that were made, by stream.
    """
    if not kinds:
        return {}
    keyring = reader.keyring
    wrapped = {stream: keyring.new_wrapped(stream) for stream in kinds}
    store = reader.store
    cursor = store.connection.execute(
        store.database.query(_NEW_KEYS),
        {
            "streams": [UUID(stream) for stream in kinds],
            "kinds": list(kinds.values()),
            "wrapped": list(wrapped.values()),
            "facility_key_id": keyring.facility_key_id,
        },
    )
    made = [str(row[0]) for row in cursor.fetchall()]
    return {stream: keyring.remember(stream, wrapped[stream]) for stream in made}
