"""`/v1/records`: the current record, the record as of any moment, and its history."""

from fastapi import APIRouter
from starlette.responses import Response

from api.auth import CLINICAL_READERS, FINDERS
from api.bodies import JsonResponse, json_response
from api.parameters import AsOf, IdentifierValue, MinPosition, StreamId
from api.services import Caller, Given
from projections.record_queries import record_page, records_by_identifier
from projections.replay import history_page, record_as_of, resolve_as_of

router = APIRouter()


@router.get("/v1/records", response_model=None)
def find_records(identifier: IdentifierValue, services: Given, principal: Caller) -> Response:
    """Find records by an identifier, such as the hospital's record number."""
    principal.require(FINDERS)
    with services.readers.views() as views:
        return json_response({"records": records_by_identifier(views, identifier)})


@router.get("/v1/records/{record_id}", response_model=None)
def read_record(
    record_id: StreamId,
    services: Given,
    principal: Caller,
    as_of: AsOf = None,
    min_position: MinPosition = None,
) -> Response:
    """Read a record as it stands, or as it stood right after a position or time (`as_of`).

    The current record comes from the views, which follow the ledger within moments;
    `min_position` waits until they have reached a position, such as a receipt's.
    """
    principal.require(CLINICAL_READERS)
    if as_of is not None:
        with services.readers.reader() as reader:
            position = resolve_as_of(reader, as_of)
            return JsonResponse(record_as_of(reader, record_id, position))
    with services.readers.views(min_position) as views:
        return JsonResponse(record_page(views, record_id))


@router.get("/v1/records/{record_id}/history", response_model=None)
def read_history(
    record_id: StreamId, services: Given, principal: Caller, as_of: AsOf = None
) -> Response:
    """Read every event of a record in order, who signed it and what it changed."""
    principal.require(CLINICAL_READERS)
    with services.readers.reader() as reader:
        position = None if as_of is None else resolve_as_of(reader, as_of)
        return JsonResponse(history_page(reader, record_id, position))
