"""However many processes share the work, they find what one finds: at the same places, once."""

import random
from collections.abc import Callable, Generator
from pathlib import Path

import msgspec
import pytest

from ledger.verify import Report
from tests.attack import Attack
from tests.copied import built_hospital, copied
from tests.hospital import Hospital
from tests.postgres import Server

EVENTS = 800
"""So that there are four spans, whatever the number of processes."""
CHANCE = 20_261_122


@pytest.fixture(scope="module")
def large_hospital(postgres_server: Server, template_url: str) -> Generator[Hospital]:
    """A hospital of several spans; its database is only ever copied."""
    with built_hospital(postgres_server, template_url, events=EVENTS) as found:
        yield found


@pytest.fixture
def large(postgres_server: Server, large_hospital: Hospital) -> Generator[Attack]:
    """A superuser's session on a copy of it, without any constraint."""
    with copied(postgres_server, large_hospital) as session:
        session.disarm()
        yield session


def _nothing(_attack: Attack) -> None:
    """Leave the ledger as it is."""


def _gap_over_the_border(attack: Attack) -> None:
    attack.delete(*range(250, 262))
    attack.delete(511, tables=("sealed",))


def _links_over_the_border(attack: Attack) -> None:
    for position in (255, 256, 257, 511, 512):
        attack.run(
            "UPDATE {ledger}.entry SET link_salt = decode(repeat('ab', 32), 'hex')"
            " WHERE position = %(p)s",
            p=position,
        )
    attack.set_entry(256, received_at_ms=1)
    attack.set_entry(511, received_at_ms=9_000_000_000_000)


def _copies_and_strays(attack: Attack) -> None:
    for table in ("entry", "sealed"):
        attack.move(table, 300, 299)
        attack.move(table, 5, -7)
        attack.move(table, 700, 2**60)
    attack.run("UPDATE {ledger}.entry SET position = NULL WHERE position = 400")
    attack.run(
        "UPDATE {ledger}.entry SET event_id ="
        " (SELECT event_id FROM {ledger}.entry WHERE position = 50) WHERE position = 600"
    )


def _chaos(attack: Attack) -> None:
    """Exchange, delete and overwrite columns of random rows of both tables."""
    chance = random.Random(CHANCE)  # noqa: S311 - which rows
    for _ in range(40):
        one, other = chance.sample(range(EVENTS), 2)
        match chance.randrange(5):
            case 0:
                attack.run(
                    "UPDATE {ledger}.sealed AS s SET body = o.body FROM {ledger}.sealed AS o"
                    " WHERE s.position = %(one)s AND o.position = %(other)s",
                    one=one,
                    other=other,
                )
            case 1:
                attack.run(
                    "UPDATE {ledger}.entry AS e SET stream = o.stream, version = o.version"
                    " FROM {ledger}.entry AS o"
                    " WHERE e.position = %(one)s AND o.position = %(other)s",
                    one=one,
                    other=other,
                )
            case 2:
                attack.delete(one)
            case 3:
                attack.run(
                    "UPDATE {ledger}.entry SET entry = set_byte(entry, 60, 7)"
                    " WHERE position = %(one)s",
                    one=one,
                )
            case _:
                attack.move("sealed", one, other)


def _key_of_a_doctor_gone(attack: Attack) -> None:
    """All that the enrolment carried falls with it, in every span."""
    enrolments = [event for event in attack.events if event.type == "key-enrolled.v1"]
    attack.delete(enrolments[-1].position)
    attack.run("UPDATE {keys}.stream_key SET stream_kind = 'record' WHERE stream_kind = 'staff'")


DAMAGES: tuple[Callable[[Attack], None], ...] = (
    _nothing,
    _gap_over_the_border,
    _links_over_the_border,
    _copies_and_strays,
    _chaos,
    _key_of_a_doctor_gone,
)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
def test_any_number_of_processes_reports_the_same(
    large: Attack, damage: Callable[[Attack], None], tmp_path: Path
) -> None:
    """Findings, counts, root and order; receipts are compared as well."""
    acks = large.acks(tmp_path)
    damage(large)

    reports = [
        _without_time(large.verify(acks=acks, processes=processes, alone_below=0))
        for processes in (1, 2, 3)
    ]

    assert reports[0] == reports[1] == reports[2]
    assert reports[0].ok is (damage is _nothing)


def _without_time(report: Report) -> Report:
    return msgspec.structs.replace(report, seconds=0)


def test_without_rules_signatures_and_keys_are_checked_and_the_report_says_what_was_not(
    attack: Attack,
) -> None:
    """A note by a revoked key and a forged one are found; a note into a closed record is not."""
    hospital = attack.hospital
    hospital.close(hospital.other)
    hospital.note(hospital.other)
    hospital.revoke(hospital.nurse)
    late = hospital.vitals(hospital.other)
    hospital.builder.commit()
    attack.rewrite_statement(100, occurred_at="2020-01-01T00:00:00.000Z")
    attack.cover_up()

    partly, wholly = (attack.verify(rules=rules) for rules in (False, True))

    assert {(f.code, f.position) for f in partly.findings} >= {
        ("key-not-valid", late.position),
        ("signature-invalid", 100),
    }
    assert "rule-broken" not in {f.code for f in partly.findings}
    assert "rule-broken" in {f.code for f in wholly.findings}
    assert not partly.rules
    assert wholly.rules
    assert partly.signatures_checked == wholly.signatures_checked == partly.size
    assert any("without the rules" in note for note in partly.notes)
