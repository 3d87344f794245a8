"""Witness other institutions' ledgers, and ask theirs to witness ours (c2sp.org/tlog-witness)."""
