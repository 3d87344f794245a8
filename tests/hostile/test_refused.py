"""Events that admission or the sequencer would have refused are found where they stand.

They are whole, well hashed and signed by whom the test says: somebody went past the sequencer.
"""

import msgspec

from ledger.verify import Report
from tests import contents
from tests.attack import Attack, codes_at


def test_a_signature_by_another_person_is_found(attack: Attack) -> None:
    """The nurse cannot sign as the doctor."""
    hospital = attack.hospital
    forged = msgspec.structs.replace(hospital.nurse, staff=hospital.doctor.staff)
    note = hospital.note(hospital.other, author=forged)

    assert _findings(attack) == [("key-not-valid", note.position)]


def test_an_event_beyond_the_signers_role_is_found(attack: Attack) -> None:
    """Nurses do not write treatment sheets."""
    note = attack.hospital.note(attack.hospital.other, author=attack.hospital.nurse)

    assert _findings(attack) == [("role-not-valid", note.position)]


def test_an_event_in_a_closed_record_is_found(attack: Attack) -> None:
    """Closed records take amendments and retractions only."""
    note = attack.hospital.note(attack.hospital.ward)

    assert _findings(attack) == [("rule-broken", note.position)]


def test_a_content_that_breaks_its_profile_is_found(attack: Attack) -> None:
    """Signed or not."""
    builder, hospital = attack.hospital.builder, attack.hospital
    policy = builder.add(
        "policy-set.v1", hospital.registrar, stream=hospital.facility, content={"version": "2"}
    )

    assert _findings(attack) == [("rule-broken", policy.position)]


def test_a_content_nested_without_end_is_found(attack: Attack) -> None:
    """It must not end the verification either."""
    hospital = attack.hospital
    order = hospital.builder.add(
        "order-placed.v1",
        hospital.doctor,
        stream=hospital.other.record,
        content=b'{"a":' * 20_000,
    )

    assert _findings(attack) == [("rule-broken", order.position)]


def test_a_result_that_answers_another_text_of_its_order_is_found(attack: Attack) -> None:
    """A reference binds the statement, not the name."""
    hospital = attack.hospital
    order = hospital.order(hospital.other)
    other = msgspec.structs.replace(order, event=attack.events[100].event)
    result = hospital.result(hospital.other, other)

    assert _findings(attack) == [("reference-mismatch", result.position)]


def test_an_amendment_of_an_older_version_is_found(attack: Attack) -> None:
    """It must name the newest of the chain."""
    hospital = attack.hospital
    note = hospital.note(hospital.other)
    hospital.amend_note(hospital.other, note, text="Khám lại.")
    again = hospital.amend_note(hospital.other, note, text="Khám lần ba.")

    assert _findings(attack) == [("reference-mismatch", again.position)]


def test_a_second_founding_is_found(attack: Attack) -> None:
    """The directory that it would give is not believed."""
    hospital, builder = attack.hospital, attack.hospital.builder
    rogues = [builder.author(), builder.author()]
    second = builder.add(
        "ledger-founded.v1",
        rogues[0],
        stream=hospital.facility,
        content=contents.founding(
            builder.origin,
            [(rogue.staff, rogue.key) for rogue in rogues],
            checkpoint=hospital.builder.author("EdDSA").key.spki[-32:],
        ),
    )
    enrolled = builder.add(
        "key-enrolled.v1",
        rogues[0],
        stream=rogues[0].staff,
        content=hospital.key_document(
            msgspec.structs.replace(builder.author(), staff=rogues[0].staff)
        ),
    )

    report = _report(attack)

    assert {"rule-broken", "key-not-valid"} <= codes_at(report, second.position)
    assert "key-not-valid" in codes_at(report, enrolled.position)


def test_the_last_administrator_cannot_be_withdrawn(attack: Attack) -> None:
    """One of two can; the ledger must stay governable."""
    hospital, builder = attack.hospital, attack.hospital.builder
    withdrawn: list[int] = []
    for member in (hospital.second, hospital.registrar):
        if member is hospital.second:
            builder.add(
                "practitioner-enrolled.v1",
                hospital.registrar,
                stream=member.staff,
                content=contents.practitioner(member.staff),
            )
        withdrawn.append(
            builder.add(
                "role-withdrawn.v1",
                hospital.registrar,
                stream=member.staff,
                content={"role": "administrator", "reason": "left"},
            ).position
        )

    assert _findings(attack) == [("rule-broken", withdrawn[1])]


def test_a_clinical_body_stored_in_clear_is_found(attack: Attack) -> None:
    """It would outlive the destruction of its stream's key."""
    body = b"\x00" + _plain(attack, 100)
    attack.run("UPDATE {ledger}.sealed SET body = %(b)s WHERE position = 100", b=body)

    assert codes_at(attack.verify(), 100) == {"rule-broken"}


def _plain(attack: Attack, position: int) -> bytes:
    frame = attack.frame(position)
    parts = (frame.statement, frame.container, frame.salt, frame.content)
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def _report(attack: Attack) -> Report:
    attack.hospital.builder.commit()
    return attack.verify()


def _findings(attack: Attack) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.position) for finding in _report(attack).findings]
