"""Read models: disposable views of the ledger, rebuilt from it and checked against it."""
