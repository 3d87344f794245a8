"""What happened at the tail is seen by what is kept outside the database: today, by receipts.

Rows 10, 11, 12, 18, 41, 42 and 43 of docs/trust.md. The tests that find nothing without receipts
are there to keep that document honest; checkpoints will turn them round.
"""

from pathlib import Path

import msgspec
import pytest

from ledger.errors import EnvironmentRefusedError, NotFoundError
from ledger.keyring import FileKeyWrapper, Keyring
from ledger.verify import verify_ledger
from tests.attack import Attack, codes_at, found
from tests.hospital import build_hospital


def test_attack_10_a_tail_cut_off_under_an_untouched_head_is_found(attack: Attack) -> None:
    """The head says how long the ledger was."""
    attack.truncate(250)

    report = attack.verify()

    assert found(report, "position-gap") == [250]
    assert found(report, "head-mismatch") == [259]


def test_attack_10_a_tail_cut_off_with_its_head_is_found_by_receipts_only(
    attack: Attack, tmp_path: Path
) -> None:
    """What nobody has seen since leaves no trace in the database."""
    acks = attack.acks(tmp_path)
    attack.truncate(250)
    attack.cover_up()

    assert attack.verify().ok

    report = attack.verify(acks=acks)

    assert found(report, "acknowledged-missing") == list(range(250, 260))
    assert report.anchors[0].count == report.anchors[0].size == 260


def test_attack_11_a_tail_cut_off_and_grown_again_is_found_by_receipts(
    attack: Attack, tmp_path: Path
) -> None:
    """Other events stand where acknowledged ones stood."""
    acks = attack.acks(tmp_path)
    builder = attack.hospital.builder
    copy = attack.events[250:]
    attack.truncate(250)
    attack.cover_up()
    attack.rewind(250)
    for _ in copy:
        attack.hospital.note(attack.hospital.other, text="Khác.")
    builder.commit()

    assert attack.verify().ok
    assert found(attack.verify(acks=acks), "acknowledged-missing") == list(range(250, 260))


def test_attack_12_and_42_a_backup_restored_is_found_by_receipts(
    attack: Attack, tmp_path: Path
) -> None:
    """The copy is the backup; the hospital went on after it."""
    hospital = attack.hospital.fork(attack.database)
    late = hospital.note(hospital.other)
    acks = tmp_path / "acks.jsonl"
    line = {"event_id": late.event_id, "position": 260, "leaf_hash": late.leaf_hash.hex()}
    acks.write_bytes(msgspec.json.encode(line) + b"\n")

    assert attack.verify().ok
    assert found(attack.verify(acks=acks), "acknowledged-missing") == [260]


def test_attack_41_another_text_under_the_acknowledged_event_id_is_found_by_receipts(
    attack: Attack, tmp_path: Path
) -> None:
    """The receipt's leaf hash binds statement and container."""
    hospital = attack.hospital
    shown = hospital.fork(attack.database)
    first = shown.note(shown.other, text="Một.", event_id=hospital.builder.new_id())
    second = hospital.note(hospital.other, text="Hai.", event_id=first.event_id)
    hospital.builder.commit()
    acks = tmp_path / "acks.jsonl"
    line = {"event_id": first.event_id, "position": 260, "leaf_hash": first.leaf_hash.hex()}
    acks.write_bytes(msgspec.json.encode(line) + b"\n")

    assert second.position == first.position == 260
    assert found(attack.verify(acks=acks), "acknowledged-missing") == [260]


def test_attack_43_a_whole_new_ledger_of_the_same_origin_has_another_genesis(
    attack: Attack, tmp_path: Path
) -> None:
    """The trust anchor is origin and genesis; receipts find it too."""
    acks = attack.acks(tmp_path, count=3)
    before = attack.verify()
    for table in ("entry", "sealed", "tile", "ledger"):
        attack.run(attack.only("TRUNCATE {ledger}.TABLE", table))
    attack.run("TRUNCATE {keys}.stream_key")
    attack.run(
        "UPDATE {ledger}.head SET size = 0, peaks = '', root = %(root)s",
        root=attack.hospital.builder.roots[0],
    )
    attack.hospital = build_hospital(attack.database, events=30)

    report = attack.verify(acks=acks)

    assert report.origin == before.origin
    assert report.genesis != before.genesis
    assert found(report, "acknowledged-missing") == [0, 1, 2]


def test_an_unseen_receipt_time_changed_at_the_tail_is_found_by_receipts_only(
    attack: Attack, tmp_path: Path
) -> None:
    """The time of receipt is the ledger's word, signed by nobody until the next author."""
    acks = attack.acks(tmp_path)
    attack.set_entry(259, received_at_ms=attack.events[259].received_at_ms + 60_000)
    attack.cover_up()

    assert attack.verify().ok
    assert found(attack.verify(acks=acks), "acknowledged-missing") == [259]


def test_receipts_of_an_untouched_ledger_are_an_anchor(attack: Attack, tmp_path: Path) -> None:
    """In any order, and whole receipts as well."""
    acks = attack.acks(tmp_path)
    lines = acks.read_text().splitlines()
    receipt = '{"version":1,' + lines[7].removeprefix("{")
    acks.write_text("\n".join([*reversed(lines), "", receipt]) + "\n")

    report = attack.verify(acks=acks)

    assert report.ok
    assert report.notes == ()
    assert report.anchors[0].count == 261
    assert report.anchors[0].size == 260


def test_a_line_cut_off_by_a_kill_is_no_acknowledgement(attack: Attack, tmp_path: Path) -> None:
    """Whoever wrote it was killed before the line was whole."""
    acks = attack.acks(tmp_path)
    acks.write_bytes(acks.read_bytes()[:-5])

    assert attack.verify(acks=acks).anchors[0].count == 259


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "not json",
        '{"event_id":"x","position":1,"leaf_hash":"00"}',
        '{"event_id":"01980000-0000-7000-8000-000000000001","position":-1,"leaf_hash":"%s"}'
        % ("00" * 32),
        '{"event_id":"01980000-0000-7000-8000-000000000001","position":1.5,"leaf_hash":"%s"}'
        % ("00" * 32),
    ],
)
def test_a_malformed_acknowledgement_is_a_usage_error(
    attack: Attack, tmp_path: Path, line: str
) -> None:
    """It names the line, and nothing was verified."""
    acks = attack.acks(tmp_path, count=2)
    acks.write_text(acks.read_text() + line + "\n")

    with pytest.raises(EnvironmentRefusedError, match="line 3 of the acks file"):
        attack.verify(acks=acks)


def test_a_missing_file_of_acknowledgements_is_a_usage_error(
    attack: Attack, tmp_path: Path
) -> None:
    """It is not taken for an empty one."""
    with pytest.raises(EnvironmentRefusedError, match="cannot be read"):
        attack.verify(acks=tmp_path / "none.jsonl")


def test_without_the_facility_key_hashes_chains_and_the_directory_are_checked(
    attack: Attack,
) -> None:
    """And the report says what was not."""
    whole = attack.verify(keyring=False)
    attack.set_entry(100, received_at_ms=1)
    attack.run("UPDATE {ledger}.sealed SET body = body || '\\x00' WHERE position = 4")

    report = attack.verify(keyring=False)

    assert whole.ok
    assert whole.signatures_checked == 9
    assert any("without the facility key" in note for note in whole.notes)
    assert found(report, "leaf-mismatch") == [100]
    assert "body-unreadable" in codes_at(report, 4)


def test_the_facility_key_of_another_ledger_is_refused(attack: Attack) -> None:
    """It would find every body unreadable, and none of that were true."""
    other = Keyring(FileKeyWrapper(bytes(32)), attack.hospital.builder.origin)

    with pytest.raises(EnvironmentRefusedError, match="facility key"):
        verify_ledger(attack.database, keyring=other)


def test_hashes_only_leaves_sealed_bodies_closed(attack: Attack) -> None:
    """Also where the key is at hand."""
    attack.run("UPDATE {ledger}.sealed SET body = '\\x01' WHERE position = 100")

    assert attack.verify(hashes_only=True).ok
    assert found(attack.verify(), "body-unreadable") == [100]


def test_one_record_is_verified_with_its_patient_and_the_directory(attack: Attack) -> None:
    """Bodies of other records stay closed; the tree is whole."""
    ward = attack.hospital.ward
    positions = [
        e.position
        for e in attack.events
        if e.stream in {ward.record, ward.patient} and e.type != "record-opened.v1"
    ]
    for position in (*positions, 100):
        attack.run(
            "UPDATE {ledger}.sealed SET body = body || '\\x00' WHERE position = %(p)s", p=position
        )

    report = attack.verify(record=ward.record)

    assert found(report, "body-unreadable") == positions
    assert report.entries_checked == 260
    assert any("one record only" in note for note in report.notes)


def test_one_untouched_record_is_found_to_be_whole(attack: Attack) -> None:
    """With fewer signatures looked at than there are."""
    report = attack.verify(record=attack.hospital.ward.record)

    assert report.ok
    assert 20 < report.signatures_checked < 40


def test_an_unknown_record_is_refused(attack: Attack) -> None:
    """Nothing is not taken for something good."""
    with pytest.raises(NotFoundError):
        attack.verify(record=attack.hospital.builder.new_id())


def test_the_report_names_no_person_and_quotes_no_content(attack: Attack) -> None:
    """It may be published."""
    frame = attack.frame(12)
    assert "Trần Văn Mẫu".encode() in frame.content
    for position in range(0, 260, 3):
        attack.run(
            "UPDATE {ledger}.sealed SET body = set_byte(body, 700, 0) WHERE position = %(p)s",
            p=position,
        )

    text = attack.verify().as_json().decode()

    assert "Mẫu" not in text
    assert "Ngày" not in text
    assert "022099000001" not in text
