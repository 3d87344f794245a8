"""`/v1/staff/{id}`: a member's keys, and nonces for the proof that a new key is in their hands."""

import base64
import secrets

from fastapi import APIRouter
from starlette.responses import Response

from api.bodies import json_response
from api.parameters import StreamId
from api.schemas import PossessionNonce, StaffKey, StaffKeys
from api.services import Caller, Given
from ledger.errors import NotFoundError
from ledger.roles import Role
from signing.statement import format_time_ms

router = APIRouter()
_NONCE_BYTES = 16
_ENROLLERS = frozenset[Role]({"registrar"})


@router.get("/v1/staff/{staff_id}/keys", response_model=None)
async def read_staff_keys(staff_id: StreamId, services: Given, _: Caller) -> Response:
    """List every key ever enrolled for a member of staff, with the positions of its validity.

    A key is valid from its enrolling position up to and including its revoking one.
    """
    directory = services.sequencer.directory
    if staff_id not in directory.staff:
        raise NotFoundError("staff-unknown", "/path/staff_id")
    keys = tuple(
        StaffKey(
            key_id=key.key_id,
            alg=key.alg,
            spki=base64.b64encode(key.spki).decode(),
            enrolled_at_position=key.enrolled_at_position,
            revoked_at_position=key.revoked_at_position,
            certificate=None
            if key.certificate is None
            else base64.b64encode(key.certificate).decode(),
        )
        for key in directory.keys_of(staff_id)
    )
    return json_response(StaffKeys(keys=keys))


@router.post("/v1/staff/{staff_id}/possession-nonces", status_code=201, response_model=None)
async def create_possession_nonce(
    staff_id: StreamId, services: Given, principal: Caller
) -> Response:
    """Issue a nonce over which a new key of this member proves that they hold it.

    For registrars, and for members themselves. It expires after ten minutes; that it serves only
    once is checked by the rules when the key is enrolled.
    """
    if principal.staff != staff_id:
        principal.require(_ENROLLERS)
    nonce, expires_at = services.nonces.issue(
        staff_id,
        randomness=secrets.token_bytes(_NONCE_BYTES),
        now_seconds=services.now_seconds(),
    )
    body = PossessionNonce(nonce=nonce, expires_at=format_time_ms(expires_at * 1000))
    return json_response(body, 201)
