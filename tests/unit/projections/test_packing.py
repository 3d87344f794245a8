"""What is packed comes back, and what was not packed is refused without taking memory for it."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from projections import packing
from projections.errors import ProjectionFailedError
from projections.packing import pack, unpack

TYPICAL = Path(packing.__file__).with_name("typical_items.jsonl").read_bytes().splitlines()
ZEROS = "00000000-0000-8000-8000-000000000000"


@given(st.binary(max_size=10_000))
def test_what_is_packed_comes_back(data: bytes) -> None:
    assert unpack(pack(data)) == data


@pytest.mark.parametrize("item", TYPICAL, ids=range(len(TYPICAL)))
def test_a_typical_item_with_other_ids_takes_a_tenth(item: bytes) -> None:
    other = item.replace(ZEROS.encode(), b"8d2f1c04-7b6a-4e19-a3c5-90be4d7715f2")
    assert len(pack(other)) < len(other) / 10


@pytest.mark.parametrize("item", TYPICAL, ids=range(len(TYPICAL)))
def test_the_typical_items_are_of_nobody(item: bytes) -> None:
    found = json.loads(item)
    assert {found["event_id"], found["signer"]} == {ZEROS}


@given(st.binary(max_size=200))
def test_bytes_that_are_no_frame_are_refused(data: bytes) -> None:
    with pytest.raises(ProjectionFailedError, match="rebuild"):
        unpack(data)


@given(st.binary(min_size=1, max_size=200), st.data())
def test_a_frame_that_is_cut_or_continued_is_refused(content: bytes, data: st.DataObject) -> None:
    frame = pack(content)
    at = data.draw(st.integers(0, len(frame) - 1))
    for bent in (frame[:at], frame + b"x", frame + frame):
        with pytest.raises(ProjectionFailedError):
            unpack(bent)


def test_a_frame_that_claims_or_yields_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(100))
    with pytest.raises(ProjectionFailedError):
        unpack(unsized)
    monkeypatch.setattr(packing, "MOST_BYTES", 1_000)
    assert unpack(pack(bytes(1_000))) == bytes(1_000)
    with pytest.raises(ProjectionFailedError):
        unpack(pack(bytes(1_001)))


def test_threads_do_not_disturb_each_other() -> None:
    items = [bytes([number % 251]) * 50_000 for number in range(400)]
    with ThreadPoolExecutor(8) as threads:
        frames = list(threads.map(pack, items))
        assert list(threads.map(unpack, frames)) == items
