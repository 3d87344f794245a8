"""Write a ledger's tiles, bundles and checkpoint into a folder, for mirrors and archives.

The folder is what `GET /checkpoint` and `GET /tile/...` serve. Tiles and bundles are written once,
never changed; the checkpoint comes last, so that whatever it names is there. Nothing is written for
a tree that the checkpoint did not sign: the files themselves must lead to its root.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ledger.checkpoint_keys import CheckpointKey, verify_in_force
from ledger.errors import CorruptionError, EnvironmentRefusedError
from ledger.merkle import HASH_BYTES, TILE_WIDTH, HashSource, leaf_hash, node_hash, root_at
from ledger.tiles import Tile, TileSource, decode_bundle, tiles_of
from signing.checkpoints import Checkpoint, SignedCheckpoint
from signing.errors import SigningError

Progress = Callable[[int, int], None]
"""Is told how many leaves are done, and of how many."""

CHECKPOINT_FILE: Final = "checkpoint"
_FOLDER: Final = "tile"


class TileFolder(HashSource):
    """A folder of exported tiles; also a source of hashes, as far as they were written."""

    def __init__(self, folder: Path, size: int) -> None:
        """Read the tiles of a tree of this size."""
        self._folder = folder
        self._size = size

    def path(self, tile: Tile) -> Path:
        """Return where a tile lies."""
        return self._folder / _FOLDER / tile.path

    def leaf_hashes(self, start: int, end: int) -> Sequence[bytes]:
        """Return leaf hashes, all of one tile."""
        return self.tile_hashes(0, start, end)

    def tile_hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """Return the hashes of a level, all of one tile."""
        number = start // TILE_WIDTH
        width = min(TILE_WIDTH, (self._size >> (8 * level)) - number * TILE_WIDTH)
        data = self.path(Tile(level=level, number=number, width=width)).read_bytes()
        first = start - number * TILE_WIDTH
        hashes = [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
        return hashes[first : first + end - start]


def export_tiles(
    folder: Path,
    note: bytes,
    source: TileSource,
    *,
    keys: Sequence[CheckpointKey],
    progress: Progress | None = None,
) -> SignedCheckpoint:
    """Bring a folder up to a signed checkpoint; return it. Safe to break off and to repeat.

    1. The folder's own checkpoint, if it has one, is of the same log. 2. Tiles and bundles that it
    lacks are written; new entries must have the hashes of their tile, new full tiles those of the
    level above. 3. The files lead to the root that was signed, and so did the folder's own
    checkpoint's. 4. The checkpoint is replaced.

    Args:
        folder: made when it is not there.
        note: the signed checkpoint's bytes.
        source: of the same ledger.
        keys: the ledger's checkpoint keys, by position.
        progress: told now and then.

    Raises:
        CorruptionError: `checkpoint-inconsistent`, `leaf-mismatch` or `tile-mismatch`; the folder's
            checkpoint stays.
        EnvironmentRefusedError: the folder cannot be written, or is another log's.
        SigningError: the note is no checkpoint by the key in force at its size.
    """
    signed = verify_in_force(note, keys)
    size = signed.checkpoint.size
    try:
        before = _read_before(folder, keys)
        files = TileFolder(folder, size)
        since = before.size if before is not None else 0
        if since > size:
            raise CorruptionError(
                "checkpoint-inconsistent", size, f"the folder has a checkpoint of {since} entries"
            )
        for tile in tiles_of(size, since=since):
            _write_tile(files.path(tile), tile, source)
            if progress is not None:
                progress(min(tile.leaves, size), size)
        _check_new(files, size, since)
        _check_root(files, signed.checkpoint)
        if before is not None:
            _check_root(files, before)
        _replace(folder / CHECKPOINT_FILE, note)
    except OSError as error:
        raise EnvironmentRefusedError(f"cannot export to {folder}: {error.strerror}") from None
    return signed


def _read_before(folder: Path, keys: Sequence[CheckpointKey]) -> Checkpoint | None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CHECKPOINT_FILE
    if not path.exists():
        return None
    try:
        return verify_in_force(path.read_bytes(), keys).checkpoint
    except SigningError as error:
        raise EnvironmentRefusedError(
            f"{path} is no checkpoint of this ledger ({error.code})"
        ) from None


def _write_tile(path: Path, tile: Tile, source: TileSource) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_once(path, source.read(tile))


def _check_new(files: TileFolder, size: int, since: int) -> None:
    """Compare each new bundle with its tile, each new full tile with the level above it."""
    for tile in tiles_of(size, since=since):
        if tile.is_bundle:
            hashes = [leaf_hash(entry) for entry in decode_bundle(files.path(tile).read_bytes())]
            start = tile.number * TILE_WIDTH
            if hashes != list(files.leaf_hashes(start, start + tile.width)):
                raise CorruptionError("leaf-mismatch", start, "entries do not have these hashes")
        elif tile.width == TILE_WIDTH:
            start = tile.number * TILE_WIDTH
            row = files.tile_hashes(tile.level, start, start + TILE_WIDTH)
            (above,) = files.tile_hashes(tile.level + 1, tile.number, tile.number + 1)
            if _fold(row) != above:
                raise CorruptionError(
                    "tile-mismatch", start << (8 * tile.level), "a tile is not that of its hashes"
                )


def _fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over the 256 hashes of a full tile."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def _check_root(files: TileFolder, checkpoint: Checkpoint) -> None:
    if root_at(files, checkpoint.size) != checkpoint.root:
        raise CorruptionError(
            "checkpoint-inconsistent",
            checkpoint.size - 1,
            f"the tiles do not lead to the root signed at {checkpoint.size} entries",
        )


def _write_once(path: Path, data: bytes) -> None:
    """Write a new file whole, or leave the one that is there."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    _write(aside, data)
    try:
        path.hardlink_to(aside)  # unlike a rename, this never replaces a file
    except FileExistsError:
        pass
    finally:
        aside.unlink()


def _replace(path: Path, data: bytes) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    _write(aside, data)
    aside.replace(path)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
