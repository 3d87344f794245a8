"""`GET /v1/ledger`: which ledger this is. Public, as its head and checkpoint key are."""

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from api.bodies import json_response
from api.ledger_schemas import CheckpointKeyInfo, EventTypeInfo, LedgerInfo, LedgerKeys, Succeeded
from api.schemas import TreeHead
from api.services import Given
from ledger.catalogue import CATALOGUE
from signing.statement import format_time_ms

router = APIRouter()


@router.get("/v1/ledger", response_model=None)
async def read_ledger(services: Given) -> Response:
    """Tell the ledger's origin, genesis, keys, clock and event types, and a recent head.

    The head is refreshed at most once a second. It is what the next statement names as `seen`.
    """
    directory = services.sequencer.directory
    head = services.heads.told()
    info = LedgerInfo(
        origin=services.origin,
        facility=directory.facility,
        genesis=services.genesis,
        keys=LedgerKeys(
            checkpoint=directory.checkpoint_key,
            checkpoints=tuple(
                CheckpointKeyInfo(key=key.vkey, position=key.position)
                for key in directory.checkpoint_keys
            ),
        ),
        clock=format_time_ms(services.clock.now_ms()),
        head=TreeHead(size=head.size, root=head.root.hex()),
        types=_TYPES,
        succeeds=None
        if directory.succeeds is None
        else msgspec.convert(directory.succeeds, Succeeded, from_attributes=True),
        successor=services.successor,
    )
    return json_response(info)


_TYPES = tuple(
    EventTypeInfo(
        type=kind.tag,
        stream_kinds=tuple(sorted(kind.stream_kinds)),
        media_type=kind.media_type,
        content=kind.content,
        authors=tuple(sorted(kind.authors)),
    )
    for kind in CATALOGUE.values()
)
