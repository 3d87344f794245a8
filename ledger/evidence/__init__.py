"""Make evidence files, and check them without the ledger (docs/evidence.md)."""
