"""A draft becomes the statement, signed event and nothing else."""

from typing import Any

import pytest

from ledger.content import check_content
from ledger.draft import build_statement, sign_event
from ledger.submitted import SubmittedEvent
from signing.container import verify_container
from signing.errors import MalformedKeyError, MalformedStatementError
from signing.statement import Ref, Seen, parse_statement
from tests.signed import (
    HASH,
    NOW_MS,
    ORIGIN,
    OTHER,
    SALT,
    STAFF,
    STREAM,
    draft,
    public_key,
    signed_event,
    soft_key,
)


def test_a_signed_event_passes_every_check_of_its_parts() -> None:
    event = signed_event("EdDSA")
    statement = parse_statement(event.statement)
    verify_container(event.container, event.statement, public_key("EdDSA"))
    check_content(statement.content, salt=event.salt, content=event.content)
    assert (statement.alg, statement.key_id) == ("EdDSA", soft_key("EdDSA").key_id)
    assert (statement.ledger, statement.signer, statement.stream) == (ORIGIN, STAFF, STREAM)
    assert statement.occurred_at == "2026-09-21T14:12:20.123Z"
    assert statement.signed_at == "2026-09-21T14:13:20.123Z"
    assert statement.seen == Seen(root=HASH, size=12)
    assert not statement.refs


def test_a_statement_is_built_for_a_key_that_is_elsewhere() -> None:
    key = soft_key("ES256")
    ref = Ref(event_id=OTHER, relation="answers", statement=HASH)
    common: dict[str, Any] = {
        "origin": ORIGIN,
        "signer_staff": STAFF,
        "salt": SALT,
        "signed_at_ms": NOW_MS,
    }
    here = build_statement(draft(refs=(ref,)), key=key, seen=None, **common)
    there = build_statement(draft(refs=(ref,)), key=(key.key_id, "ES256"), seen=None, **common)
    assert here == there
    statement = parse_statement(here)
    assert statement.refs == (ref,)
    assert not statement.seen


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(MalformedKeyError):
        build_statement(
            draft(),
            origin=ORIGIN,
            signer_staff=STAFF,
            key=(HASH, "none"),
            seen=None,
            salt=SALT,
            signed_at_ms=NOW_MS,
        )


@pytest.mark.parametrize(
    "change",
    [
        {"type": "note"},
        {"stream": "bed 7"},
        {"event_id": ""},
        {"media_type": "FHIR"},
        {"occurred_at_ms": 10**18},
        {"content": b""},
        {"content": bytes(1024 * 1024 + 1)},
        {"stream_kind": "ward"},
    ],
)
def test_a_draft_that_makes_no_statement_is_not_signed(change: dict[str, object]) -> None:
    with pytest.raises(MalformedStatementError):
        sign_event(
            draft(**change),
            soft_key("EdDSA"),
            origin=ORIGIN,
            signer_staff=STAFF,
            seen=None,
            salt=SALT,
            signed_at_ms=NOW_MS,
        )


def test_neither_drafts_nor_events_show_their_content() -> None:
    event = signed_event()
    assert repr(event) == "SubmittedEvent"
    assert repr(draft()) == "Draft(note-written.v1)"
    assert (
        SubmittedEvent(
            statement=event.statement, container=event.container, content=event.content, salt=SALT
        )
        == event
    )
