"""An auditor of a hospital's ledger, with a key, and notes for a later verification to rest on."""

from pathlib import Path
from typing import Any

import msgspec

from ledger.verify.since import Basis, accept_note
from signing.notes import Ed25519Signer
from signing.verified import VerifiedUpTo, sign_verified
from tests.attack import Attack
from tests.noted import note_key

AUDITOR = Ed25519Signer("so-y-te.example/auditor", note_key("so-y-te.example/auditor"))
SEED = bytes(range(32))


def said(attack: Attack, size: int, **members: Any) -> VerifiedUpTo:  # noqa: ANN401 - of all types
    """Return what the auditor says of the honest ledger at a size."""
    builder = attack.hospital.builder
    verified = VerifiedUpTo(
        origin=builder.origin,
        size=size,
        root=builder.roots[size],
        start=0,
        signatures=True,
        rules=True,
        contents=True,
        at_ms=builder.events[size - 1].received_at_ms,
    )
    return msgspec.structs.replace(verified, **members)


def basis(
    folder: Path, verified: VerifiedUpTo, *, count: int = 0, signer: Ed25519Signer = AUDITOR
) -> Basis:
    """Sign, keep and accept a note; sample so many events from a fixed seed."""
    path = folder / "verified"
    path.write_bytes(sign_verified(verified, signer))
    note, by, spki = accept_note(path, [signer.verifier])
    return Basis(note=note, by=by, spki=spki, count=count, seed=SEED, seed_given=True)
