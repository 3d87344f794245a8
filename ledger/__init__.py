"""The append-only truth: events, rules, entries, tree, storage, sequencing and verification."""
