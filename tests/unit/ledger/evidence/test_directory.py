"""Keys, roles and names as the verifier derives them, event by event, without any ledger."""

# ruff: noqa: ANN401 - documents are of any type

import base64
import datetime as dt
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ledger.evidence.verify_evidence import (
    Directory,
    Event,
    RefusedError,
    certificate_facts,
    describe,
)
from signing.certificates import certified_spki
from signing.container import sign_container
from signing.errors import MalformedKeyError
from signing.keys import SoftKey
from signing.statement import ContentClaim, Seen, Statement, encode_statement, statement_digest
from signing.vkeys import ed25519_vkey

ORIGIN = "a.example/ledger"
VKEY = str(ed25519_vkey(ORIGIN, SoftKey.generate("EdDSA")))
REGISTRAR, DOCTOR, DEVICE, FACILITY = (
    f"01980000-0000-7000-8000-00000000000{number}" for number in range(1, 5)
)
SIGNED_AT = "2026-11-22T03:03:09.678Z"


def key_document(key: SoftKey, **members: Any) -> dict[str, Any]:
    """Return how a document states a key."""
    spki = base64.b64encode(key.spki).decode()
    return {"alg": key.alg, "possession": "proof", "spki": spki, **members}


class Office:
    """A ledger's directory, and who makes its events."""

    def __init__(self, **founding: Any) -> None:
        self.directory = Directory()
        self.registrar, self.doctor = SoftKey.generate("ES256"), SoftKey.generate("ES384")
        self.position = -1
        registrars = [key_document(self.registrar, staff=REGISTRAR)]
        document = {"origin": ORIGIN, "checkpoint_key": VKEY, "registrars": registrars}
        self.add("ledger-founded.v1", FACILITY, {**document, **founding}, kind="facility")

    def event(self, tag: str, stream: str, content: Any, **options: Any) -> Event:
        """Make the next event, by the registrar unless said otherwise."""
        self.position += 1
        key: SoftKey = options.get("key", self.registrar)
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        statement = encode_statement(
            Statement(
                alg=key.alg,
                content=ContentClaim(digest="00" * 32, media_type="application/json", size=1),
                event_id=f"01980000-0000-7000-8000-{self.position:012}",
                format="clinledger/statement/v1",
                key_id=key.key_id,
                ledger=ORIGIN,
                occurred_at=SIGNED_AT,
                seen=Seen(root="00" * 32, size=max(1, self.position)),
                signed_at=SIGNED_AT,
                signer=options.get("signer", REGISTRAR),
                stream=stream,
                stream_kind=options.get("kind", "staff"),
                type=tag,
            )
        )
        return Event(
            position=options.get("position", self.position),
            version=1,
            previous=bytes(32),
            link_salt=bytes(32),
            entry=b"CLE1" + bytes(40) + statement_digest(statement) + bytes(32),
            proof=[],
            statement=statement,
            container=sign_container(key, statement),
            content=data if content is not None else None,
            salt=bytes(32),
        )

    def add(self, tag: str, stream: str, content: Any, **options: Any) -> dict[str, Any]:
        """Let the directory follow the next event; return what is told of it."""
        event = self.event(tag, stream, content, **options)
        return describe(event, self.directory.follow(event), self.directory)

    def enrol(self, **members: Any) -> None:
        """Enrol the doctor's key and role."""
        self.add("key-enrolled.v1", DOCTOR, key_document(self.doctor, **members))
        self.add("role-granted.v1", DOCTOR, {"role": "doctor"})

    def note(self) -> dict[str, Any]:
        """Let the doctor write a note."""
        note = {"kind": "record", "key": self.doctor, "signer": DOCTOR}
        return self.add("note-written.v1", FACILITY, {}, **note)


def refusal(office: Office, tag: str, stream: str, content: Any, **options: Any) -> str:
    """Return the code with which an event is refused."""
    with pytest.raises(RefusedError) as refused:
        office.add(tag, stream, content, **options)
    return refused.value.code


def test_roles_are_those_of_the_position() -> None:
    """Granted, then withdrawn: the note before is proven, the one after is refused."""
    office = Office()
    office.enrol()
    office.add("role-granted.v1", DOCTOR, {"role": "auditor"})
    assert office.note()["roles"] == ["auditor", "doctor"]
    withdrawn = {"role": "doctor", "reason": "duties-changed"}
    office.add("role-withdrawn.v1", DOCTOR, withdrawn)
    with pytest.raises(RefusedError, match="role-not-valid"):
        office.note()


def test_a_revoked_key_is_valid_up_to_its_revocation_only() -> None:
    """And never revoked twice, nor enrolled again."""
    office = Office()
    office.enrol()
    office.note()
    revoked = {"key_id": office.doctor.key_id, "reason": "lost", "since": SIGNED_AT}
    office.add("key-revoked.v1", DOCTOR, revoked)
    with pytest.raises(RefusedError, match="revoked at 4"):
        office.note()
    assert refusal(office, "key-revoked.v1", DOCTOR, revoked) == "rule-broken"
    again = key_document(office.doctor)
    assert refusal(office, "key-enrolled.v1", DOCTOR, again) == "rule-broken"


def test_names_of_people_and_devices_are_disclosed_by_their_enrolment() -> None:
    """A name that would steer a terminal or turn a line around is made harmless."""
    office = Office()
    office.enrol()
    names: list[tuple[Any, str | None]] = [
        ({"name": [{"text": "Nguyễn Thị Hoa"}]}, "Nguyễn Thị Hoa"),
        ({"deviceName": [{"name": "Máy 1"}], "temperature": 1.5}, "Máy 1"),
        ({"name": [{"text": "A\x1b[2J\n\u202eB"}]}, "A?[2J??B"),
        ({"name": []}, None),
        ({"name": [{"text": 5}]}, None),
        ({}, None),
        (b"\xff", None),
        (b'{"name":[{"text":"A"}],"name":[{"text":"B"}]}', None),
        (None, None),
    ]
    for content, expected in names:
        office.add("practitioner-enrolled.v1", DOCTOR, content)
        assert office.note()["signer_name"] == expected


@pytest.mark.parametrize(
    ("tag", "content", "code"),
    [
        ("key-enrolled.v1", None, "content-missing"),
        ("key-enrolled.v1", {}, "rule-broken"),
        ("key-enrolled.v1", b"[" * 10_000, "rule-broken"),
        ("key-enrolled.v1", b'{"alg":"ES256"}'.decode().encode("utf-16"), "rule-broken"),
        ("key-revoked.v1", {"key_id": "00" * 32, "reason": "lost"}, "rule-broken"),
        ("role-granted.v1", {"role": None}, "rule-broken"),
        ("key-suspended.v1", {}, "type-unknown"),
        ("ledger-founded.v1", {}, "rule-broken"),
    ],
)
def test_staff_events_that_are_not_sound_are_refused(tag: str, content: Any, code: str) -> None:
    """Fail closed: what the verifier does not know could end a key's validity."""
    assert refusal(Office(), tag, DOCTOR, content) == code


def test_weak_and_foreign_keys_are_refused() -> None:
    """As at enrolment (docs/format.md §2)."""
    small = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + bytes(32)).decode()
    es256 = base64.b64encode(SoftKey.generate("ES256").spki).decode()
    documents = [
        {"alg": "EdDSA", "spki": small},
        {"alg": "ES384", "spki": es256},
        {"alg": "EdDSA", "spki": es256},
        {"alg": "ES256", "spki": "AAAA"},
        {"alg": "none", "spki": es256},
    ]
    for document in documents:
        content = {**document, "possession": "proof"}
        assert refusal(Office(), "key-enrolled.v1", DOCTOR, content) == "rule-broken"


def test_a_signature_is_of_the_signers_own_key() -> None:
    """Neither another member's, nor of another algorithm, nor over other bytes."""
    office = Office()
    office.enrol()
    note = {"kind": "record", "key": office.doctor}
    assert refusal(office, "note-written.v1", FACILITY, {}, **note, signer=REGISTRAR) == (
        "key-not-valid"
    )
    event = office.event("note-written.v1", FACILITY, {}, **note, signer=DOCTOR)
    other = office.event("note-written.v1", FACILITY, {}, **note, signer=DOCTOR)
    event.container = other.container
    with pytest.raises(RefusedError, match="signature-invalid"):
        office.directory.follow(event)


def certificate(key: ec.EllipticCurvePrivateKey, until: int) -> str:
    """Return a certificate of a key, of the year 2026 until another, as base64."""
    name = [
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Bệnh viện Thử"),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, "Nguyễn Thị Hoa"),
    ]
    issuer = [x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA Thử")]
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(name))
        .issuer_name(x509.Name(issuer))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(until, 12, 31, tzinfo=dt.UTC))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def test_a_certificate_is_told_with_issuer_unit_and_period() -> None:
    """What Vietnamese rules want shown; whether its issuer is to be believed is not judged."""
    private = ec.generate_private_key(ec.SECP384R1())
    office = Office()
    office.doctor = SoftKey(private)
    office.enrol(certificate=certificate(private, 2027))
    facts = office.note()
    assert facts["issuer"] == "CN=CA Thử"
    assert facts["unit"] == "Bệnh viện Thử"
    assert facts["subject"] == "CN=Nguyễn Thị Hoa,O=Bệnh viện Thử"
    assert facts["certificate"] == "2026-01-01T00:00:00+00:00 .. 2027-12-31T00:00:00+00:00"
    assert facts["certificate_valid"] is True


def test_without_a_certificate_the_registrar_issued_the_key() -> None:
    """And the ledger's own facility is the managing unit."""
    office = Office()
    office.enrol()
    facts = office.note()
    assert (facts["issuer"], facts["unit"]) == (REGISTRAR, ORIGIN)
    assert (facts["certificate"], "certificate_valid" in facts) == ("none", False)


def test_a_certificate_that_does_not_fit_is_not_valid() -> None:
    """Of another key, or run out when the event was signed."""
    private = ec.generate_private_key(ec.SECP384R1())
    office = Office()
    office.doctor = SoftKey(private)
    office.enrol(certificate=certificate(ec.generate_private_key(ec.SECP384R1()), 2027))
    assert office.note()["certificate_valid"] is False
    key = office.directory.keys[office.doctor.key_id]
    key.certificate = base64.b64decode(certificate(private, 2026))
    facts = certificate_facts(key, "2027-11-22T03:03:09.678Z")
    assert facts["certificate_valid"] is False


def test_what_is_no_certificate_breaks_the_rules() -> None:
    """The ledger takes none that cannot be read, so a file with one is not of an honest ledger."""
    private = ec.generate_private_key(ec.SECP384R1())
    fitting = base64.b64decode(certificate(private, 2027))
    version = fitting.index(bytes.fromhex("a003020102")) + 4
    impossible = fitting[:version] + b"\x05" + fitting[version + 1 :]
    with pytest.raises(MalformedKeyError, match="certificate-malformed"):
        certified_spki(impossible)
    for der in (b"none", impossible):
        office = Office()
        office.doctor = SoftKey(private)
        office.enrol(certificate=base64.b64encode(der).decode())
        with pytest.raises(RefusedError, match="rule-broken"):
            office.note()
