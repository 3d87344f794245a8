"""Bad statements, keys and signatures: each refused with a clear error, and nothing is stored."""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx2
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.submitted import SubmittedEvent
from signing.base64url import encode_base64url
from signing.container import sign_container, signing_input
from signing.keys import SoftKey
from tests.builders_resources import an_id, encounter, practitioner
from tests.builders_rules import FACILITY, REGISTRAR, SECOND_REGISTRAR, founding, proved_key
from tests.http.served import Served, codes
from tests.live import LiveHospital

Change = Callable[[bytes], bytes]
ES256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def refused(served: Served, event: SubmittedEvent, staff: str | None = None) -> httpx2.Response:
    """Post an event that must not be stored; check that it is not, and that no name leaks."""
    size = served.size
    answer = served.append(event, staff)
    assert served.size == size
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Nguy" not in answer.text
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


def _container(alg: str, header: bytes, signature: bytes) -> bytes:
    del alg
    value = encode_base64url(header) + b".." + signature
    return b'{"format":"jws","value":"' + value + b'"}'


def _with_header(served: Served, event: SubmittedEvent, header: bytes) -> SubmittedEvent:
    """Return the event, its container signed under another protected header."""
    key = served.hospital.key_of(served.hospital.doctor)
    signature = key.sign(encode_base64url(header) + b"." + event.statement)
    return msgspec.structs.replace(
        event, container=_container("ES256", header, encode_base64url(signature))
    )


GOOD_HEADER = b'{"alg":"ES256","b64":false,"crit":["b64"],"typ":"clinledger-statement"}'


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"none","b64":false,"crit":["b64"],"typ":"clinledger-statement"}',
        b'{"alg":"ES256","b64":false,"crit":[],"typ":"clinledger-statement"}',
        b'{"alg":"ES256","b64":false,"crit":["b64"],"kid":"x","typ":"clinledger-statement"}',
        b'{"alg":"ES256","b64":false,"crit":["b64"],"typ":"clinledger-token"}',
        b'{"alg":"ES256","crit":["b64"],"typ":"clinledger-statement"}',
        b'{"alg":"HS256","b64":false,"crit":["b64"],"typ":"clinledger-statement"}',
        b'{"typ":"clinledger-statement","alg":"ES256","b64":false,"crit":["b64"]}',
    ],
)
def test_any_other_protected_header_is_refused(shared: Served, header: bytes) -> None:
    """Bad input: `none`, extra members, empty `crit`, another typ; the right one is taken."""
    event = a_note(shared)
    answer = refused(shared, _with_header(shared, event, header))
    assert (answer.status_code, codes(answer)) == (422, [("/signature", "container-header")])
    key = shared.hospital.key_of(shared.hospital.doctor)
    good = _with_header(shared, event, GOOD_HEADER)
    assert signing_input(key.alg, event.statement).startswith(encode_base64url(GOOD_HEADER))
    assert good.container == event.container


@pytest.mark.parametrize(
    ("container", "code"),
    [
        (b"", "container-malformed"),
        (b"{}", "container-malformed"),
        (b'{"format":"jws","value":"e30..AA","x":1}', "container-malformed"),
        (b'{"format":"cades","value":"e30..AA"}', "container-malformed"),
        (b" " * 5_000, "container-too-large"),
    ],
)
def test_a_malformed_container_is_refused(shared: Served, container: bytes, code: str) -> None:
    """Bad input: malformed signatures."""
    event = msgspec.structs.replace(a_note(shared), container=container)
    answer = refused(shared, event)
    assert (answer.status_code, codes(answer)) == (422, [("/signature", code)])


@pytest.mark.parametrize("spoil", [b"A", b"AAAA", b"A" * 86, b"!" * 86, b"A" * 87])
def test_a_malformed_signature_is_refused(shared: Served, spoil: bytes) -> None:
    """Bad input: signatures too short, too long, zero, or no base64url."""
    container = _container("ES256", GOOD_HEADER, spoil)
    answer = refused(shared, msgspec.structs.replace(a_note(shared), container=container))
    assert answer.status_code == 422
    assert codes(answer)[0][1] in {"container-malformed", "signature-invalid"}


def test_a_signature_by_another_person_is_refused(shared: Served) -> None:
    """Bad input: the nurse signs what says the doctor did, and the other way round."""
    hospital = shared.hospital
    event = a_note(shared)
    nurse = hospital.key_of(hospital.nurse)
    forged = msgspec.structs.replace(event, container=sign_container(nurse, event.statement))
    answer = refused(shared, forged)
    assert (answer.status_code, codes(answer)) == (422, [("/signature", "signature-invalid")])

    def claim(statement: bytes) -> bytes:
        members = {**json.loads(statement), "signer": hospital.nurse}
        return json.dumps(members, sort_keys=True, separators=(",", ":")).encode()

    answer = refused(shared, resigned(shared, event, claim), hospital.nurse)
    assert (answer.status_code, codes(answer)[0][1]) == (409, "key-not-valid")


def test_another_algorithm_than_the_keys_is_refused(shared: Served) -> None:
    """Bad input: algorithm swaps, in the statement and in the header."""
    event = a_note(shared)
    swapped = resigned(shared, event, replacing(b'"alg":"ES256"', b'"alg":"ES384"'))
    answer = refused(shared, swapped)
    assert (answer.status_code, codes(answer)[0][1]) == (409, "key-not-valid")
    header = GOOD_HEADER.replace(b"ES256", b"EdDSA")
    answer = refused(shared, _with_header(shared, event, header))
    assert (answer.status_code, codes(answer)) == (422, [("/signature", "signature-algorithm")])


def test_a_key_not_yet_enrolled_is_refused_and_after_enrolment_taken(served: Served) -> None:
    """Bad input: a not-yet-enrolled key; the same author signs well once it is enrolled."""
    hospital = served.hospital
    old, new = hospital.key_of(hospital.doctor), SoftKey.generate("ES384")
    hospital.keys[hospital.doctor] = new
    early = a_note(served)
    hospital.keys[hospital.doctor] = old
    answer = refused(served, early)
    assert (answer.status_code, codes(answer)[0][1]) == (409, "key-not-valid")
    content = proved_key(new, hospital.doctor, served.nonce(hospital.doctor))
    enrol = hospital.signed("key-enrolled.v1", content, stream=hospital.doctor, signer=REGISTRAR)
    assert served.append(enrol, REGISTRAR).status_code == 201
    assert served.append(early).status_code == 201


def test_a_revoked_key_is_refused(served: Served) -> None:
    """Bad input: a revoked key signs nothing more, whoever submits it."""
    hospital = served.hospital
    event = a_note(served)
    revoke(hospital, served, hospital.doctor)
    answer = refused(served, event, hospital.monitor)
    assert (answer.status_code, codes(answer)[0][1]) == (409, "key-not-valid")


def revoke(hospital: LiveHospital, served: Served, staff: str) -> None:
    """Revoke a member's key."""
    content = {"key_id": hospital.key_of(staff).key_id, "reason": "lost"}
    event = hospital.signed(
        "key-revoked.v1", json.dumps(content).encode(), stream=staff, signer=REGISTRAR
    )
    answer = served.append(event, REGISTRAR)
    assert answer.status_code == 201, answer.text


def test_the_high_s_twin_of_a_signature_is_the_same_event(served: Served) -> None:
    """Bad input: tokens may produce high s; it is no second entry."""
    event = a_note(served)
    first = served.append(event)
    size = served.size
    raw = base64.urlsafe_b64decode(event.container.split(b"..")[1][:-2] + b"==")
    r, s = raw[:32], int.from_bytes(raw[32:])
    twin = encode_base64url(r + (ES256_ORDER - s).to_bytes(32))
    again = served.append(
        msgspec.structs.replace(event, container=_container("ES256", GOOD_HEADER, twin))
    )
    assert (again.status_code, again.json()) == (200, first.json())
    assert served.size == size


def test_a_possession_proof_serves_once_and_only_over_a_fresh_nonce(served: Served) -> None:
    """Bad input: a proof replayed, made over the client's own nonce, or made from a statement."""
    hospital = served.hospital

    def enrolment(content: Any, name: str) -> SubmittedEvent:  # noqa: ANN401 - JSON
        return hospital.signed(
            "key-enrolled.v1",
            content,
            stream=hospital.nurse,
            signer=REGISTRAR,
            event_id=an_id(name),
        )

    nonce = served.nonce(hospital.nurse)
    own = proved_key(SoftKey.generate("ES256"), hospital.nurse, "a nonce of my own")
    answer = refused(served, enrolment(own, "own nonce"), REGISTRAR)
    assert (answer.status_code, codes(answer)) == (422, [("/content", "nonce-unknown")])
    first = enrolment(proved_key(SoftKey.generate("ES256"), hospital.nurse, nonce), "first")
    assert served.append(first, REGISTRAR).status_code == 201
    again = enrolment(proved_key(SoftKey.generate("ES256"), hospital.nurse, nonce), "again")
    answer = refused(served, again, REGISTRAR)
    assert (answer.status_code, codes(answer)[0][1]) == (409, "possession-replayed")
    statement = a_note(served)
    made_of = {**own, "possession": statement.container.decode()}
    answer = refused(served, enrolment(made_of, "statement"), REGISTRAR)
    assert (answer.status_code, codes(answer)[0][1]) == (422, "possession-malformed")


def test_a_nonce_is_for_one_member_only(served: Served) -> None:
    """A proof over another member's nonce is no proof."""
    hospital = served.hospital
    nonce = served.nonce(hospital.doctor)
    content = proved_key(SoftKey.generate("ES256"), hospital.nurse, nonce)
    event = hospital.signed("key-enrolled.v1", content, stream=hospital.nurse, signer=REGISTRAR)
    answer = refused(served, event, REGISTRAR)
    assert (answer.status_code, codes(answer)) == (422, [("/content", "nonce-unknown")])


def test_a_weak_key_is_not_enrolled(served: Served) -> None:
    """Bad input: a key of a curve that no algorithm has."""
    hospital = served.hospital
    odd = ec.generate_private_key(ec.SECP521R1()).public_key()
    spki = odd.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    content = proved_key(SoftKey.generate("ES256"), hospital.nurse, served.nonce(hospital.nurse))
    content["spki"] = base64.b64encode(spki).decode()
    event = hospital.signed("key-enrolled.v1", content, stream=hospital.nurse, signer=REGISTRAR)
    answer = refused(served, event, REGISTRAR)
    assert (answer.status_code, codes(answer)) == (422, [("/spki", "key-curve")])


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
