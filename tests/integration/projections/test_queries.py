"""What readers get from the views."""

import base64
from typing import Any, LiteralString, cast

import msgspec
import pytest
from psycopg import sql

from ledger.errors import NotFoundError, RejectedError
from projections import check, patient_queries, record_queries, search_sql, staff_queries
from projections.errors import ProjectionFailedError
from projections.packing import pack
from projections.patient_queries import patient_page
from projections.record_queries import orders_by_identifier, record_page, records_by_identifier
from projections.replay import history, history_page, record_as_of, resolve_as_of
from projections.runner import Projector
from projections.staff_queries import staff_keys, staff_members
from projections.tables import views_query
from tests.builders_events import ORDER_NUMBER, RECORD_NUMBER
from tests.viewed_ledger import CLERK, ViewedLedger

UNKNOWN = "019a0000-0000-7000-8000-0000000000ff"


@pytest.fixture
def record(viewed: ViewedLedger, projector: Projector) -> str:
    """A record in projected views."""
    found = viewed.fill()
    viewed.save()
    projector.catch_up()
    return found


def test_the_live_record_is_byte_for_byte_the_replayed_one(
    viewed: ViewedLedger, record: str
) -> None:
    assert record_page(viewed.views, record) == record_as_of(viewed.reader, record)


def test_a_record_as_of_a_position_is_what_the_view_showed_then(
    viewed: ViewedLedger, projector: Projector
) -> None:
    record = viewed.fill()
    shown: dict[int, bytes] = {}
    while (last := viewed.save(1)) not in shown:
        projector.catch_up()
        try:
            shown[last] = record_page(viewed.views, record)
        except NotFoundError:
            shown[last] = b""
    for position, page in shown.items():
        if page:
            assert record_as_of(viewed.reader, record, position) == page
        else:
            with pytest.raises(NotFoundError):
                record_as_of(viewed.reader, record, position)
    assert len({page for page in shown.values() if page}) == 10


@pytest.mark.parametrize("body", [b"", b"{}", pack(b"{}")[:-1]])
def test_a_damaged_item_is_refused_not_shown(
    viewed: ViewedLedger, record: str, body: bytes
) -> None:
    query = "UPDATE ledger_views_1.record_item SET body = %(body)s WHERE section = 'orders'"
    viewed.connection.execute(query, {"body": body})
    with pytest.raises(ProjectionFailedError, match="is damaged"):
        record_page(viewed.views, record)
    patient = next(e for e in viewed.world.events if e.statement.stream_kind == "patient")
    with pytest.raises(ProjectionFailedError, match="is damaged"):
        patient_page(viewed.views, patient.statement.stream)


def test_the_patient_page_gathers_patient_and_records(viewed: ViewedLedger, record: str) -> None:
    patient = msgspec.json.decode(record_page(viewed.views, record))["patient"]
    page: dict[str, Any] = msgspec.json.decode(patient_page(viewed.views, patient))
    assert page["identity"]["resource"]["name"] == [{"text": "Nguyễn Thị Hải Yến"}]
    assert [found["record"] for found in page["records"]] == [record]
    assert len(page["notes"]) == 2
    assert len(page["allergies"]) == 1
    assert [found["code"] for found in page["latest_results"]] == ["2345-7"]


def test_records_and_orders_are_found_by_identifier(viewed: ViewedLedger, record: str) -> None:
    for text in ("BA-1", f"{RECORD_NUMBER}|BA-1"):
        found = records_by_identifier(viewed.views, text)
        assert [(hit.record, hit.status) for hit in found] == [(record, "closed")]
    assert records_by_identifier(viewed.views, "urn:other|BA-1") == []
    placed = [e for e in viewed.world.events if e.statement.type == "order-placed.v1"]
    for text, event, status in (
        ("XN-1", placed[0], "answered"),
        (f"{ORDER_NUMBER}|HIS-1", placed[0], "answered"),
        ("XN-2", placed[1], "active"),
    ):
        orders = orders_by_identifier(viewed.views, text)
        assert [(o.event_id, o.record, o.status) for o in orders] == [
            (event.event_id, record, status)
        ]


def test_a_staff_members_keys_are_shown_with_their_positions(
    viewed: ViewedLedger, record: str
) -> None:
    assert record
    keys = staff_keys(viewed.views, CLERK)
    assert [(key.alg, key.enrolled_at_position, key.revoked_at_position) for key in keys] == [
        ("ES256", 2, None)
    ]
    assert base64.b64decode(keys[0].spki) == b"third"
    members = staff_members(viewed.views, [CLERK, UNKNOWN])
    assert [(member.name, member.kind) for member in members] == [("Vũ Thị Lan", "practitioner")]


@pytest.mark.parametrize("name", [UNKNOWN, "", "no-uuid", UNKNOWN.upper()])
def test_what_the_ledger_does_not_have_is_not_found(
    viewed: ViewedLedger, record: str, name: str
) -> None:
    assert record
    for query in (record_page, patient_page, staff_keys):
        with pytest.raises(NotFoundError):
            query(viewed.views, name)
    with pytest.raises(NotFoundError):
        record_as_of(viewed.reader, name)


@pytest.mark.parametrize("identifier", ["\0", "urn:x\0|1", "\udc80"])
def test_what_no_content_can_hold_is_no_identifier(viewed: ViewedLedger, identifier: str) -> None:
    for query in (records_by_identifier, orders_by_identifier):
        with pytest.raises(RejectedError, match="identifier-malformed"):
            query(viewed.views, identifier)


def test_history_tells_every_event_of_the_record(viewed: ViewedLedger, record: str) -> None:
    lines = history(viewed.reader, record)
    events = [event for event in viewed.world.events if event.stream == record]
    assert [line.event_id for line in lines] == [event.event_id for event in events]
    page = msgspec.json.decode(history_page(viewed.reader, record, lines[3].position))
    assert [line["version"] for line in page["events"]] == [1, 2, 3, 4]


def test_as_of_takes_positions_and_times_inclusively(viewed: ViewedLedger, record: str) -> None:
    assert record
    last = len(viewed.world.events) - 1
    assert resolve_as_of(viewed.reader, "3") == 3
    # The first event was received at 2026-09-21T14:13:20.000Z, each other a second later.
    assert resolve_as_of(viewed.reader, "2026-09-21T14:13:19.999Z") == -1
    assert resolve_as_of(viewed.reader, "2026-09-21T14:13:20.000Z") == 0
    assert resolve_as_of(viewed.reader, "2026-09-21T14:13:23Z") == 3
    assert resolve_as_of(viewed.reader, "2030-01-01T00:00:00Z") == last
    for text, code in (
        ("yesterday", "as-of-malformed"),
        ("2026-02-31T00:00:00Z", "as-of-malformed"),
        (str(last + 1), "as-of-ahead"),
    ):
        with pytest.raises(RejectedError) as raised:
            resolve_as_of(viewed.reader, text)
        assert raised.value.code == code


def test_without_views_readers_are_told_to_rebuild(viewed: ViewedLedger) -> None:
    viewed.connection.execute(b"DROP SCHEMA ledger_views_1 CASCADE")
    with pytest.raises(ProjectionFailedError, match="rebuild"):
        record_page(viewed.views, UNKNOWN)


def test_every_query_fits_the_schema(viewed: ViewedLedger) -> None:
    modules = (check, patient_queries, record_queries, search_sql, staff_queries)
    texts = [
        value
        for module in modules
        for name, value in vars(module).items()
        if name.isupper() and name[0] != "_" and "{views}" in str(value) and "EXPLAIN" not in value
    ]
    assert len(texts) >= 9
    for text in texts:
        query = views_query(cast("LiteralString", text), viewed.database, 1)
        parameters = dict.fromkeys(_placeholders(text))
        viewed.connection.execute(sql.SQL("EXPLAIN {}").format(query), parameters)


def _placeholders(query: str) -> list[str]:
    return [part.partition(")")[0] for part in query.split("%(")[1:]]
