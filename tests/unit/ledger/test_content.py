"""Content is bound to its statement by size and salted digest."""

import hashlib

import pytest

from ledger.content import check_content, check_salt, content_digest
from ledger.errors import SubmissionRejectedError
from signing.statement import MAX_CONTENT_BYTES, ContentClaim

SALT = bytes(range(32))
CONTENT = b'{"resourceType":"Composition"}'


def claim(content: bytes = CONTENT, salt: bytes = SALT) -> ContentClaim:
    digest = hashlib.sha256(b"clinledger/content/v1\n" + salt + content).hexdigest()
    return ContentClaim(digest=digest, media_type="application/fhir+json", size=len(content))


def test_the_digest_covers_prefix_salt_and_content() -> None:
    assert content_digest(SALT, CONTENT).hex() == claim().digest


def test_the_content_named_is_accepted() -> None:
    check_content(claim(), salt=SALT, content=CONTENT)


@pytest.mark.parametrize(
    ("salt", "content", "code"),
    [
        (SALT, CONTENT[:-1], "content-size"),
        (SALT, CONTENT + b" ", "content-size"),
        (SALT, CONTENT.replace(b"C", b"c"), "content-digest"),
        (SALT[::-1], CONTENT, "content-digest"),
        (SALT, bytes(MAX_CONTENT_BYTES + 1), "content-too-large"),
    ],
)
def test_other_content_or_salt_is_refused(salt: bytes, content: bytes, code: str) -> None:
    with pytest.raises(SubmissionRejectedError) as caught:
        check_content(claim(), salt=salt, content=content)
    assert (caught.value.code, caught.value.pointer) == (code, "/content")


def test_a_whole_mebibyte_of_content_is_accepted() -> None:
    content = bytes(MAX_CONTENT_BYTES)
    check_content(claim(content), salt=SALT, content=content)


def test_a_salt_has_32_bytes_that_differ() -> None:
    check_salt(SALT)
    check_salt(bytes(31) + b"\x01")


@pytest.mark.parametrize(
    ("salt", "code"),
    [
        (b"", "salt-malformed"),
        (SALT[:-1], "salt-malformed"),
        (SALT + b"\x20", "salt-malformed"),
        (bytes(32), "salt-constant"),
        (b"\xff" * 32, "salt-constant"),
    ],
)
def test_a_short_or_constant_salt_is_refused(salt: bytes, code: str) -> None:
    with pytest.raises(SubmissionRejectedError) as caught:
        check_salt(salt)
    assert (caught.value.code, caught.value.pointer) == (code, "/salt")
