"""Measure the ledger against baselines of the same run: `make bench`."""
