"""Offer events that must be refused, and check that nothing of them is stored or told."""

from collections.abc import Callable
from typing import Any

import httpx2
import msgspec

from ledger.submitted import SubmittedEvent
from signing.container import sign_container
from tests.http.served import Served

Change = Callable[[bytes], bytes]


def refused(served: Served, event: SubmittedEvent, staff: str | None = None) -> httpx2.Response:
    """Post an event that must not be stored; check that it is not, and that no name leaks."""
    size = served.size
    answer = served.append(event, staff)
    assert served.size == size
    assert answer.headers["content-type"] == "application/problem+json"
    for secret in ("Nguy", "tỉnh", "001080012345"):
        assert secret not in answer.text
    return answer


def a_note(served: Served, **members: Any) -> SubmittedEvent:  # noqa: ANN401 - of a statement
    """Return a good event that is never stored."""
    hospital = served.hospital
    return hospital.signed("note-written.v1", hospital.note("never stored"), **members)


def resigned(served: Served, event: SubmittedEvent, change: Change) -> SubmittedEvent:
    """Return the event with another statement, well signed by the doctor."""
    statement = change(event.statement)
    key = served.hospital.key_of(served.hospital.doctor)
    return msgspec.structs.replace(
        event, statement=statement, container=sign_container(key, statement)
    )


def replacing(old: bytes, new: bytes) -> Change:
    """Return a change that must find what it replaces."""

    def change(statement: bytes) -> bytes:
        assert old in statement
        return statement.replace(old, new)

    return change
