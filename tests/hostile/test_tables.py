"""Whole tables that are not as they must be: surplus rows, dropped columns, foreign keys."""

import pytest

from ledger.errors import EnvironmentRefusedError
from ledger.keyring import FileKeyWrapper, Keyring
from tests.attack import Attack, found
from tests.ledger_builder import FACILITY_KEY

SEALED = 100


def test_a_row_beyond_the_head_is_found(attack: Attack) -> None:
    """The head says where the ledger ends."""
    attack.hospital.note(attack.hospital.other)
    attack.hospital.builder.commit()
    size, root, peaks = 260, attack.hospital.builder.roots[260], attack.peaks_at(260)
    attack.run(
        "UPDATE {ledger}.head SET size = %(size)s, root = %(root)s, peaks = %(peaks)s",
        size=size,
        root=root,
        peaks=peaks,
    )

    report = attack.verify()

    assert [(f.code, f.position) for f in report.findings] == [("head-mismatch", 260)]


def test_a_second_head_or_ledger_row_is_found(attack: Attack) -> None:
    """Readers would take either."""
    attack.disarm()
    attack.run("INSERT INTO {ledger}.head SELECT * FROM {ledger}.head")
    attack.run("INSERT INTO {ledger}.ledger SELECT * FROM {ledger}.ledger")

    report = attack.verify()

    assert found(report, "head-mismatch") == [259]
    assert found(report, "column-mismatch") == [0]


def test_two_rows_at_one_position_are_found(attack: Attack) -> None:
    """A dropped primary key lets them be."""
    attack.disarm()
    for table in ("entry", "sealed"):
        attack.move(table, SEALED + 1, SEALED)

    report = attack.verify()

    assert {SEALED, SEALED + 1} <= set(found(report, "position-gap"))


def test_a_ledger_without_any_rows_is_not_taken_for_a_good_one(attack: Attack) -> None:
    """An emptied ledger is refused, or found when its head was forgotten."""
    for table in ("entry", "sealed", "tile", "ledger"):
        attack.run(attack.only("TRUNCATE {ledger}.TABLE", table))

    assert found(attack.verify(), "position-gap") == [0]

    attack.run("UPDATE {ledger}.head SET size = 0, peaks = ''")
    with pytest.raises(EnvironmentRefusedError):
        attack.verify()


def test_tables_that_cannot_be_read_end_the_verification_with_a_reason(attack: Attack) -> None:
    """A dropped column is no finding at a position, and not a good ledger either."""
    attack.run("ALTER TABLE {ledger}.entry DROP COLUMN link_salt")

    with pytest.raises(EnvironmentRefusedError, match="SQLSTATE 42703"):
        attack.verify()


def test_keys_bound_to_another_origin_are_not_used(attack: Attack) -> None:
    """A changed origin in the ledger row must not end in a wall of unreadable bodies."""
    attack.run("UPDATE {ledger}.ledger SET origin = 'elsewhere.example/ledger'")
    attack.hospital.builder.keyring = Keyring(
        FileKeyWrapper(FACILITY_KEY), "elsewhere.example/ledger"
    )

    report = attack.verify()

    assert [(f.code, f.position) for f in report.findings] == [("column-mismatch", 0)]
    assert any("without the facility key" in note for note in report.notes)
