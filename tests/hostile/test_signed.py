"""Whoever can append, with real keys or without, leaves what the rules do not allow.

All of these go past the sequencer: the rows are whole and well hashed (tiers T1 with the facility
key, T3, T4 of docs/trust.md).
"""

import msgspec
import pytest

from ledger.verify import Report
from signing.container import sign_container
from signing.statement import Seen, parse_statement
from tests.attack import Attack, codes_at, found


def test_attack_08_a_backdated_receipt_is_found(attack: Attack) -> None:
    """Position bounds the time from below."""
    hospital = attack.hospital
    event = hospital.builder.sign(
        "order-placed.v1",
        hospital.doctor,
        stream=hospital.other.record,
        content=hospital.other.order(
            event_id := hospital.builder.new_id(), hospital.doctor.staff, hospital.builder.now_ms
        ),
        event_id=event_id,
    )
    built = hospital.builder.append(event, received_at_ms=1_789_000_000_000)

    assert _findings(attack) == [
        ("rule-broken", built.position),  # signed more than five minutes after its receipt
        ("time-regression", built.position),
    ]


def test_attack_09_a_forward_dated_event_is_found(attack: Attack) -> None:
    """Authors' clocks may be five minutes ahead of the ledger's, not more."""
    builder = attack.hospital.builder
    attack.hospital.note(attack.hospital.other, signed_at_ms=builder.now_ms + 300_000)
    late = attack.hospital.note(attack.hospital.other, signed_at_ms=builder.now_ms + 300_001)

    assert _findings(attack) == [("rule-broken", late.position)]


def test_attack_13_an_author_who_saw_another_fork_is_a_proof_of_it(attack: Attack) -> None:
    """The root that was signed is not the root of what lies here."""
    seen = Seen(root="ab" * 32, size=200)
    note = attack.hospital.note(attack.hospital.other, seen=seen)

    assert _findings(attack) == [("seen-inconsistent", note.position)]


@pytest.mark.parametrize("seen", [None, Seen(root="ab" * 32, size=261)])
def test_an_author_who_saw_nothing_or_the_future_is_found(
    attack: Attack, seen: Seen | None
) -> None:
    """Every signature covers a past root, position 0 excepted."""
    note = attack.hospital.note(attack.hospital.other, seen=seen)

    assert _findings(attack) == [("seen-inconsistent", note.position)]


def test_attack_16_a_statement_copied_to_another_stream_is_found(attack: Attack) -> None:
    """The stream is signed."""
    builder = attack.hospital.builder
    note = attack.events[100]
    claimed = msgspec.structs.replace(
        parse_statement(note.event.statement),
        stream=attack.hospital.ward.record,
        event_id=builder.new_id(),
    )
    copy = builder.append(note.event, claimed=claimed)
    builder.commit()

    report = attack.verify()

    assert found(report, "column-mismatch") == [copy.position]


def test_attack_16_a_statement_made_for_another_ledger_is_found(attack: Attack) -> None:
    """The origin is signed."""
    note = attack.hospital.note(attack.hospital.other, origin="elsewhere.example/ledger")

    assert _findings(attack) == [("rule-broken", note.position)]


def test_attack_17_a_replayed_statement_is_found(attack: Attack) -> None:
    """An event_id stands for one event."""
    attack.run("ALTER TABLE {ledger}.entry DROP CONSTRAINT entry_event_id_is_unique")
    replayed = attack.hospital.builder.append(attack.events[100].event)
    attack.hospital.builder.commit()

    report = attack.verify()

    assert found(report, "duplicate-event") == [replayed.position]


def test_attack_20_a_key_enrolled_by_somebody_unknown_is_found_with_all_it_signs(
    attack: Attack,
) -> None:
    """A wrongly enrolled key does not make what it signs look right."""
    hospital = attack.hospital
    rogue = msgspec.structs.replace(hospital.builder.author(), staff=hospital.doctor.staff)
    enrolled = hospital.builder.add(
        "key-enrolled.v1",
        rogue,
        stream=hospital.doctor.staff,
        content=hospital.key_document(rogue),
    )
    note = hospital.note(hospital.other, author=rogue)

    assert _findings(attack) == [
        ("key-not-valid", enrolled.position),
        ("key-not-valid", note.position),
    ]


def test_attack_20_a_key_enrolled_by_a_doctor_is_found(attack: Attack) -> None:
    """Only registrars enrol keys."""
    hospital = attack.hospital
    second = msgspec.structs.replace(hospital.builder.author(), staff=hospital.doctor.staff)
    enrolled = hospital.builder.add(
        "key-enrolled.v1",
        hospital.doctor,
        stream=hospital.doctor.staff,
        content=hospital.key_document(second),
    )

    assert _findings(attack) == [("role-not-valid", enrolled.position)]


def test_attack_21_a_key_used_after_its_revocation_is_found(attack: Attack) -> None:
    """Validity is by position, so no clock can be turned back for it."""
    hospital = attack.hospital
    before = hospital.vitals(hospital.other)
    revoked = hospital.revoke(hospital.nurse)
    after = hospital.vitals(hospital.other)

    assert _findings(attack) == [("key-not-valid", after.position)]
    assert before.position < revoked.position < after.position


def test_attack_23_a_revoked_key_does_not_come_back(attack: Attack) -> None:
    """Enrolling it again is against the rules, and does not help."""
    hospital = attack.hospital
    hospital.revoke(hospital.nurse)
    again = hospital.builder.add(
        "key-enrolled.v1",
        hospital.registrar,
        stream=hospital.nurse.staff,
        content=hospital.key_document(hospital.nurse),
    )
    after = hospital.vitals(hospital.other)

    assert _findings(attack) == [
        ("rule-broken", again.position),
        ("key-not-valid", after.position),
    ]


def test_attack_24_an_old_event_signed_anew_is_found(attack: Attack) -> None:
    """The entry holds the container's digest; even the author cannot exchange a signature."""
    frame = attack.frame(100)
    key = attack.hospital.builder.author().key
    anew = sign_container(key, frame.statement)
    attack.store(100, msgspec.structs.replace(frame, container=anew))

    assert codes_at(attack.verify(), 100) == {"container-mismatch", "signature-invalid"}


@pytest.mark.parametrize(
    ("spelling", "instead"),
    [
        (b'{"alg"', b'{"alg":"ES256","alg"'),
        (b',"event_id"', b', "event_id"'),
        (b'"size":', b'"size":0'),
    ],
    ids=["a repeated key", "white space", "a leading zero"],
)
def test_attack_32_a_statement_in_another_spelling_is_found(
    attack: Attack, spelling: bytes, instead: bytes
) -> None:
    """What two parsers could read differently is not a statement, however well signed."""
    hospital, builder = attack.hospital, attack.hospital.builder
    note = attack.events[100].event
    data = note.statement.replace(spelling, instead, 1)
    assert data != note.statement
    claimed = msgspec.structs.replace(parse_statement(note.statement), event_id=builder.new_id())
    container = sign_container(hospital.doctor.key, data)
    built = builder.append(
        msgspec.structs.replace(note, statement=data, container=container), claimed=claimed
    )

    assert _findings(attack) == [("statement-malformed", built.position)]


def test_processes_find_what_one_process_finds(attack: Attack) -> None:
    """Signatures are then checked elsewhere, and in no order."""
    for position in (13, 100, 259):
        attack.rewrite_statement(position, occurred_at="2020-01-01T00:00:00.000Z")

    one, two = attack.verify(), attack.verify(processes=2)

    assert found(one, "signature-invalid") == [13, 100, 259]
    assert set(two.findings) == set(one.findings)
    assert two.signatures_checked == one.signatures_checked == 260


def _report(attack: Attack) -> Report:
    attack.hospital.builder.commit()
    return attack.verify()


def _findings(attack: Attack) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.position) for finding in _report(attack).findings]
