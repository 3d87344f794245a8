"""Entries are checked by blocks, and told is what their rows would tell one by one."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.entry import ZERO_HASH, Entry, encode_entry, link_hash
from ledger.merkle import leaf_hash
from ledger.verify.blocks import BlockChecker
from ledger.verify.entries import CheckedSpan, SpanChecker
from ledger.verify.report import Findings, FoundPart
from ledger.verify.rows import EntryBlock, StoredEntry

_WIDTH = 256
_STREAMS = 24
_DIGEST = bytes(range(32))
_VALUES: dict[str, Sequence[object]] = {
    "position": (-1, 0, 3, 255, 256, 600, 2**40),
    "stream": (b"", bytes(16), bytes([3]) * 16),
    "version": (-(2**63), -1, 0, 1, 2, 9, 2**63 - 1),
    "event_id": (b"", bytes(16)),
    "entry": (b"", bytes(108), _DIGEST),
    "leaf_hash": (b"", bytes(32), bytes(31)),
    "link_salt": (b"", bytes(32), bytes(33)),
}


def _entry(received_at_ms: int, link: bytes) -> bytes:
    return encode_entry(
        Entry(
            received_at_ms=received_at_ms,
            link=link,
            statement_digest=_DIGEST,
            container_digest=_DIGEST,
        )
    )


def _rows(count: int) -> list[StoredEntry]:
    """Make the entries of some streams by turns."""
    newest = [ZERO_HASH] * _STREAMS
    rows: list[StoredEntry] = []
    for position in range(count):
        number, version = position % _STREAMS, position // _STREAMS + 1
        entry = _entry(position // 2, link_hash(_DIGEST, version, newest[number]))
        newest[number] = leaf_hash(entry)
        event_id = sha256(position.to_bytes(8)).digest()[:16]
        stream = bytes([number]) * 16
        rows.append(
            StoredEntry(position, stream, version, event_id, entry, newest[number], _DIGEST)
        )
    return rows


ROWS = _rows(3 * _WIDTH - 10)


def _block(first: int, rows: Sequence[StoredEntry]) -> EntryBlock:
    """Put rows together as the database would; an empty value stands for none."""
    if any(
        len(row.link_salt) not in {0, 32}
        or len(row.entry) not in {0, 108}
        or len(row.leaf_hash) not in {0, 32}
        for row in rows
    ):
        return EntryBlock(first, b"", b"", b"", b"", b"")
    return EntryBlock(
        first,
        b"".join(row.position.to_bytes(8, signed=True) for row in rows),
        b"".join(row.event_id for row in rows),
        b"".join(
            row.stream + row.version.to_bytes(8, signed=True) + row.link_salt
            for row in rows
            if row.stream and row.link_salt
        ),
        b"".join(row.entry for row in rows),
        b"".join(row.leaf_hash for row in rows),
    )


def _by_rows(rows: Iterable[StoredEntry]) -> tuple[CheckedSpan, FoundPart]:
    findings = Findings()
    return SpanChecker(findings, start=0).check(rows), findings.take()


def _by_blocks(rows: Sequence[StoredEntry]) -> tuple[CheckedSpan, FoundPart, list[bool]]:
    findings = Findings()
    checker = BlockChecker(findings, start=0)
    taken: list[bool] = []
    for first in range(0, len(ROWS), _WIDTH):
        some = [row for row in rows if first <= row.position < first + _WIDTH]
        taken.append(checker.take_block(_block(first, some)))
        if not taken[-1]:
            checker.take(some)
    return checker.finish(), findings.take(), taken


def test_blocks_without_fault_are_taken_and_tell_what_their_rows_tell() -> None:
    """Leaves, blocks of the tree, first and newest events of streams, ids and times."""
    span, found, taken = _by_blocks(ROWS)

    assert taken == [True, True, True]
    assert (span, found) == _by_rows(ROWS)
    assert not found.found
    assert span.rows == len(ROWS)


_changes = st.sampled_from(sorted(_VALUES)).flatmap(
    lambda field: st.tuples(st.just(field), st.sampled_from(_VALUES[field]))
)
_places = st.one_of(st.integers(0, len(ROWS) - 1), st.sampled_from((0, 255, 256, len(ROWS) - 1)))


@settings(max_examples=150, deadline=None)
@given(
    changed=st.dictionaries(_places, _changes, max_size=3),
    flipped=st.dictionaries(_places, st.integers(0, 108 * 8 - 1), max_size=2),
    dropped=st.sets(_places, max_size=2),
    doubled=st.sets(_places, max_size=2),
)
def test_whatever_is_wrong_blocks_and_rows_tell_the_same(
    changed: dict[int, tuple[str, object]],
    flipped: dict[int, int],
    dropped: set[int],
    doubled: set[int],
) -> None:
    """Values of any length, and none; flipped bits; rows that are gone, or there twice."""
    rows: list[StoredEntry] = []
    for number, original in enumerate(ROWS):
        row = original
        if number in flipped:
            entry = bytearray(row.entry)
            entry[flipped[number] // 8] ^= 1 << flipped[number] % 8
            row = row._replace(entry=bytes(entry), leaf_hash=leaf_hash(bytes(entry)))
        if number in changed:
            field, value = changed[number]
            row = row._replace(**{field: cast("bytes", value)})
        rows += [row] * ((number not in dropped) + (number in doubled))
    rows = sorted((row for row in rows if 0 <= row.position < 3 * _WIDTH), key=lambda r: r.position)

    span, found, _ = _by_blocks(rows)

    assert (span, found) == _by_rows(rows)
