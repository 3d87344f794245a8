"""Nonces are recognised in their one spelling, for one member of staff, and not for ever."""

import pytest

from api.errors import BodyInvalidError
from api.nonces import LIFETIME_SECONDS, NonceMint

NOW = 1_700_000_000
STAFF = "0190b3f2-0000-7000-8000-000000000001"
MINT = NonceMint(bytes(range(32)), origin="bvdk.example/ledger")
NONCE, EXPIRES_AT = MINT.issue(STAFF, randomness=bytes(16), now_seconds=NOW)
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def check(nonce: str, *, mint: NonceMint = MINT, staff: str = STAFF, now: int = NOW) -> None:
    mint.check(nonce, staff=staff, now_seconds=now)


def test_a_nonce_is_recognised_until_it_expires() -> None:
    check(NONCE)
    check(NONCE, now=NOW + LIFETIME_SECONDS - 1)
    with pytest.raises(BodyInvalidError, match="nonce-expired"):
        check(NONCE, now=EXPIRES_AT)


def test_another_spelling_of_a_nonce_is_another_nonce() -> None:
    """Otherwise one nonce, spelt in four ways, would pass four times for unused."""
    last = _ALPHABET.index(NONCE[-1])
    spellings = [NONCE[:-1] + _ALPHABET[last ^ bit] for bit in (1, 2, 3)]
    for spelling in [*spellings, NONCE + "=", NONCE + "\n", f" {NONCE}", NONCE + "\ud800"]:
        with pytest.raises(BodyInvalidError, match="nonce-unknown"):
            check(spelling)


@pytest.mark.parametrize("place", range(0, len(NONCE), 7))
def test_a_changed_nonce_is_unknown(place: int) -> None:
    other = "A" if NONCE[place] != "A" else "B"
    with pytest.raises(BodyInvalidError, match="nonce-unknown"):
        check(NONCE[:place] + other + NONCE[place + 1 :])


def test_a_nonce_serves_one_member_of_one_ledger_by_one_server() -> None:
    others = NonceMint(bytes(range(32)), origin="other.example/ledger")
    stranger = NonceMint(bytes(32), origin="bvdk.example/ledger")
    with pytest.raises(BodyInvalidError, match="nonce-unknown"):
        check(NONCE, mint=others)
    with pytest.raises(BodyInvalidError, match="nonce-unknown"):
        check(NONCE, mint=stranger)
    with pytest.raises(BodyInvalidError, match="nonce-unknown"):
        check(NONCE, staff=STAFF.replace("1", "2"))
