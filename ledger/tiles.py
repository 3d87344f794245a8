"""Cut the tree and its entries into tiles, as outsiders read them (c2sp.org/tlog-tiles v0.1.0).

A tile is 256 hashes of one level, a bundle the 256 entries below a tile of level 0. Full ones never
change; a partial one (`.p/<width>`) is the beginning of a full one. They hold nothing personal: an
entry is a time, two digests and a salted link.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, LiteralString, Protocol

import msgspec

from ledger.database import Connection, Database
from ledger.errors import CorruptionError, NotFoundError
from ledger.merkle import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, HashSource

MAX_LEVEL: Final = 63
_PATH: Final = re.compile(
    r"(?P<level>[0-9]{1,2}|entries)/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[0-9]{1,3}))?",
    re.ASCII,
)
_ENTRIES: Final[LiteralString] = """
SELECT entry FROM {ledger}.entry
WHERE position >= %(start)s AND position < %(end)s
ORDER BY position
"""


class Tile(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Names a tile, or a bundle of entries.

    Attributes:
        level: 0 for leaf hashes; -1 for a bundle of entries.
        number: from 0.
        width: 1 to 256 hashes or entries; 256 is a full one.
    """

    level: int
    number: int
    width: int = TILE_WIDTH

    @property
    def is_bundle(self) -> bool:
        """Whether it holds entries, not hashes."""
        return self.level < 0

    @property
    def leaves(self) -> int:
        """How large a tree must be to have it."""
        return (self.number * TILE_WIDTH + self.width) << (TILE_HEIGHT * max(self.level, 0))

    @property
    def path(self) -> str:
        """Return `<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`."""
        # "tile index ... encoded into 3-digit path elements. All but the last path element MUST
        # begin with an `x`."
        digits = str(self.number)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        level = "entries" if self.is_bundle else str(self.level)
        return f"{level}/{number}" + ("" if self.width == TILE_WIDTH else f".p/{self.width}")


def parse_tile_path(path: str) -> Tile:
    """Read a path in its only spelling.

    Raises:
        NotFoundError: `tile-unknown`.
    """
    matched = _PATH.fullmatch(path)
    if matched is not None:
        level, width = matched["level"], matched["width"]
        tile = Tile(
            level=-1 if level == "entries" else int(level),
            number=int(matched["number"].replace("/", "").replace("x", "")),
            width=TILE_WIDTH if width is None else int(width),
        )
        partial_or_full = width is None or 0 < tile.width < TILE_WIDTH
        if partial_or_full and tile.level <= MAX_LEVEL and tile.path == path:
            return tile
    raise NotFoundError("tile-unknown", detail="there is no such tile")


def tiles_of(size: int, *, since: int = 0) -> Iterator[Tile]:
    """Name the tiles and bundles of a tree, without those of an earlier size.

    Args:
        size: of the tree.
        since: an earlier size, whose full tiles, and those only, are left out.
    """
    level = 0
    while size >> (TILE_HEIGHT * level):
        count, old = size >> (TILE_HEIGHT * level), since >> (TILE_HEIGHT * level)
        for number in range(old // TILE_WIDTH, -(-count // TILE_WIDTH)):
            width = min(TILE_WIDTH, count - number * TILE_WIDTH)
            yield Tile(level=level, number=number, width=width)
            if level == 0:
                yield Tile(level=-1, number=number, width=width)
        level += 1


class TileSource(Protocol):
    """Where hashes and entries are read from."""

    def read(self, tile: Tile) -> bytes:
        """Return a tile's or bundle's bytes.

        Raises:
            CorruptionError: `position-gap` or `entry-malformed`: there should be such rows.
        """
        ...


class StoredTiles(TileSource):
    """Reads tiles from the tables; the caller knows a size that holds them."""

    def __init__(self, hashes: HashSource, connection: Connection, database: Database) -> None:
        """Read over an open connection; `hashes` reads stored hashes over the same one."""
        self._hashes = hashes
        self._connection = connection
        self._database = database

    def read(self, tile: Tile) -> bytes:
        """Return a tile's or bundle's bytes."""
        start = tile.number * TILE_WIDTH
        end = start + tile.width
        if tile.is_bundle:
            parts = self._entries(start, end)
            data = encode_bundle(parts)
        else:
            parts = (
                self._hashes.leaf_hashes(start, end)
                if tile.level == 0
                else self._hashes.tile_hashes(tile.level, start, end)
            )
            data = b"".join(parts)
        if len(parts) != tile.width:
            raise CorruptionError("position-gap", start, "a tile is not whole")
        if not tile.is_bundle and len(data) != tile.width * HASH_BYTES:
            raise CorruptionError("leaf-mismatch", start, "a tile has a hash of another length")
        return data

    def _entries(self, start: int, end: int) -> Sequence[bytes]:
        cursor = self._connection.execute(
            self._database.query(_ENTRIES), {"start": start, "end": end}, binary=True
        )
        return [bytes(row[0]) for row in cursor.fetchall()]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries, each after its length in two bytes, big-endian."""
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def decode_bundle(data: bytes) -> list[bytes]:
    """Return the entries of a bundle.

    Raises:
        ValueError: it does not end where an entry does.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2])
        if end > len(data) or at + 2 > len(data):
            raise ValueError("a bundle that ends within an entry")
        entries.append(data[at + 2 : end])
        at = end
    return entries
