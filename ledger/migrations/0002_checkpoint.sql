-- Signed checkpoints (ARCHITECTURE §5.6). The process that signs them keeps its own last one outside
-- the database; these tables are what readers, auditors and mirrors are given.

CREATE TABLE {ledger}.checkpoint (
  number bigint NOT NULL CONSTRAINT number_starts_at_one CHECK (number >= 1),
  size bigint NOT NULL CONSTRAINT size_is_positive CHECK (size >= 1),
  note bytea NOT NULL CONSTRAINT note_is_a_text CHECK (octet_length(note) BETWEEN 1 AND 1048576),
  CONSTRAINT checkpoint_number_is_unique PRIMARY KEY (number)
);
COMMENT ON TABLE {ledger}.checkpoint IS 'Every checkpoint as the ledger signed it, in the order of signing.';
COMMENT ON COLUMN {ledger}.checkpoint.number IS 'From 1, no gaps, handed out by the one process that signs: two at once collide here.';
COMMENT ON COLUMN {ledger}.checkpoint.size IS 'Size of the tree, as in the note.';
COMMENT ON COLUMN {ledger}.checkpoint.note IS 'The signed note''s exact bytes (c2sp.org/tlog-checkpoint).';
CREATE INDEX checkpoint_by_size ON {ledger}.checkpoint (size);

CREATE TABLE {ledger}.publication (
  number bigint NOT NULL CONSTRAINT number_starts_at_one CHECK (number >= 1),
  size bigint NOT NULL CONSTRAINT size_is_positive CHECK (size >= 1),
  note bytea NOT NULL CONSTRAINT note_is_a_text CHECK (octet_length(note) BETWEEN 1 AND 1048576),
  CONSTRAINT publication_number_is_unique PRIMARY KEY (number)
);
COMMENT ON TABLE {ledger}.publication IS 'Checkpoints for outsiders, with the cosignatures that they had by then; GET /checkpoint serves the newest.';
CREATE INDEX publication_by_size ON {ledger}.publication (size);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {ledger}.checkpoint
  FOR EACH STATEMENT EXECUTE FUNCTION {ledger}.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {ledger}.publication
  FOR EACH STATEMENT EXECUTE FUNCTION {ledger}.refuse_change();
