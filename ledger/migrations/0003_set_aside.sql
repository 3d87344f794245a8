-- What people have decided when the ledger could not go on (docs/trust.md §8): entries at the tail that
-- no checkpoint covers were set aside, or another ledger was founded that succeeds this one.

CREATE TABLE {ledger}.set_aside (
  size bigint NOT NULL CONSTRAINT set_aside_leaves_the_founding CHECK (size >= 1),
  ordinal bigint NOT NULL CONSTRAINT set_aside_ordinal_is_not_negative CHECK (ordinal >= 0),
  position bigint,
  stream uuid,
  version bigint,
  event_id uuid,
  entry bytea,
  leaf_hash bytea,
  link_salt bytea,
  body bytea,
  CONSTRAINT set_aside_is_unique PRIMARY KEY (size, ordinal)
);
ALTER TABLE {ledger}.set_aside ALTER COLUMN body SET STORAGE EXTERNAL;
COMMENT ON TABLE {ledger}.set_aside IS 'Rows of entry and sealed, byte for byte, that were moved here by a recorded decision. No constraint of entry holds: they may be damaged.';
COMMENT ON COLUMN {ledger}.set_aside.size IS 'Size of the tree that was kept: rows from this position on were moved. tail-set-aside.v1 at this position records it.';
COMMENT ON COLUMN {ledger}.set_aside.ordinal IS 'From 0, no gaps, in the order of their positions.';

CREATE TABLE {ledger}.set_aside_head (
  size bigint NOT NULL CONSTRAINT set_aside_leaves_the_founding CHECK (size >= 1),
  ordinal bigint NOT NULL CONSTRAINT set_aside_ordinal_is_not_negative CHECK (ordinal >= 0),
  head_size bigint NOT NULL,
  head_root bytea NOT NULL,
  head_peaks bytea NOT NULL,
  CONSTRAINT set_aside_head_is_unique PRIMARY KEY (size, ordinal)
);
COMMENT ON TABLE {ledger}.set_aside_head IS 'The head as it was stored before rows were set aside.';
COMMENT ON COLUMN {ledger}.set_aside_head.ordinal IS 'From 0: more than one where further rows appeared before the decision was recorded.';

CREATE TABLE {ledger}.successor (
  one boolean NOT NULL DEFAULT true PRIMARY KEY CONSTRAINT successor_is_one_row CHECK (one),
  origin text NOT NULL CONSTRAINT successor_origin_is_not_empty CHECK (origin <> '')
);
COMMENT ON TABLE {ledger}.successor IS 'The origin of the ledger that succeeds this one; where there is a row, nothing is appended here any more.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {ledger}.set_aside
  FOR EACH STATEMENT EXECUTE FUNCTION {ledger}.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {ledger}.set_aside_head
  FOR EACH STATEMENT EXECUTE FUNCTION {ledger}.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {ledger}.successor
  FOR EACH STATEMENT EXECUTE FUNCTION {ledger}.refuse_change();
