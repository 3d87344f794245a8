"""Profiles of the directory's documents: founding, policy, keys, roles; and of reasons."""

import base64
import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from ledger.facts import FoundingFacts, KeyEnrolledFacts, ReasonFacts
from ledger.profiles.keys import format_verifier_key
from signing.keys import SoftKey
from tests.builders_hospital import Hospital
from tests.builders_resources import GONE, Json, an_id, changed, encoded
from tests.builders_rules import (
    FACILITY,
    ORIGIN,
    REGISTRAR,
    SECOND_REGISTRAR,
    Draft,
    World,
    founding,
    proved_key,
    refused,
)

SMALL_ORDER_POINT = bytes(31) + b"\x80"


@pytest.fixture(scope="module")
def hospital() -> Hospital:
    return Hospital()


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def _founding(world: World, document: Json) -> Draft:
    return world.draft("ledger-founded.v1", document, stream=FACILITY, signer=REGISTRAR)


def test_founding_names_the_keys_that_govern_the_ledger(world: World) -> None:
    facts = world.read(_founding(world, founding(world)))
    assert isinstance(facts, FoundingFacts)
    assert [key.staff for key in facts.registrars] == [REGISTRAR, SECOND_REGISTRAR]
    assert facts.registrars[0].key_id == world.key_of(REGISTRAR).key_id
    assert len(facts.checkpoint_spki) == 44


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/origin", "elsewhere.example/ledger", "founding-origin"),
        ("/checkpoint_key", GONE, "content-missing-field"),
        ("/checkpoint_key", f"{ORIGIN}+00000000+AQ==", "checkpoint-key-malformed"),
        ("/checkpoint_key", f"{ORIGIN}+00000000+!", "base64-malformed"),
        ("/checkpoint_key", "no key", "checkpoint-key-malformed"),
        (
            "/checkpoint_key",
            format_verifier_key("elsewhere.example/ledger", bytes(32)),
            "checkpoint-key-malformed",
        ),
        (
            "/checkpoint_key",
            format_verifier_key(ORIGIN, SMALL_ORDER_POINT),
            "checkpoint-key-malformed",
        ),
        ("/registrars/1", GONE, "content-invalid"),
        ("/registrars/0/name", "Trần Văn Bình", "content-unknown-field"),
        ("/registrars/0/staff", an_id("someone"), "possession-mismatch"),
        ("/registrars/0/alg", "PS256", "key-algorithm"),
        ("/registrars/0/spki", "AAAA", "key-malformed"),
    ],
)
def test_a_founding_document_that_breaks_its_form_is_refused(
    world: World, pointer: str, value: object, code: str
) -> None:
    document = founding(world)
    assert world.read(_founding(world, document))
    with refused(code):
        world.read(_founding(world, changed(document, pointer, value)))


def test_the_checkpoint_key_governs_nothing(world: World) -> None:
    world.keys[SECOND_REGISTRAR] = SoftKey.generate("EdDSA")
    document = founding(world)
    verifier_key = format_verifier_key(ORIGIN, world.key_of(SECOND_REGISTRAR).spki[-32:])
    with refused("checkpoint-key", "/registrars/1/spki"):
        world.read(_founding(world, changed(document, "/checkpoint_key", verifier_key)))


def test_the_founding_event_is_signed_by_its_first_registrar(world: World) -> None:
    document = founding(world)
    document["registrars"].reverse()
    with refused("founding-signer", "/registrars/0"):
        world.read(_founding(world, document))


@pytest.mark.parametrize("same", ["staff", "key", "nonce", "facility"])
def test_the_registrars_differ_from_each_other_and_the_facility(world: World, same: str) -> None:
    document = founding(world)
    staff = {"staff": REGISTRAR, "facility": FACILITY}.get(same, SECOND_REGISTRAR)
    key = world.key_of(REGISTRAR if same == "key" else SECOND_REGISTRAR)
    nonce = f"nonce {REGISTRAR}" if same == "nonce" else "another nonce"
    document["registrars"][1] = {"staff": staff, **proved_key(key, staff, nonce)}
    with refused("founding-registrars"):
        world.read(_founding(world, document))


def _enrolment(hospital: Hospital, document: Json) -> Draft:
    return hospital.draft("key-enrolled.v1", document, stream=hospital.nurse, signer=REGISTRAR)


def _certificate(key: ed25519.Ed25519PrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        not_valid_after=dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
    )
    return builder.sign(key, None).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/spki", "not base64", "base64-malformed"),
        ("/spki", "AAB=", "base64-malformed"),
        ("/alg", "none", "content-invalid"),
        ("/possession", "a.b.c", "possession-malformed"),
        ("/possession", "chữ ký", "possession-malformed"),
        ("/certificate", "AAAA", "certificate-malformed"),
        ("/certificate", "AAAA=", "base64-malformed"),
        ("/comment", "khóa mới", "content-unknown-field"),
    ],
)
def test_a_key_that_breaks_its_form_is_refused(
    hospital: Hospital, pointer: str, value: object, code: str
) -> None:
    document = proved_key(SoftKey.generate("EdDSA"), hospital.nurse)
    assert hospital.read(_enrolment(hospital, document))
    with refused(code):
        hospital.read(_enrolment(hospital, changed(document, pointer, value)))


def test_a_possession_proof_is_signed_by_the_key_itself(hospital: Hospital) -> None:
    key, other = SoftKey.generate("EdDSA"), SoftKey.generate("EdDSA")
    document = proved_key(key, hospital.nurse)
    header, payload, _ = document["possession"].split(".")
    signature = proved_key(other, hospital.nurse)["possession"].split(".")[2]
    with refused("possession-signature", "/possession"):
        forged = {**document, "possession": f"{header}.{payload}.{signature}"}
        hospital.read(_enrolment(hospital, forged))


@pytest.mark.parametrize("mistake", ["staff", "origin", "key"])
def test_a_possession_proof_speaks_of_this_key_person_and_ledger(
    hospital: Hospital, mistake: str
) -> None:
    key = SoftKey.generate("EdDSA")
    staff = hospital.doctor if mistake == "staff" else hospital.nurse
    origin = "elsewhere.example/ledger" if mistake == "origin" else ORIGIN
    proved = SoftKey.generate("EdDSA") if mistake == "key" else key
    proof = proved_key(proved, staff, origin=origin)["possession"]
    document = {**proved_key(key, hospital.nurse), "possession": proof}
    with refused("possession-mismatch", "/possession"):
        hospital.read(_enrolment(hospital, document))


def test_a_certificate_is_of_the_same_key(hospital: Hospital) -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    certificate = base64.b64encode(_certificate(private)).decode()
    document = proved_key(SoftKey.generate("EdDSA"), hospital.nurse)
    with refused("certificate-mismatch", "/certificate"):
        hospital.read(_enrolment(hospital, {**document, "certificate": certificate}))
    document = proved_key(SoftKey(private), hospital.nurse)
    facts = hospital.read(_enrolment(hospital, {**document, "certificate": certificate}))
    assert isinstance(facts, KeyEnrolledFacts)
    assert facts.key.certificate == base64.b64decode(certificate)


@pytest.mark.parametrize(
    ("tag", "document", "pointer", "value"),
    [
        ("policy-set.v1", {"version": 1}, "/version", 0),
        ("key-revoked.v1", {"key_id": "ab" * 32, "reason": "lost"}, "/reason", "đánh rơi"),
        ("key-revoked.v1", {"key_id": "ab" * 32, "reason": "lost"}, "/since", "2026-11-20"),
        ("role-granted.v1", {"role": "doctor"}, "/role", "superuser"),
        ("role-withdrawn.v1", {"role": "doctor", "reason": "left"}, "/reason", "nghỉ việc"),
    ],
)
def test_a_directory_document_has_no_room_for_free_text(
    hospital: Hospital, tag: str, document: Json, pointer: str, value: object
) -> None:
    if tag == "policy-set.v1":
        document = {**document, "entry_deadline_hours": 12, "outage_deadline_hours": 24}
    stream = FACILITY if tag == "policy-set.v1" else hospital.nurse

    def draft(document: Json) -> Draft:
        return hospital.draft(tag, document, stream=stream, signer=REGISTRAR)

    assert hospital.read(draft(document))
    with refused("content-invalid"):
        hospital.read(draft(changed(document, pointer, value)))


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"reason": "  \n"}, "reason-blank"),
        ({"reason": ""}, "content-invalid"),
        ({"reason": "x" * 2001}, "content-invalid"),
        ({}, "content-missing-field"),
        ({"reason": "nhầm", "note": "x"}, "content-unknown-field"),
    ],
)
def test_a_reason_is_a_text_that_says_something(
    hospital: Hospital, document: Json, code: str
) -> None:
    order = hospital.placed(f"order for {code} {len(document)}{len(str(document))}")

    def draft(document: Json) -> Draft:
        return hospital.draft(
            "order-cancelled.v1",
            encoded(document),
            stream=hospital.record,
            signer=hospital.doctor,
            refs=[order.ref("answers")],
        )

    assert hospital.read(draft({"reason": "Nhầm người bệnh"})) == ReasonFacts()
    with refused(code):
        hospital.read(draft(document))
