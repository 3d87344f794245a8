"""What `verify --hashes-only` finds, which opens no sealed body."""

from tests.attack import Attack, found

SEALED = 100
"""A note in the second record; nothing special about it."""


def test_bodies_that_are_missing_alone_or_of_no_form_are_found(attack: Attack) -> None:
    """Of a body that stays closed it is told that it is there, and sealed."""
    attack.delete(SEALED, tables=("sealed",))
    attack.delete(SEALED + 2, tables=("entry",))
    attack.run(
        "UPDATE {ledger}.sealed SET body = set_byte(body, 0, 2) WHERE position = %(p)s",
        p=SEALED + 4,
    )

    report = attack.verify(hashes_only=True)

    assert found(report, "body-missing") == [SEALED]
    assert found(report, "position-gap") == [SEALED + 2]
    assert found(report, "body-unreadable") == [SEALED + 4]


def test_without_the_index_by_position_the_same_is_found(attack: Attack) -> None:
    """Whoever drops it makes reading slower, and hides nothing."""
    attack.run(
        "UPDATE {ledger}.entry SET link_salt = %(salt)s WHERE position = %(p)s",
        salt=bytes(32),
        p=SEALED,
    )
    with_index = attack.verify(hashes_only=True)
    attack.run("ALTER TABLE {ledger}.entry DROP CONSTRAINT entry_position_is_unique")

    report = attack.verify(hashes_only=True)

    assert found(report, "link-broken") == [SEALED]
    assert report.findings == with_index.findings


def test_two_rows_at_one_position_are_found(attack: Attack) -> None:
    """Also where an index still leads to both."""
    attack.run(
        "ALTER TABLE {ledger}.entry DROP CONSTRAINT entry_position_is_unique,"
        " DROP CONSTRAINT entry_version_is_unique, DROP CONSTRAINT entry_event_id_is_unique"
    )
    attack.run("CREATE INDEX ON {ledger}.entry (position)")
    attack.run("INSERT INTO {ledger}.entry SELECT * FROM {ledger}.entry WHERE position = 100")

    report = attack.verify(hashes_only=True)

    assert found(report, "position-gap") == [SEALED]
    assert found(report, "duplicate-event") == []
    assert found(report, "version-gap")[0] == SEALED
