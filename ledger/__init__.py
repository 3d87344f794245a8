"""The append-only truth: event catalogue, rules, entries, tree, storage, sequencing and verification."""
