"""`GET /v1/me`: who the bearer of the token is to this ledger."""

from fastapi import APIRouter
from starlette.responses import Response

from api.bodies import json_response
from api.schemas import Me
from api.services import Caller
from signing.statement import format_time_ms

router = APIRouter()


@router.get("/v1/me", response_model=None)
async def read_me(principal: Caller) -> Response:
    """Tell the principal's staff id, kind, present roles and key."""
    me = Me(
        staff=principal.staff,
        kind=principal.kind,
        roles=tuple(sorted(principal.roles)),
        key_id=principal.key_id,
        expires_at=format_time_ms(principal.expires_at * 1000),
    )
    return json_response(me)
