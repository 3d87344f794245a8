"""`POST /v1/statements`: prepare a statement for an author to sign."""

import base64
import secrets
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api.auth import Principal
from api.bodies import MAX_EVENT_BYTES, decode_body, json_response, read_body
from api.errors import BodyInvalidError
from api.event_json import content_bytes
from api.schemas import PreparedStatement, StatementDraft
from api.services import Caller, Given, Services
from ledger.catalogue import event_type
from ledger.content import SALT_BYTES
from ledger.draft import Draft, build_statement
from ledger.facts import read_facts
from ledger.ids import new_id
from ledger.jsontext import check_json_text
from signing.container import signing_input
from signing.statement import Seen, parse_statement, parse_time_ms

router = APIRouter()
_draft: Final = msgspec.json.Decoder(StatementDraft)


async def _body(request: Request, _: Caller) -> bytes:
    return await read_body(request, MAX_EVENT_BYTES)


@router.post("/v1/statements", response_model=None)
def prepare_statement(
    body: Annotated[bytes, Depends(_body)], services: Given, principal: Caller
) -> Response:
    """Build the statement of a draft, for its author to check and sign.

    The content is checked as at submission, so that nobody signs what would be refused for its
    form. Nothing is stored. The statement names the head of `GET /v1/ledger` as `seen`.
    """
    draft = decode_body(_draft, body)
    content = content_bytes(draft.content, draft.content_encoding)
    check_json_text(content)
    signer, key_id, alg = _signer(services, principal, draft)
    now_ms = services.clock.now_ms()
    head = services.heads.told()
    salt = secrets.token_bytes(SALT_BYTES)
    statement = build_statement(
        _event(draft, content, now_ms=now_ms),
        origin=services.origin,
        signer_staff=signer,
        key=(key_id, alg),
        seen=Seen(root=head.root.hex(), size=head.size),
        salt=salt,
        signed_at_ms=now_ms,
    )
    parsed = parse_statement(statement)
    read_facts(parsed, content)
    return json_response(
        PreparedStatement(
            statement=statement.decode(),
            salt=base64.b64encode(salt).decode(),
            signing_input=base64.b64encode(signing_input(parsed.alg, statement)).decode(),
        )
    )


def _event(draft: StatementDraft, content: bytes, *, now_ms: int) -> Draft:
    """Fill in what the client left to us: event_id, time and media type."""
    return Draft(
        stream=draft.stream,
        stream_kind=draft.stream_kind,
        event_id=draft.event_id or new_id(),
        type=draft.type,
        occurred_at_ms=now_ms if draft.occurred_at is None else _time(draft.occurred_at),
        media_type=draft.media_type or event_type(draft.type).media_type,
        content=content,
        refs=draft.refs,
    )


def _time(text: str) -> int:
    try:
        return parse_time_ms(text)
    except ValueError:
        raise BodyInvalidError("value-invalid", "/occurred_at", "no date of the calendar") from None


def _signer(
    services: Services, principal: Principal, draft: StatementDraft
) -> tuple[str, str, str]:
    """Return who will sign, with which key and algorithm; by default the principal's own."""
    if (draft.signer is None) != (draft.key_id is None):
        raise BodyInvalidError("signer-incomplete", "/signer", "give signer and key_id, or neither")
    signer, key_id = draft.signer or principal.staff, draft.key_id or principal.key_id
    key = services.sequencer.directory.key_for(key_id)
    if key is None or key.staff != signer or key.revoked_at_position is not None:
        raise BodyInvalidError("key-not-valid", "/key_id", "not a valid key of this signer")
    return signer, key_id, key.alg
