"""Health, metrics and logs: what operators see, and that none of it is about a patient."""

import io
import json
import logging
from collections.abc import Generator
from typing import Any

import pytest
import structlog

from api.logs import configure_logs
from tests.http.served import Served


@pytest.fixture
def log() -> Generator[io.StringIO]:
    """What servers that are made from now on log, as JSON lines."""
    stream = io.StringIO()
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    configure_logs(stream)
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers, logging.getLogger().level = handlers, level


@pytest.fixture
def logged(shared: Served, log: io.StringIO) -> Generator[Served]:
    """The shared hospital served a second time, by a server that logs to `log`."""
    del log  # only its order matters
    logged = Served(shared.hospital)
    yield logged
    logged.close()


def test_a_healthy_server_is_healthy_and_ready(shared: Served) -> None:
    """/healthz says that the process answers, /readyz that it can do its work."""
    assert shared.request("GET", "/healthz").json() == {"status": "ok"}
    ready = shared.request("GET", "/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ok", "checks": {"sequencer": "ok", "database": "ok"}}


def test_a_server_without_its_sequencer_is_not_ready(served: Served) -> None:
    """The balancer sends nobody to a server that cannot append."""
    served.live.stop()
    ready = served.request("GET", "/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["sequencer"] == "stopped"
    assert served.request("GET", "/healthz").status_code == 200
    served.live.start()


def test_metrics_count_appends_by_outcome_requests_by_route_and_the_views_lag(
    served: Served,
) -> None:
    """What Prometheus scrapes."""
    hospital = served.hospital
    event = hospital.signed("note-written.v1", hospital.note())
    served.append(event)
    served.append(event)
    served.append(hospital.signed("note-written.v1", hospital.note(form="37/BV2")))
    served.request("GET", "/v1/patients/of/nobody")
    text = served.request("GET", "/metrics").text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    for outcome in ("created", "repeated", "refused"):
        assert lines[f'clinledger_append_seconds_count{{outcome="{outcome}"}}'] == "1.0"
    route = 'clinledger_http_requests_total{method="POST",route="/v1/events",status="%d"}'
    assert [lines[route % status] for status in (201, 200, 409)] == ["1.0"] * 3
    unmatched = 'clinledger_http_requests_total{method="any",route="unmatched",status="404"}'
    assert lines[unmatched] == "1.0"
    assert float(lines["clinledger_head_size"]) == served.size
    assert float(lines["clinledger_projection_lag_events"]) == served.size
    served.project()
    text = served.request("GET", "/metrics").text
    assert "\nclinledger_projection_lag_events 0.0\n" in text


def test_logs_and_metrics_name_nobody(logged: Served, log: io.StringIO) -> None:
    """Promise 6: no ids of patients, no query strings, no names, whatever happens."""
    hospital = logged.hospital
    event_id = hospital.opened.statement.event_id
    logged.get(f"/v1/patients/{hospital.patient}")
    logged.get(f"/v1/records/{hospital.record}?as_of=3")
    logged.get("/v1/records?identifier=001080012345")
    logged.get(f"/v1/events/{event_id}")
    logged.get("/v1/events?after=Nguyen")
    logged.get(f"/v1/nowhere/{hospital.patient}")
    logged.post("/v1/patients/search", {"name": "Nguyễn"})
    logged.append(hospital.signed("note-written.v1", hospital.note("x", author=hospital.nurse)))
    text = log.getvalue()
    lines = [json.loads(line) for line in text.splitlines()]
    routes = [line["route"] for line in lines if line["event"] == "request"]
    assert routes == [
        "/v1/patients/{patient_id}",
        "/v1/records/{record_id}",
        "/v1/records",
        "/v1/events/{event_id}",
        "/v1/events",
        "unmatched",
        "/v1/patients/search",
        "/v1/events",
    ]
    told = text + logged.request("GET", "/metrics").text
    for secret in (hospital.patient, hospital.record, event_id, "001080012345", "Nguy", "?"):
        assert secret not in told


def test_an_unforeseen_error_is_answered_and_logged_without_its_message(
    log: io.StringIO, served: Served
) -> None:
    """The message of an unknown error may quote content; the log gets its type and places."""
    with served.live.database.connect("owner") as connection:
        connection.execute("ALTER TABLE ledger.entry RENAME TO gone")
        path = f"/v1/events/{served.hospital.opened.statement.event_id}"
        answer = served.get(path)
        connection.execute("ALTER TABLE ledger.gone RENAME TO entry")
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "urn:clinledger:problem:internal",
        "title": "The server made a mistake",
        "status": 500,
    }
    failed = json.loads(log.getvalue().splitlines()[0])
    assert (failed["error"], failed["sqlstate"]) == ("UndefinedTable", "42P01")
    assert failed["request_id"] == answer.headers["x-request-id"]
    assert "relation" not in log.getvalue()
    assert served.get(path).status_code == 200


def test_every_answer_names_its_request_and_what_it_is(log: io.StringIO, served: Served) -> None:
    """The hot routes, which pass none of FastAPI's layers, as the others."""
    event = served.hospital.signed("note-written.v1", served.hospital.note())
    answers = [served.append(event), served.get("/v1/me"), served.post("/v1/events", {})]
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    requests = [line["request_id"] for line in lines if line["event"] == "request"]
    assert [answer.headers["x-request-id"] for answer in answers] == requests
    assert {answer.headers["x-content-type-options"] for answer in answers} == {"nosniff"}
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert [answer.headers["content-length"] for answer in answers] == [
        str(len(answer.content)) for answer in answers
    ]
    types = [answer.headers["content-type"] for answer in answers]
    assert types == ["application/json", "application/json", "application/problem+json"]


def test_an_unforeseen_error_while_appending_is_answered_without_its_message(
    log: io.StringIO, served: Served
) -> None:
    """Around the hot routes lies the same net as around the others."""
    event = served.hospital.signed("note-written.v1", served.hospital.note())
    served.app.state.services = None
    answer = served.append(event)
    served.app.state.services = served.services
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:clinledger:problem:internal"
    failed = json.loads(log.getvalue().splitlines()[0])
    assert (failed["event"], failed["error"]) == ("request failed", "AttributeError")
    assert failed["request_id"] == answer.headers["x-request-id"]
    assert served.append(event).status_code == 201


def test_a_damaged_event_is_an_alarm_and_not_an_answer(log: io.StringIO, served: Served) -> None:
    """Promise 2: what does not meet its digest is never shown; other reads go on."""
    hospital = served.hospital
    event_id = hospital.opened.statement.event_id
    with served.live.database.connect("owner") as connection:
        connection.execute("ALTER TABLE ledger.sealed DISABLE TRIGGER USER")
        changed = connection.execute(
            "UPDATE ledger.sealed SET body = set_byte(body, 40, get_byte(body, 40) # 1) WHERE "
            "position = (SELECT position FROM ledger.entry WHERE event_id = %s)",
            [event_id],
        )
        assert changed.rowcount == 1
    answer = served.get(f"/v1/events/{event_id}")
    assert (answer.status_code, answer.json()["type"]) == (
        500,
        "urn:clinledger:problem:corruption",
    )
    assert "body-unreadable" in log.getvalue()
    assert "clinledger_corruption_total 1.0" in served.request("GET", "/metrics").text
    registered = hospital.registered.statement.event_id
    assert served.get(f"/v1/events/{registered}").status_code == 200


def test_a_database_that_is_gone_is_503_and_found_again(served: Served) -> None:
    """Reads come back with the server."""
    path = f"/v1/records/{served.hospital.record}/history"
    assert served.get(path).status_code == 200
    with served.live.database.connect("owner") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND datname = current_database()"
        )
    assert served.get(path).status_code in {200, 503}
    assert served.get(path).status_code == 200


def test_a_client_that_hangs_up_is_no_fault_of_the_server(logged: Served, log: io.StringIO) -> None:
    """Half a body and a broken connection: nothing is stored, and no alarm is raised."""
    token = logged.token(logged.hospital.doctor).encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/events",
        "query_string": b"",
        "headers": [
            (b"authorization", b"Bearer " + token),
            (b"content-type", b"application/json"),
        ],
    }
    received = iter(
        [
            {"type": "http.request", "body": b'{"statement":', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    sent: list[Any] = []

    async def receive() -> Any:  # noqa: ANN401 - ASGI messages
        return next(received)

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI messages
        sent.append(message)

    size = logged.size
    logged.live.run(logged.app(scope, receive, send))
    assert sent[0]["status"] == 400
    assert logged.size == size
    assert [json.loads(line)["event"] for line in log.getvalue().splitlines()] == ["request"]
