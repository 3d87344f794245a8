"""Statements, keys and signed events with sensible defaults, for tests of the byte formats."""

import functools
from typing import Any

from ledger.draft import Draft, sign_event
from ledger.submitted import SubmittedEvent
from signing.keys import SoftKey, VerifyingKey, load_verifying_key
from signing.statement import ContentClaim, Ref, Seen, Statement, encode_statement

ORIGIN = "bvdk.quangninh.example/ledger"
STAFF = "01980000-0000-7000-8000-000000000001"
STREAM = "01980000-0000-7000-8000-000000000002"
EVENT = "01980000-0000-7000-8000-000000000003"
OTHER = "01980000-0000-7000-8000-000000000004"
HASH = "ab" * 32
SALT = bytes(range(32))
NOW_MS = 1_790_000_000_123


@functools.cache
def soft_key(alg: str) -> SoftKey:
    """One key of each algorithm for the whole run: making RSA keys is slow."""
    return SoftKey.generate(alg)


def public_key(alg: str) -> VerifyingKey:
    """Return the public half of `soft_key`, as enrolled."""
    return load_verifying_key(soft_key(alg).spki, alg)


def statement(**changes: object) -> Statement:
    """Return a statement of a note that refers to an earlier event."""
    fields: dict[str, Any] = {
        "alg": "ES256",
        "content": ContentClaim(digest=HASH, media_type="application/fhir+json", size=7),
        "event_id": EVENT,
        "format": "clinledger/statement/v1",
        "key_id": HASH,
        "ledger": ORIGIN,
        "occurred_at": "2026-11-22T03:04:05.678Z",
        "refs": (Ref(event_id=OTHER, relation="amends", statement=HASH),),
        "seen": Seen(root=HASH, size=12),
        "signed_at": "2026-11-22T03:05:00.000Z",
        "signer": STAFF,
        "stream": STREAM,
        "stream_kind": "record",
        "type": "note-written.v1",
    }
    fields.update(changes)
    return Statement(**fields)


def statement_bytes(**changes: object) -> bytes:
    """Return the bytes of `statement`."""
    return encode_statement(statement(**changes))


def draft(**changes: object) -> Draft:
    """Return a draft of a note."""
    fields: dict[str, Any] = {
        "stream": STREAM,
        "stream_kind": "record",
        "event_id": EVENT,
        "type": "note-written.v1",
        "occurred_at_ms": NOW_MS - 60_000,
        "media_type": "application/fhir+json",
        "content": b'{"resourceType":"Composition"}',
    }
    fields.update(changes)
    return Draft(**fields)


def signed_event(alg: str = "ES256", **changes: object) -> SubmittedEvent:
    """Return `draft` signed by `soft_key`."""
    return sign_event(
        draft(**changes),
        soft_key(alg),
        origin=ORIGIN,
        signer_staff=STAFF,
        seen=Seen(root=HASH, size=12),
        salt=SALT,
        signed_at_ms=NOW_MS,
    )
