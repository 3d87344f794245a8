"""Fold events into what readers see: pure functions shared by views, as-of reads and checks."""
