"""Sign what was verified, from a state that lies outside the database (docs/trust.md §6).

`follower` applies every rule of `ledger.verify` to what is new; `signer` decides whether to sign;
`state` keeps the signer's own last head; `table` is what others are given.
"""
