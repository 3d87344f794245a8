"""Names of tiles: one spelling each, and which tiles a tree has (c2sp.org/tlog-tiles)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import NotFoundError
from ledger.tiles import Tile, decode_bundle, encode_bundle, parse_tile_path, tiles_of


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(level=0, number=0), "0/000"),
        (Tile(level=1, number=5), "1/005"),
        (Tile(level=0, number=1234067), "0/x001/x234/067"),
        (Tile(level=63, number=999, width=1), "63/999.p/1"),
        (Tile(level=0, number=1000, width=255), "0/x001/000.p/255"),
        (Tile(level=-1, number=273, width=112), "entries/273.p/112"),
    ],
)
def test_a_tile_has_the_path_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_tile_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "0/",
        "0/0",
        "0/00",
        "0/0000",
        "00/000",
        "64/000",
        "-1/000",
        "0/x000/001",
        "0/001/002",
        "0/x001/x002",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "0/000.p/",
        "0/000.p",
        "0/000/",
        "0/000\n",
        "entries/0",
        "Entries/000",
        "0/\u0660\u0660\u0660",
        "0/../000",
        "0/x00/000",
    ],
)
def test_every_other_spelling_is_refused(path: str) -> None:
    with pytest.raises(NotFoundError, match="tile-unknown"):
        parse_tile_path(path)


@given(st.integers(-1, 63), st.integers(0, 2**62), st.integers(1, 256))
def test_every_tile_reads_back_from_its_path(level: int, number: int, width: int) -> None:
    tile = Tile(level=level, number=number, width=width)
    assert parse_tile_path(tile.path) == tile


def test_seventy_thousand_leaves_have_the_tiles_of_the_specification() -> None:
    """tlog-tiles: 273 full and one of 112, one full and one of 17, one of 1."""
    tiles = [tile for tile in tiles_of(70_000) if not tile.is_bundle]
    partial = [(tile.level, tile.number, tile.width) for tile in tiles if tile.width < 256]

    assert partial == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert [sum(tile.level == level for tile in tiles) for level in range(4)] == [274, 2, 1, 0]
    assert sum(tile.is_bundle for tile in tiles_of(70_000)) == 274


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_what_an_earlier_tree_had_in_full_is_not_named_again(first: int, second: int) -> None:
    """And everything else is."""
    old, new = sorted((first, second))
    full = {tile for tile in tiles_of(old) if tile.width == 256}
    assert set(tiles_of(new)) - full == set(tiles_of(new, since=old)) - full
    assert not set(tiles_of(new, since=old)) & full


@given(st.integers(1, 100_000))
def test_a_tree_holds_every_tile_that_it_has(size: int) -> None:
    """`leaves` is the smallest tree that does."""
    assert all(tile.leaves <= size for tile in tiles_of(size))


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=5))
def test_a_bundle_reads_back(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries)) == entries


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x02a", b"\x00\x01ab"])
def test_a_broken_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="within an entry"):
        decode_bundle(data)
