"""A superuser edits, deletes, swaps and appends rows (facts/tamper_evidence.md §4, tier T1)."""

import msgspec

from signing.container import assemble_container
from tests.attack import Attack, codes_at, found

SEALED = 100
"""A note in the second record; nothing special about it."""


def test_attack_01_an_edited_content_is_found_even_by_whoever_holds_the_facility_key(
    attack: Attack,
) -> None:
    """The signed statement binds the content."""
    frame = attack.frame(SEALED)
    content = frame.content.replace("Ngày".encode(), "Đêm.".encode())
    assert content != frame.content
    attack.store(SEALED, msgspec.structs.replace(frame, content=content))

    assert found(attack.verify(), "content-mismatch") == [SEALED]


def test_attack_02_an_edit_with_all_hashes_recomputed_fails_its_signature(attack: Attack) -> None:
    """Leaves, links, tiles and head can be recomputed by anyone; the author's signature cannot."""
    attack.rewrite_statement(SEALED, occurred_at="2020-01-01T00:00:00.000Z")
    attack.cover_up()

    report = attack.verify()

    assert found(report, "signature-invalid") == [SEALED]
    assert not {"leaf-mismatch", "head-mismatch", "link-broken"} & {f.code for f in report.findings}
    assert found(report, "seen-inconsistent")[0] == SEALED + 1


def test_attack_03_columns_that_contradict_the_signed_statement_are_found(attack: Attack) -> None:
    """Columns are copies; each is derived again from what was signed."""
    stream, event_id = attack.hospital.builder.new_id(), attack.hospital.builder.new_id()
    attack.run("UPDATE {ledger}.entry SET stream = %(s)s WHERE position = 0", s=stream)
    attack.run("UPDATE {ledger}.entry SET event_id = %(e)s WHERE position = 2", e=event_id)

    report = attack.verify()

    assert found(report, "column-mismatch") == [0, 2]


def test_attack_04_a_deleted_event_leaves_a_gap(attack: Attack) -> None:
    """Positions have no gaps."""
    attack.delete(SEALED)

    report = attack.verify()

    assert found(report, "position-gap") == [SEALED]
    assert found(report, "version-gap") == [SEALED + 1]
    assert found(report, "head-mismatch") == [259]


def test_attack_04_a_deleted_body_or_entry_alone_is_found(attack: Attack) -> None:
    """Each of the two rows of an event needs the other."""
    attack.delete(SEALED, tables=("sealed",))
    attack.delete(SEALED + 2, tables=("entry",))

    report = attack.verify()

    assert found(report, "body-missing") == [SEALED]
    assert found(report, "position-gap") == [SEALED + 2]


def test_attack_05_all_events_of_a_patient_cannot_vanish(attack: Attack) -> None:
    """A gap remains at each of them, also when positions are closed up."""
    patient = [e.position for e in attack.events if e.stream == attack.hospital.ward.patient]
    attack.delete(*patient)

    assert found(attack.verify(), "position-gap") == patient


def test_attack_05_closing_the_gap_contradicts_what_later_authors_saw(attack: Attack) -> None:
    """Whoever signed after the vanished events signed the root of a tree that held them."""
    position = next(e.position for e in attack.events if e.stream == attack.hospital.ward.patient)
    attack.delete(position)
    attack.rearrange([p for p in range(260) if p != position])
    attack.cover_up()

    report = attack.verify()

    assert found(report, "seen-inconsistent")[0] == position
    assert found(report, "head-mismatch") == []


def test_attack_06_two_swapped_events_are_found(attack: Attack) -> None:
    """Without a recomputed head the tree contradicts it; the swapped positions are named."""
    first, second = _two_streams(attack)
    attack.rearrange(_swapped(first, second))

    report = attack.verify()

    assert found(report, "head-mismatch") == [259]
    assert found(report, "time-regression") == [first + 1]


def test_attack_06_two_swapped_events_under_a_recomputed_head_are_found(attack: Attack) -> None:
    """Every later author's `seen` is a signed proof of the order as it was."""
    first, second = _two_streams(attack)
    attack.rearrange(_swapped(first, second))
    attack.cover_up()

    report = attack.verify()

    assert found(report, "head-mismatch") == []
    assert found(report, "seen-inconsistent")[:2] == [first, second + 1]


def test_attack_07_an_event_inserted_in_the_middle_is_found(attack: Attack) -> None:
    """Even one that a real doctor signed, with everything after it moved and recomputed."""
    note = attack.hospital.note(attack.hospital.other, seen=attack.hospital.builder.seen(50))
    attack.hospital.builder.commit()
    attack.rearrange([*range(60), note.position, *range(60, 260)])
    attack.cover_up()

    report = attack.verify()

    assert found(report, "version-gap")[0] == 60
    assert found(report, "seen-inconsistent")[0] == 62


def test_attack_15_swapped_streams_are_found(attack: Attack) -> None:
    """A body opens only as part of the stream it was sealed for."""
    first, second = (ward.patient for ward in (attack.hospital.ward, attack.hospital.other))
    positions = [e.position for e in attack.events if e.stream in {first, second}]
    attack.run("ALTER TABLE {ledger}.entry DROP CONSTRAINT entry_version_is_unique")
    attack.run(
        "UPDATE {ledger}.entry SET stream = CASE WHEN stream = %(a)s THEN %(b)s::uuid"
        " ELSE %(a)s::uuid END WHERE stream IN (%(a)s, %(b)s)",
        a=first,
        b=second,
    )

    assert found(attack.verify(), "body-unreadable") == positions


def test_attack_15_a_body_put_in_the_place_of_another_is_found(attack: Attack) -> None:
    """Re-pointed bodies do not open; neighbours stay as they are."""
    attack.run(
        "UPDATE {ledger}.sealed SET body = %(body)s WHERE position = %(p)s",
        body=attack.body(SEALED + 1),
        p=SEALED,
    )

    report = attack.verify()

    assert [(f.code, f.position) for f in report.findings] == [("body-unreadable", SEALED)]


def test_attack_15_swapped_directory_bodies_are_found(attack: Attack) -> None:
    """What lies in clear meets the wrong entry."""
    bodies = {p: attack.body(p) for p in (4, 5)}
    for position, other in ((4, 5), (5, 4)):
        attack.run(
            "UPDATE {ledger}.sealed SET body = %(body)s WHERE position = %(p)s",
            body=bodies[other],
            p=position,
        )

    report = attack.verify()

    for position in (4, 5):
        assert {"statement-mismatch", "container-mismatch", "column-mismatch"} <= codes_at(
            report, position
        )


def test_attack_19_an_exchanged_public_key_is_found(attack: Attack) -> None:
    """A key is enrolled by a registrar's signed event; changing its text breaks the digest."""
    enrolled = next(e for e in attack.events if e.type == "key-enrolled.v1")
    frame = attack.frame(enrolled.position)
    rogue = attack.hospital.builder.author()
    content = attack.hospital.key_document(rogue)
    attack.store(enrolled.position, msgspec.structs.replace(frame, content=content))

    assert found(attack.verify(), "content-mismatch") == [enrolled.position]


def test_attack_23_a_deleted_revocation_leaves_a_gap(attack: Attack) -> None:
    """The directory is a stream of the same ledger."""
    revoked = attack.hospital.revoke(attack.hospital.nurse)
    attack.hospital.note(attack.hospital.other)
    attack.hospital.builder.commit()
    attack.delete(revoked.position)

    assert found(attack.verify(), "position-gap") == [revoked.position]


def test_attack_27_a_changed_tile_is_found(attack: Attack) -> None:
    """Tiles are derived: at worst they deny service."""
    attack.run("UPDATE {ledger}.tile SET hash = %(hash)s", hash=bytes(32))

    report = attack.verify()

    assert [(f.code, f.position) for f in report.findings] == [("tile-mismatch", 0)]


def test_attack_27_missing_and_surplus_tiles_are_found(attack: Attack) -> None:
    """Also one for entries that do not exist yet."""
    attack.run("UPDATE {ledger}.tile SET index = 3")

    assert found(attack.verify(), "tile-mismatch") == [0, 768]


def test_attack_29_a_destroyed_stream_key_is_found_at_every_event(attack: Attack) -> None:
    """Nothing is erased without a signed event that says so."""
    patient = attack.hospital.ward.patient
    attack.run("DELETE FROM {keys}.stream_key WHERE stream = %(s)s", s=patient)

    report = attack.verify()

    positions = [e.position for e in attack.events if e.stream == patient]
    assert found(report, "body-unreadable") == positions


def test_attack_35_a_clock_set_back_is_found(attack: Attack) -> None:
    """The time of receipt never decreases with position."""
    attack.set_entry(SEALED, received_at_ms=1_700_000_000_000)
    attack.cover_up()

    report = attack.verify()

    assert found(report, "time-regression") == [SEALED]
    assert found(report, "seen-inconsistent")[0] == SEALED + 1


def test_attack_39_a_well_hashed_but_unsigned_row_at_the_tail_is_found(attack: Attack) -> None:
    """It has a position, a link, a leaf, a sealed body and the head; it lacks an author."""
    builder = attack.hospital.builder
    note = builder.sign(
        "note-written.v1",
        attack.hospital.doctor,
        stream=attack.hospital.other.record,
        content=attack.hospital.other.note(
            event_id := builder.new_id(), attack.hospital.doctor.staff, builder.now_ms
        ),
        event_id=event_id,
    )
    unsigned = assemble_container("ES256", bytes(range(1, 65)))
    built = builder.append(msgspec.structs.replace(note, container=unsigned))
    builder.commit()

    report = attack.verify()

    assert [(f.code, f.position) for f in report.findings] == [
        ("signature-invalid", built.position)
    ]


def _two_streams(attack: Attack) -> tuple[int, int]:
    """Return two neighbouring positions, of the second patient and the second record."""
    patient = next(e for e in attack.events if e.stream == attack.hospital.other.patient)
    assert attack.events[patient.position + 1].stream == attack.hospital.other.record
    return patient.position, patient.position + 1


def _swapped(first: int, second: int) -> list[int]:
    """Return all positions, these two exchanged."""
    order = list(range(260))
    order[first], order[second] = second, first
    return order
