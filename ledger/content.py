"""Bind content to its statement by a salted digest (docs/format.md, Content)."""

import hashlib
import hmac
from typing import Final

from ledger.errors import SubmissionRejectedError
from signing.statement import MAX_CONTENT_BYTES, ContentClaim

__all__ = [
    "CONTENT_PREFIX",
    "MAX_CONTENT_BYTES",
    "SALT_BYTES",
    "check_content",
    "check_salt",
    "content_digest",
]

CONTENT_PREFIX: Final = b"clinledger/content/v1\n"
SALT_BYTES: Final = 32


def content_digest(salt: bytes, content: bytes) -> bytes:
    """Return SHA-256 over the prefix, the 32-byte salt and the content's exact bytes.

    The salt keeps short contents from being guessed from the digest that the statement publishes
    to whoever may read it.
    """
    return hashlib.sha256(CONTENT_PREFIX + salt + content).digest()


def check_salt(salt: bytes) -> None:
    """Check a client's salt as far as one salt can be checked: 32 bytes, not all the same.

    Raises:
        SubmissionRejectedError: ``salt-malformed`` or ``salt-constant``.
    """
    if len(salt) != SALT_BYTES:
        raise SubmissionRejectedError("salt-malformed", "/salt", "a salt has 32 bytes")
    if salt.count(salt[0]) == SALT_BYTES:
        raise SubmissionRejectedError("salt-constant", "/salt", "a salt is random")


def check_content(claim: ContentClaim, *, salt: bytes, content: bytes) -> None:
    """Check that these are the content and salt that the statement names.

    Raises:
        SubmissionRejectedError: ``content-too-large``, ``content-size`` or ``content-digest``.
    """
    if len(content) > MAX_CONTENT_BYTES:
        raise SubmissionRejectedError(
            "content-too-large", "/content", f"longer than {MAX_CONTENT_BYTES} bytes"
        )
    if len(content) != claim.size:
        raise SubmissionRejectedError(
            "content-size", "/content", "the statement names another size"
        )
    if not hmac.compare_digest(content_digest(salt, content).hex(), claim.digest):
        raise SubmissionRejectedError(
            "content-digest", "/content", "the statement names another digest"
        )
