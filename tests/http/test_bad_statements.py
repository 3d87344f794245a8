"""Bad statements: each refused with a clear error, and nothing is stored."""

import json
from typing import Any

import msgspec
import pytest

from ledger.submitted import SubmittedEvent
from tests.builders_resources import an_id, encounter, practitioner
from tests.builders_rules import FACILITY, REGISTRAR, SECOND_REGISTRAR, founding
from tests.http.refusals import Change, a_note, refused, replacing, resigned
from tests.http.served import Served, codes


def reordered(statement: bytes) -> bytes:
    """Return the statement with its members in the opposite order."""
    members: dict[str, Any] = json.loads(statement)
    return json.dumps(dict(reversed(members.items())), separators=(",", ":")).encode()


FORMAT = b'"format":"clinledger/statement/v1",'
MALFORMED = "statement-malformed"
OTHER_SPELLING = "statement-not-canonical"
STATEMENTS: list[tuple[str, Change, str]] = [
    ("a key twice", replacing(FORMAT, FORMAT + FORMAT), OTHER_SPELLING),
    ("keys reordered", reordered, OTHER_SPELLING),
    ("white space", replacing(b'","ledger"', b'", "ledger"'), OTHER_SPELLING),
    ("a line feed at the end", lambda statement: statement + b"\n", OTHER_SPELLING),
    ("a float", replacing(b'"size":', b'"size":1.5e0,"size":'), MALFORMED),
    ("a whole float", lambda s: _with_size(s, b"%d.0"), MALFORMED),
    ("null", replacing(b'"seen":', b'"refs":null,"seen":'), MALFORMED),
    ("an escape", replacing(b'"note-written', b'"\\u006eote-written'), OTHER_SPELLING),
    ("not ASCII", replacing(b"note-written", "note-wrítten".encode()), MALFORMED),
    ("an unknown member", replacing(b'"type":', b'"title":"x","type":'), MALFORMED),
    ("no milliseconds", lambda s: _with_time(s, b"2026-11-20T03:00:00Z"), MALFORMED),
    ("an offset", lambda s: _with_time(s, b"2026-11-20T03:00:00.000+07:00"), MALFORMED),
    ("31 February", lambda s: _with_time(s, b"2026-02-31T03:00:00.000Z"), MALFORMED),
    ("a leap second", lambda s: _with_time(s, b"2016-12-31T23:59:60.000Z"), MALFORMED),
    ("too long", lambda s: s[:-1] + b" " * 16_384 + b"}", "statement-too-large"),
    ("nested deep", lambda s: s.replace(b'"type":', b'"a":' + b"[" * 9_000), MALFORMED),
    ("no JSON", lambda _: b"note", MALFORMED),
    ("nothing", lambda _: b"", MALFORMED),
    ("another kind of format", replacing(b"statement/v1", b"statement/v2"), MALFORMED),
]


def _with_size(statement: bytes, form: bytes) -> bytes:
    size = json.loads(statement)["content"]["size"]
    return statement.replace(b'"size":%d}' % size, b'"size":' + form % size + b"}", 1)


def _with_time(statement: bytes, time: bytes) -> bytes:
    occurred_at = json.loads(statement)["occurred_at"].encode()
    return statement.replace(b'"occurred_at":"' + occurred_at, b'"occurred_at":"' + time)


@pytest.mark.parametrize(
    ("change", "code"),
    [(change, code) for _, change, code in STATEMENTS],
    ids=[name for name, _, _ in STATEMENTS],
)
def test_a_statement_in_any_other_spelling_is_refused(
    shared: Served, change: Change, code: str
) -> None:
    """Bad input, statements: one spelling only, whoever signed the other one."""
    answer = refused(shared, resigned(shared, a_note(shared), change))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:clinledger:problem:submission-rejected"
    assert codes(answer)[0][1] == code


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"ledger": "other.example/ledger"}, 422, "origin-mismatch"),
        ({"stream_kind": "patient"}, 422, "stream-kind"),
        ({"type": "note-burnt.v1"}, 422, "type-unknown"),
        ({"type": "record-archived.v1"}, 422, "type-reserved"),
        ({"key_id": "ab" * 32}, 409, "key-not-valid"),
        ({"signed_at": "2999-01-01T00:00:00.000Z"}, 422, "clock-ahead"),
        ({"seen": msgspec.UNSET}, 422, "seen-missing"),
        ({"seen": {"root": "00" * 32, "size": 5}}, 422, "seen-inconsistent"),
        ({"seen": {"root": "00" * 32, "size": 10_000_000}}, 422, "seen-inconsistent"),
    ],
)
def test_a_statement_for_another_place_is_refused(
    shared: Served, members: dict[str, Any], status: int, code: str
) -> None:
    """Bad input: wrong origin, kind, type, key, stream, clock; `seen` of another history."""
    changes = members

    def change(statement: bytes) -> bytes:
        fields: dict[str, Any] = {**json.loads(statement), **changes}
        known = {name: value for name, value in fields.items() if value is not msgspec.UNSET}
        return json.dumps(known, sort_keys=True, separators=(",", ":")).encode()

    answer = refused(shared, resigned(shared, a_note(shared), change))
    assert (answer.status_code, codes(answer)[0][1]) == (status, code)


def test_a_ledger_is_founded_once(shared: Served) -> None:
    """Bad input: a second `ledger-founded`, into the same facility or another stream."""
    hospital = shared.hospital
    for name in (FACILITY, an_id("another facility")):
        event = hospital.signed(
            "ledger-founded.v1",
            founding(hospital),
            stream=name,
            signer=REGISTRAR,
            event_id=an_id(f"founding {name}"),
        )
        answer = refused(shared, event, REGISTRAR)
        assert answer.status_code == 409, answer.text


def test_a_statement_replayed_into_another_record_is_refused(served: Served) -> None:
    """Bad input: a statement belongs to its stream; its signature covers the stream's name."""
    hospital = served.hospital
    other = an_id("other record")
    opened = hospital.signed("record-opened.v1", encounter(other, hospital.patient), stream=other)
    assert served.append(opened).status_code == 201
    event = a_note(served)
    moved = msgspec.structs.replace(
        event, statement=event.statement.replace(hospital.record.encode(), other.encode())
    )
    answer = refused(served, moved)
    assert (answer.status_code, codes(answer)) == (422, [("/signature", "signature-invalid")])
    resent = resigned(served, event, lambda s: s.replace(hospital.record.encode(), other.encode()))
    answer = refused(served, resent)
    assert (answer.status_code, codes(answer)[0][1]) == (422, "encounter-mismatch")


def test_a_record_that_was_never_opened_takes_nothing(served: Served) -> None:
    """Bad input: no stream comes into being by the way."""
    hospital = served.hospital
    hospital.record = an_id("nowhere")
    hospital.stream(hospital.record).kind = "record"
    answer = refused(served, a_note(served))
    assert (answer.status_code, codes(answer)) == (409, [("/stream", "stream-unknown")])


def test_the_last_administrator_cannot_be_withdrawn(served: Served) -> None:
    """Bad input: a facility is never without an administrator and a registrar."""
    hospital = served.hospital

    def withdrawal(staff: str) -> SubmittedEvent:
        content = json.dumps({"role": "administrator", "reason": "left"}).encode()
        return hospital.signed("role-withdrawn.v1", content, stream=staff, signer=REGISTRAR)

    for staff in (REGISTRAR, SECOND_REGISTRAR):
        enrolled = hospital.signed(
            "practitioner-enrolled.v1", practitioner(staff), stream=staff, signer=REGISTRAR
        )
        assert served.append(enrolled, REGISTRAR).status_code == 201
        hospital.position += 1
    first = served.append(withdrawal(SECOND_REGISTRAR), REGISTRAR)
    hospital.position += 1
    assert first.status_code == 201, first.text
    answer = refused(served, withdrawal(REGISTRAR), REGISTRAR)
    assert (answer.status_code, codes(answer)[0][1]) == (409, "last-administrator")
