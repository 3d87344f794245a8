"""An entry is 108 bytes of which every one counts; a link depends on all that it ties together."""

import hashlib

import pytest

from ledger.entry import ENTRY_BYTES, ZERO_HASH, Entry, decode_entry, encode_entry, link_hash
from ledger.errors import CorruptionError

ENTRY = Entry(
    received_at_ms=1_790_000_000_123,
    link=b"\x11" * 32,
    statement_digest=b"\x22" * 32,
    container_digest=b"\x33" * 32,
)


def test_an_entry_is_laid_out_as_specified() -> None:
    expected = b"CLE1" + bytes.fromhex("000001a0c4506c7b")
    expected += b"\x11" * 32 + b"\x22" * 32 + b"\x33" * 32
    assert encode_entry(ENTRY) == expected
    assert len(expected) == ENTRY_BYTES == 108
    assert decode_entry(expected) == ENTRY


@pytest.mark.parametrize("ms", [0, 253_402_300_799_999])
def test_times_from_1970_to_9999_are_kept(ms: int) -> None:
    data = b"CLE1" + ms.to_bytes(8) + bytes(96)
    assert encode_entry(decode_entry(data)) == data
    assert decode_entry(data).received_at_ms == ms


@pytest.mark.parametrize("ms", [-1, 253_402_300_800_000])
def test_a_time_outside_cannot_be_encoded(ms: int) -> None:
    with pytest.raises(ValueError, match="1970"):
        encode_entry(
            Entry(
                received_at_ms=ms,
                link=ZERO_HASH,
                statement_digest=ZERO_HASH,
                container_digest=ZERO_HASH,
            )
        )


@pytest.mark.parametrize("wrong", [b"", b"\x11" * 31, b"\x11" * 33])
def test_a_hash_of_another_length_is_neither_padded_nor_cut(wrong: bytes) -> None:
    for link, statement, container in [
        (wrong, ZERO_HASH, ZERO_HASH),
        (ZERO_HASH, wrong, ZERO_HASH),
        (ZERO_HASH, ZERO_HASH, wrong),
    ]:
        entry = Entry(
            received_at_ms=1, link=link, statement_digest=statement, container_digest=container
        )
        with pytest.raises(ValueError, match="32 bytes"):
            encode_entry(entry)


GOOD = encode_entry(ENTRY)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:-1],
        GOOD + b"\x00",
        b"CLE2" + GOOD[4:],
        b"cle1" + GOOD[4:],
        b"CLE1" + (253_402_300_800_000).to_bytes(8) + GOOD[12:],
        b"CLE1" + b"\xff" * 8 + GOOD[12:],
    ],
)
def test_bytes_that_are_no_entry_are_refused(data: bytes) -> None:
    with pytest.raises(CorruptionError) as caught:
        decode_entry(data)
    assert caught.value.code == "entry-malformed"


def test_a_link_is_the_hash_of_prefix_salt_version_and_previous() -> None:
    salt, previous = bytes(range(32)), b"\x44" * 32
    expected = hashlib.sha256(b"clinledger/link/v1\n" + salt + bytes(7) + b"\x05" + previous)
    assert link_hash(salt, 5, previous) == expected.digest()


def test_a_link_depends_on_each_of_its_parts() -> None:
    salt, previous = bytes(range(32)), b"\x44" * 32
    links = {
        link_hash(salt, 1, previous),
        link_hash(salt[::-1], 1, previous),
        link_hash(salt, 2, previous),
        link_hash(salt, 1, ZERO_HASH),
    }
    assert len(links) == 4


@pytest.mark.parametrize(
    ("salt", "version", "previous"),
    [
        (b"", 1, ZERO_HASH),
        (bytes(33), 1, ZERO_HASH),
        (bytes(32), 1, b""),
        (bytes(32), 0, ZERO_HASH),
    ],
)
def test_a_link_of_parts_of_other_sizes_is_refused(
    salt: bytes, version: int, previous: bytes
) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        link_hash(salt, version, previous)
