"""`GET /v1/orders`: find orders by their identifier."""

from fastapi import APIRouter
from starlette.responses import Response

from api.auth import FINDERS
from api.bodies import json_response
from api.parameters import IdentifierValue
from api.services import Caller, Given
from projections.record_queries import orders_by_identifier

router = APIRouter()


@router.get("/v1/orders", response_model=None)
def find_orders(identifier: IdentifierValue, services: Given, principal: Caller) -> Response:
    """Find orders by an identifier, such as the number on a specimen's label."""
    principal.require(FINDERS)
    with services.readers.views() as views:
        return json_response({"orders": orders_by_identifier(views, identifier)})
