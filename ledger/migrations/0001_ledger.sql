-- The append-only store (ARCHITECTURE §6): entries, sealed bodies, the head and the tree's tiles.
-- {ledger} is the ledger's schema, {keys} the schema of its stream keys.

CREATE TABLE {ledger}.ledger (
  one boolean NOT NULL DEFAULT true PRIMARY KEY CONSTRAINT ledger_is_one_row CHECK (one),
  origin text NOT NULL CONSTRAINT origin_is_not_empty CHECK (origin <> ''),
  facility_key_id text NOT NULL
);
COMMENT ON TABLE {ledger}.ledger IS 'Which ledger this schema holds; written once, before position 0.';
COMMENT ON COLUMN {ledger}.ledger.origin IS 'C2SP origin, as signed in every statement.';
COMMENT ON COLUMN {ledger}.ledger.facility_key_id IS 'Names the facility key; none is ever generated for a ledger that has one.';

CREATE TABLE {ledger}.head (
  one boolean NOT NULL DEFAULT true PRIMARY KEY CONSTRAINT head_is_one_row CHECK (one),
  size bigint NOT NULL CONSTRAINT size_is_not_negative CHECK (size >= 0),
  peaks bytea NOT NULL CONSTRAINT peaks_are_hashes CHECK (octet_length(peaks) % 32 = 0),
  root bytea NOT NULL CONSTRAINT root_is_32_bytes CHECK (octet_length(root) = 32)
) WITH (fillfactor = 10);
COMMENT ON TABLE {ledger}.head IS 'The committed tree. The sequencer moves it by compare-and-swap, once per batch; a head moved by anyone else stops it.';
COMMENT ON COLUMN {ledger}.head.peaks IS 'Roots of the perfect subtrees, largest first, 32 bytes each (compact range).';
INSERT INTO {ledger}.head (size, peaks, root)
VALUES (0, '', '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');

CREATE TABLE {ledger}.entry (
  position bigint NOT NULL,
  stream uuid NOT NULL,
  version bigint NOT NULL CONSTRAINT version_starts_at_one CHECK (version >= 1),
  event_id uuid NOT NULL,
  entry bytea NOT NULL CONSTRAINT entry_is_108_bytes CHECK (octet_length(entry) = 108),
  leaf_hash bytea NOT NULL CONSTRAINT leaf_hash_is_32_bytes CHECK (octet_length(leaf_hash) = 32),
  link_salt bytea NOT NULL CONSTRAINT link_salt_is_32_bytes CHECK (octet_length(link_salt) = 32),
  CONSTRAINT entry_position_is_unique PRIMARY KEY (position),
  CONSTRAINT entry_version_is_unique UNIQUE (stream, version),
  CONSTRAINT entry_event_id_is_unique UNIQUE (event_id)
);
ALTER TABLE {ledger}.entry ALTER COLUMN entry SET STORAGE PLAIN;
COMMENT ON TABLE {ledger}.entry IS 'One row per event: what enters the Merkle log, and where it stands. Never updated, never deleted.';
COMMENT ON COLUMN {ledger}.entry.position IS 'Place in the ledger, from 0, no gaps: the Merkle leaf index.';
COMMENT ON COLUMN {ledger}.entry.version IS 'Place in its stream, from 1, no gaps.';
COMMENT ON COLUMN {ledger}.entry.event_id IS 'Chosen by the client: the idempotency key.';
COMMENT ON COLUMN {ledger}.entry.link_salt IS 'Salts the link, so that outsiders cannot follow a stream; unpublished.';

CREATE TABLE {ledger}.sealed (
  position bigint NOT NULL,
  body bytea NOT NULL,
  CONSTRAINT sealed_position_is_unique PRIMARY KEY (position)
) PARTITION BY RANGE (position);
ALTER TABLE {ledger}.sealed ALTER COLUMN body SET STORAGE EXTERNAL;
COMMENT ON TABLE {ledger}.sealed IS 'Statement, container, salt and content of an event, sealed under its stream''s key; the directory in clear.';
CREATE INDEX sealed_directory ON {ledger}.sealed (position) WHERE get_byte(body, 0) = 0;

CREATE TABLE {ledger}.tile (
  level smallint NOT NULL CONSTRAINT tile_level_is_above_leaves CHECK (level BETWEEN 1 AND 7),
  index bigint NOT NULL,
  hash bytea NOT NULL CONSTRAINT tile_hash_is_32_bytes CHECK (octet_length(hash) = 32),
  CONSTRAINT tile_is_unique PRIMARY KEY (level, index)
);
COMMENT ON TABLE {ledger}.tile IS 'Root of each full subtree of 256^level leaves (C2SP tlog-tiles, levels above 0); derived, kept for quick proofs.';

CREATE FUNCTION {ledger}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {ledger}.entry
  FOR EACH STATEMENT EXECUTE FUNCTION {ledger}.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {ledger}.sealed
  FOR EACH STATEMENT EXECUTE FUNCTION {ledger}.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {ledger}.tile
  FOR EACH STATEMENT EXECUTE FUNCTION {ledger}.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {ledger}.ledger
  FOR EACH STATEMENT EXECUTE FUNCTION {ledger}.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON {ledger}.head
  FOR EACH STATEMENT EXECUTE FUNCTION {ledger}.refuse_change();

-- Partitions are attached, not created in place: ATTACH takes a lock that appends, reads and
-- backups do not conflict with. The sequencer calls this well before a partition is full.
CREATE FUNCTION {ledger}.ensure_sealed_partition(at bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  home CONSTANT name := {ledger_name};
  span CONSTANT bigint := 4194304;
  first CONSTANT bigint := at / span * span;
  part CONSTANT text := 'sealed_' || (at / span);
BEGIN
  IF to_regclass(format('%I.%I', home, part)) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE %I.%I (LIKE %I.sealed INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', home, part, home);
  EXECUTE format('ALTER TABLE %I.%I ADD CONSTRAINT positions_of_this_part CHECK (position >= %s AND position < %s)', home, part, first, first + span);
  EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I.%I FOR EACH STATEMENT EXECUTE FUNCTION %I.refuse_change()', home, part, home);
  EXECUTE format('ALTER TABLE %I.sealed ATTACH PARTITION %I.%I FOR VALUES FROM (%s) TO (%s)', home, home, part, first, first + span);
END
$$;
REVOKE ALL ON FUNCTION {ledger}.ensure_sealed_partition(bigint) FROM PUBLIC;
SELECT {ledger}.ensure_sealed_partition(0);

CREATE TABLE {keys}.stream_key (
  stream uuid NOT NULL,
  stream_kind text NOT NULL,
  wrapped bytea NOT NULL,
  facility_key_id text NOT NULL,
  CONSTRAINT stream_key_is_unique PRIMARY KEY (stream)
);
COMMENT ON TABLE {keys}.stream_key IS 'One key per sealed stream, wrapped by the facility key; created before first use, never replaced. Backed up apart, with its own short horizon.';
COMMENT ON COLUMN {keys}.stream_key.stream_kind IS 'patient, record, staff, facility or access: lets the directory be found without opening every body.';
CREATE INDEX stream_key_of_staff ON {keys}.stream_key (stream) WHERE stream_kind = 'staff';
