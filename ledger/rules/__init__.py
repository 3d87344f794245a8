"""The ledger's rules, one module per area; `ledger.decide` is their only caller."""
