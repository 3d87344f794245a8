"""Check one signature by a key of the directory."""

from functools import lru_cache
from typing import NamedTuple

from ledger.verify.report import FindingCode
from signing.container import verify_container
from signing.errors import MalformedKeyError, SigningError
from signing.keys import VerifyingKey, load_verifying_key


class Signature(NamedTuple):
    """One signature to check, and by which enrolled key."""

    container: bytes
    statement: bytes
    spki: bytes
    alg: str


class Fault(NamedTuple):
    """What is wrong with a signature."""

    code: FindingCode
    detail: str


@lru_cache(maxsize=20_000)
def _load(spki: bytes, alg: str) -> VerifyingKey | None:
    try:
        return load_verifying_key(spki, alg)
    except MalformedKeyError:
        return None


def fault_of(signature: Signature) -> Fault | None:
    """Return what is wrong with a signature, or None."""
    key = _load(signature.spki, signature.alg)
    if key is None:
        return Fault("key-not-valid", "the enrolled key is not a usable key")
    try:
        verify_container(signature.container, signature.statement, key)
    except SigningError as error:
        return Fault("signature-invalid", error.code)
    return None
