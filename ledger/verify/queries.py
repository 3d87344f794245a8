"""Hold the statements by which a verification reads; `ledger.verify.snapshot` runs them."""

from typing import Final

# A superuser can drop NOT NULL as well: what is null is read as a value that nothing can have.
LEDGER_ROWS: Final = """
SELECT one IS TRUE, coalesce(origin, ''), coalesce(facility_key_id, '')
FROM {ledger}.ledger
"""
HEAD_ROWS: Final = """
SELECT one IS TRUE, coalesce(size, -1), coalesce(root, ''), coalesce(peaks, '')
FROM {ledger}.head
"""
TILES: Final = """
SELECT coalesce(level, 0::smallint), coalesce(index, -1), coalesce(hash, '')
FROM {ledger}.tile
"""
KEYS: Final = """
SELECT coalesce(stream::text, ''), coalesce(stream_kind, ''), coalesce(wrapped, ''),
  coalesce(facility_key_id, '')
FROM {keys}.stream_key
"""
KEYS_OF: Final = """
SELECT stream::text, coalesce(stream_kind, ''), coalesce(wrapped, ''),
  coalesce(facility_key_id, '')
FROM {keys}.stream_key
WHERE stream = ANY(%(streams)s::uuid[])
"""
STAFF_KEYS: Final = """
SELECT stream::text
FROM {keys}.stream_key
WHERE stream_kind = 'staff' AND stream IS NOT NULL
"""
LAST_POSITION: Final = "SELECT coalesce(max(position), -1) FROM {ledger}.entry"
COUNT: Final = "SELECT count(*) FROM {ledger}.entry"
# The conditions are those of an index; an empty body must not reach get_byte.
PLAIN_STREAMS: Final = """
SELECT DISTINCT coalesce(e.stream::text, '')
FROM {ledger}.sealed AS s JOIN {ledger}.entry AS e ON e.position = s.position
WHERE octet_length(s.body) > 0 AND get_byte(s.body, 0) = 0
"""
EVENTS_OF: Final = """
SELECT coalesce(e.position, -1), coalesce(e.stream::text, ''), coalesce(e.event_id::text, ''),
  coalesce(e.entry, ''), coalesce(s.body, '')
FROM {ledger}.entry AS e JOIN {ledger}.sealed AS s ON s.position = e.position
WHERE e.stream = ANY(%(streams)s::uuid[]) OR (%(nulls)s AND e.stream IS NULL)
ORDER BY e.position, e.ctid, s.ctid
"""
# By ctid as well: of two rows at one position every process should see the same one first.
ENTRIES: Final = """
SELECT coalesce(position, -1), coalesce(uuid_send(stream), ''), coalesce(version, 0),
  coalesce(uuid_send(event_id), ''), coalesce(entry, ''), coalesce(leaf_hash, ''),
  coalesce(link_salt, '')
FROM {ledger}.entry
WHERE position BETWEEN %(first)s AND %(last)s OR (%(nulls)s AND position IS NULL)
ORDER BY position, ctid
"""
# Five long values cost half of what 256 rows of seven columns do. In which order the rows came is
# looked at by whoever takes them.
ENTRY_BLOCKS: Final = """
SELECT block.first, coalesce(e.positions, ''), coalesce(e.event_ids, ''), coalesce(e.chains, ''),
  coalesce(e.entries, ''), coalesce(e.leaf_hashes, '')
FROM generate_series(%(first)s::bigint, %(last)s::bigint, 256) AS block (first)
LEFT JOIN LATERAL (
  SELECT string_agg(int8send(position), '') AS positions,
    string_agg(uuid_send(event_id), '') AS event_ids,
    string_agg(uuid_send(stream) || int8send(version) || link_salt, '') AS chains,
    string_agg(entry, '') AS entries, string_agg(leaf_hash, '') AS leaf_hashes
  FROM (
    SELECT * FROM {ledger}.entry
    WHERE position BETWEEN block.first AND least(block.first + 255, %(last)s::bigint)
    ORDER BY position
  ) AS rows
  HAVING bool_and(
    octet_length(link_salt) = 32 AND octet_length(entry) = 108 AND octet_length(leaf_hash) = 32
  )
) AS e ON true
"""
# A superuser can drop the primary key as well.
INDEXES_BY_POSITION: Final = """
SELECT count(*)
FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_attribute AS a
  ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = to_regclass(format('%%I.entry', %(schema)s::text))
  AND i.indisvalid AND i.indpred IS NULL AND a.attname = 'position'
"""
EVENTS: Final = """
SELECT coalesce(e.position, -1), coalesce(e.stream::text, ''), coalesce(e.event_id::text, ''),
  coalesce(e.entry, ''),
  CASE WHEN s.position IS NOT NULL THEN coalesce(s.body, '') END
FROM {ledger}.entry AS e LEFT JOIN {ledger}.sealed AS s
  ON s.position = e.position AND s.position BETWEEN %(first)s AND %(last)s
WHERE e.position BETWEEN %(first)s AND %(last)s OR (%(nulls)s AND e.position IS NULL)
ORDER BY e.position, e.ctid, s.ctid
"""
# Entries without a body, bodies without an entry, and bodies whose first byte is not that of sealed
# ones. Only an index is read of `entry`, and no rows of it are sorted or sent.
ODD_BODIES: Final = """
SELECT e.here IS TRUE, coalesce(e.position, s.position, -1)
FROM (
  SELECT position, true AS here FROM {ledger}.entry
  WHERE position BETWEEN %(first)s AND %(last)s OR (%(nulls)s AND position IS NULL)
) AS e FULL JOIN (
  SELECT position, substring(body FROM 1 FOR 1) = '\\x01' AS sealed FROM {ledger}.sealed
  WHERE position BETWEEN %(first)s AND %(last)s OR (%(nulls)s AND position IS NULL)
) AS s ON s.position = e.position
WHERE e.here IS NULL OR s.sealed IS NOT TRUE
ORDER BY 2
"""
# Those that ODD_BODIES names, and what is wanted besides.
SOME_EVENTS: Final = """
SELECT coalesce(e.position, -1), coalesce(e.stream::text, ''), coalesce(e.event_id::text, ''),
  coalesce(e.entry, ''),
  CASE WHEN s.position IS NOT NULL THEN coalesce(s.body, '') END
FROM {ledger}.entry AS e LEFT JOIN {ledger}.sealed AS s
  ON s.position = e.position AND s.position BETWEEN %(first)s AND %(last)s
WHERE (e.position BETWEEN %(first)s AND %(last)s OR (%(nulls)s AND e.position IS NULL))
  AND (e.position = ANY(%(odd)s::bigint[]) OR e.position IS NULL
    OR e.stream = ANY(%(streams)s::uuid[]) OR e.position = ANY(%(positions)s::bigint[]))
  AND (s.position IS NULL OR e.stream = ANY(%(streams)s::uuid[])
    OR e.position = ANY(%(positions)s::bigint[])
    OR substring(coalesce(s.body, '') FROM 1 FOR 1) <> '\\x01')
ORDER BY e.position, e.ctid, s.ctid
"""
ORPHANS: Final = """
SELECT coalesce(s.position, -1)
FROM {ledger}.sealed AS s
WHERE (s.position BETWEEN %(first)s AND %(last)s OR (%(nulls)s AND s.position IS NULL))
  AND NOT EXISTS (SELECT FROM {ledger}.entry AS e WHERE e.position = s.position)
ORDER BY s.position
"""
STREAMS_FROM: Final = """
SELECT DISTINCT stream::text FROM {ledger}.entry
WHERE position >= %(start)s AND stream IS NOT NULL
"""
OPENINGS_FROM: Final = """
SELECT e.position, e.stream::text, coalesce(e.event_id::text, ''), coalesce(e.entry, ''), s.body
FROM {ledger}.entry AS e JOIN {ledger}.sealed AS s ON s.position = e.position
WHERE e.position >= %(start)s AND e.version = 1 AND e.stream IS NOT NULL
ORDER BY e.position
"""
CHECKPOINTS: Final = """
SELECT coalesce(number, -1), coalesce(size, -1), coalesce(note, '')
FROM {ledger}.checkpoint
ORDER BY number
"""
PUBLICATIONS: Final = """
SELECT coalesce(number, -1), coalesce(size, -1), coalesce(note, '')
FROM {ledger}.publication
ORDER BY number
"""
FIRST_OF_STREAM: Final = """
SELECT coalesce(e.position, -1), e.stream::text, coalesce(e.event_id::text, ''), e.entry,
  coalesce(s.body, '')
FROM {ledger}.entry AS e JOIN {ledger}.sealed AS s ON s.position = e.position
WHERE e.stream = %(stream)s::uuid
ORDER BY e.version
LIMIT 1
"""
FIRST_BODY: Final = """
SELECT coalesce(body, '')
FROM {ledger}.sealed
WHERE position = 0
"""
BEGINNING: Final = """
SELECT coalesce(position, -1), coalesce(event_id::text, '')
FROM {ledger}.entry
WHERE stream = %(stream)s::uuid AND version = 1
ORDER BY position
LIMIT 1
"""
SUCCESSORS: Final = "SELECT coalesce(origin, '') FROM {ledger}.successor"
