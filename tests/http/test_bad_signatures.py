"""Bad signatures and keys: each refused with a clear error, and nothing is stored."""

import base64
import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.submitted import SubmittedEvent
from signing.base64url import encode_base64url
from signing.container import sign_container, signing_input
from signing.keys import SoftKey
from tests.builders_resources import an_id
from tests.builders_rules import REGISTRAR, proved_key
from tests.http.refusals import a_note, refused, replacing, resigned
from tests.http.served import Served, codes
from tests.live import LiveHospital

ES256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


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
