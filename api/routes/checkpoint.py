"""`GET /checkpoint` and `GET /tile/...`: the published log (c2sp.org/tlog-tiles). Public."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from api.services import Given
from ledger.checkpointing.table import CheckpointTable, StoredCheckpoint
from ledger.errors import NotFoundError
from ledger.reader import LedgerReader
from ledger.tiles import StoredTiles, parse_tile_path

router = APIRouter()

_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_SECONDS: Final = {"Cache-Control": "public, max-age=5", "X-Content-Type-Options": "nosniff"}
_FOR_EVER: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/checkpoint", response_model=None)
def read_checkpoint(services: Given) -> Response:
    """Return the newest published checkpoint: a signed note with the witnesses' cosignatures.

    404 before the first one is published.
    """
    with services.readers.reader() as reader:
        published = _published(reader)
    if published is None:
        raise NotFoundError("checkpoint-unknown", detail="nothing was published yet")
    return Response(published.note, media_type=_TEXT, headers=_SECONDS)


@router.get("/tile/{path:path}", response_model=None)
def read_tile(path: str, services: Given) -> Response:
    """Return a tile of hashes (`<L>/<N>[.p/<W>]`) or a bundle of entries (`entries/<N>[.p/<W>]`).

    Only of the tree that the newest published checkpoint signs; such bytes never change.
    """
    tile = parse_tile_path(path)
    with services.readers.reader() as reader:
        published = _published(reader)
        if published is None or tile.leaves > published.size:
            raise NotFoundError("tile-unknown", detail="not in the published tree")
        store = reader.store
        data = StoredTiles(store, store.connection, store.database).read(tile)
    return Response(data, media_type=_BYTES, headers=_FOR_EVER)


def _published(reader: LedgerReader) -> StoredCheckpoint | None:
    store = reader.store
    return CheckpointTable(store.connection, store.database, "publication").newest()
