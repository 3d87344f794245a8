"""What a verification remembers of the entries does not grow with their number."""

import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path

from ledger.entry import ZERO_HASH, Entry, encode_entry, link_hash
from ledger.merkle import leaf_hash
from ledger.verify.entries import SpanChecker
from ledger.verify.joining import PackedNewest, SpanJoiner
from ledger.verify.repeated import RepeatedNumbers
from ledger.verify.report import Findings
from ledger.verify.rows import StoredEntry

_SPAN = 1024
_STREAMS = 32
_DIGEST = bytes(32)


def _rows(count: int) -> Iterator[StoredEntry]:
    """Make the entries of a few streams by turns."""
    newest = [ZERO_HASH] * _STREAMS
    for position in range(count):
        number, version = position % _STREAMS, position // _STREAMS + 1
        link = link_hash(_DIGEST, version, newest[number])
        entry = encode_entry(
            Entry(
                received_at_ms=position,
                link=link,
                statement_digest=_DIGEST,
                container_digest=_DIGEST,
            )
        )
        newest[number] = leaf_hash(entry)
        event_id = sha256(position.to_bytes(8)).digest()[:16]
        stream = bytes([number]) * 16
        yield StoredEntry(position, stream, version, event_id, entry, newest[number], _DIGEST)


def _peak(events: int, folder: Path) -> int:
    """Return the most memory that was held while so many entries were checked, in bytes."""
    rows = _rows(events)
    findings = Findings()
    joiner = SpanJoiner(findings, newest=PackedNewest())
    tracemalloc.start()
    with RepeatedNumbers(folder / f"ids of {events}") as ids:
        for start in range(0, events, _SPAN):
            checked = SpanChecker(findings, start=start).check(islice(rows, _SPAN))
            joiner.join(checked)
            ids.add(checked.ids)
        assert not ids.repeated()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert joiner.tree.size == events
    assert {finding.code for finding in findings.result()} <= {"tile-mismatch"}  # none is stored
    return peak


def test_four_times_the_entries_take_the_same_memory(tmp_path: Path) -> None:
    _peak(_SPAN, tmp_path)  # what is made once
    assert _peak(16 * _SPAN, tmp_path) < 1.3 * _peak(4 * _SPAN, tmp_path)
