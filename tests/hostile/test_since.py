"""What a verification finds that rests on an auditor's note, and what only its sample can find."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import EnvironmentRefusedError
from ledger.verify.since import Basis, accept_note
from signing.notes import Ed25519Signer
from signing.statement import parse_statement
from signing.verified import sign_verified
from tests.attack import Attack, codes_at, found
from tests.auditing import AUDITOR, basis, said
from tests.checkpointed import CHECKPOINT_SIZES
from tests.noted import note_key

SIZE = 200
OLD = 16
"""A note in the first record, which is closed: nothing new stands in its stream."""


@pytest.fixture
def since(attack: Attack, tmp_path: Path) -> Basis:
    """The auditor's note of the first 200 events; nothing of them is sampled."""
    return basis(tmp_path, said(attack, SIZE))


def test_an_untouched_ledger_is_whole_with_few_of_the_old_signatures_checked(
    attack: Attack, since: Basis, tmp_path: Path
) -> None:
    report = attack.verify(since=since)

    assert report.ok
    assert (report.entries_checked, report.signatures_checked) == (260, _signed(attack, since))
    assert report.signatures_checked < 80
    assert [(anchor.kind, anchor.size) for anchor in report.anchors] == [("notes", SIZE)]
    assert report.since == since.told()
    assert report.notes == ()
    for count in (30, SIZE):
        note = basis(tmp_path, said(attack, SIZE), count=count)
        sampled = attack.verify(since=note)
        assert (sampled.ok, sampled.signatures_checked) == (True, _signed(attack, note))
    assert sampled.signatures_checked == 260


@pytest.mark.parametrize("size", [1, 2, 19, 25, 259, 260])
def test_a_note_of_any_size_can_be_rested_on(attack: Attack, tmp_path: Path, size: int) -> None:
    note = basis(tmp_path, said(attack, size))
    report = attack.verify(since=note)

    assert report.ok
    assert report.signatures_checked == _signed(attack, note)


def _signed(attack: Attack, note: Basis) -> int:
    """Count the signatures to be checked: of new events, the directory, and the sample."""
    kinds = [parse_statement(built.event.statement).stream_kind for built in attack.events]
    return sum(
        position >= note.size or kind in {"facility", "staff"} or position in note.sampled
        for position, kind in enumerate(kinds)
    )


def test_an_old_content_edited_is_found_when_its_event_is_sampled(
    attack: Attack, since: Basis, tmp_path: Path
) -> None:
    """Below the note's size only the sample opens bodies of streams in which nothing is new."""
    assert attack.events[OLD].stream == attack.hospital.ward.record
    _spoil(attack, OLD)

    assert attack.verify(since=since).ok

    report = attack.verify(since=basis(tmp_path, said(attack, SIZE), count=SIZE))

    assert codes_at(report, OLD) == {"body-unreadable"}
    assert [finding.position for finding in report.findings] == [OLD]


def test_what_is_found_depends_on_the_draw_and_nothing_else(attack: Attack, tmp_path: Path) -> None:
    """Every second one of the old events that a run opens only by chance is spoilt."""
    note = basis(tmp_path, said(attack, SIZE), count=40)
    closed = {
        built.position for built in attack.events if built.stream == attack.hospital.ward.record
    }
    spoilt = {position for position in closed if position % 2}
    for position in spoilt:
        _spoil(attack, position)

    report = attack.verify(since=note)

    assert {finding.position for finding in report.findings} == spoilt & note.sampled
    assert spoilt & note.sampled
    assert spoilt - note.sampled


def test_several_processes_find_the_same(attack: Attack, tmp_path: Path) -> None:
    """Each knows the note, and draws the same sample."""
    note = basis(tmp_path, said(attack, SIZE), count=40)
    for built in attack.events[12:240:4]:
        _spoil(attack, built.position)

    one, two = (attack.verify(since=note, processes=n, alone_below=0) for n in (1, 2))

    assert one.findings == two.findings != ()
    assert one.signatures_checked == two.signatures_checked


def test_an_old_event_of_a_stream_that_goes_on_is_opened_without_a_sample(
    attack: Attack, since: Basis
) -> None:
    """The rules for what is new need it; its signature was checked before, over these bytes."""
    assert attack.events[100].stream == attack.hospital.other.record
    _spoil(attack, 100)

    assert codes_at(attack.verify(since=since), 100) == {"body-unreadable"}


def test_an_old_signature_that_the_auditor_could_not_have_accepted_is_found_by_the_sample(
    attack: Attack, tmp_path: Path
) -> None:
    """All recomputed, and even the note is of the recomputed tree: an auditor who never looked."""
    attack.rewrite_statement(OLD, occurred_at="2020-01-01T00:00:00.000Z")
    attack.cover_up()
    root = bytes(attack.run("SELECT root FROM {ledger}.head")[0][0])
    lie = said(attack, 260, root=root)

    assert "signature-invalid" not in codes_at(attack.verify(since=basis(tmp_path, lie)), OLD)

    report = attack.verify(since=basis(tmp_path, lie, count=260))

    assert "signature-invalid" in codes_at(report, OLD)


def test_an_old_entry_edited_contradicts_the_note(attack: Attack, since: Basis) -> None:
    """Entries are hashed again in any case."""
    attack.set_entry(OLD, received_at_ms=attack.events[OLD].received_at_ms + 1)

    report = attack.verify(since=since)

    assert found(report, "leaf-mismatch") == [OLD]
    assert found(report, "checkpoint-inconsistent") == [SIZE - 1]


def test_an_old_event_rewritten_with_everything_recomputed_contradicts_the_note(
    attack: Attack, since: Basis
) -> None:
    """A fork: named as against a kept checkpoint."""
    attack.rewrite_statement(OLD, occurred_at="2020-01-01T00:00:00.000Z")
    attack.cover_up()

    report = attack.verify(since=since)

    assert found(report, "checkpoint-inconsistent") == [SIZE - 1]
    assert "seen-inconsistent" in {finding.code for finding in report.findings}


@pytest.mark.parametrize("size", [30, 150, SIZE - 1])
def test_a_ledger_cut_off_below_the_note_contradicts_it(
    attack: Attack, since: Basis, size: int
) -> None:
    """A rollback, with the head rewritten: nothing inside the database tells of it."""
    attack.truncate(size)
    attack.cover_up()
    assert attack.verify().ok

    report = attack.verify(since=since)

    assert found(report, "checkpoint-inconsistent") == [size]
    assert [finding.code for finding in report.findings] == ["checkpoint-inconsistent"]


def test_a_ledger_that_is_gone_contradicts_the_note(attack: Attack, since: Basis) -> None:
    attack.truncate(0)
    attack.run("TRUNCATE {ledger}.tile")
    attack.cover_up()

    assert found(attack.verify(since=since), "checkpoint-inconsistent") == [0]


def test_old_entries_and_bodies_that_are_gone_are_found(attack: Attack, since: Basis) -> None:
    attack.delete(OLD, tables=("sealed",))

    assert codes_at(attack.verify(since=since), OLD) == {"body-missing"}

    attack.delete(OLD)

    report = attack.verify(since=since)
    assert found(report, "position-gap") == [OLD]
    assert found(report, "checkpoint-inconsistent") == [OLD]


def test_a_revocation_made_to_look_sealed_does_not_bring_the_key_back(
    attack: Attack, tmp_path: Path
) -> None:
    """Of the directory every old event is opened, whatever its body looks like by now."""
    hospital = attack.hospital
    order = hospital.order(hospital.other)
    revoked = hospital.revoke(hospital.analyser)
    hospital.builder.commit()
    since = basis(tmp_path, said(attack, revoked.position + 1))
    hospital.result(hospital.other, order)
    hospital.builder.commit()
    assert codes_at(attack.verify(since=since), revoked.position + 1) == {"key-not-valid"}

    attack.run(
        "UPDATE {ledger}.sealed SET body = set_byte(body, 0, 1) WHERE position = %(p)s",
        p=revoked.position,
    )

    assert codes_at(attack.verify(since=since), revoked.position) == {"body-unreadable"}


def test_without_the_facility_key_the_directory_and_all_entries_are_looked_at(
    attack: Attack, since: Basis
) -> None:
    report = attack.verify(since=since, keyring=False)

    assert (report.ok, report.opened) == (True, "directory")
    assert report.signatures_checked == attack.verify(keyring=False).signatures_checked
    attack.set_entry(OLD, received_at_ms=attack.events[OLD].received_at_ms + 1)
    assert found(attack.verify(since=since, keyring=False), "checkpoint-inconsistent") == [SIZE - 1]


def test_a_note_of_another_ledger_is_refused(attack: Attack, tmp_path: Path) -> None:
    other = said(attack, SIZE, origin="another.example/ledger")
    with pytest.raises(EnvironmentRefusedError, match=r"of the ledger another\.example/ledger"):
        attack.verify(since=basis(tmp_path, other))


def test_a_note_by_the_ledgers_own_key_is_refused(attack: Attack, tmp_path: Path) -> None:
    """Under whatever name: the ledger cannot be its own auditor."""
    own = Ed25519Signer("so-y-te.example/auditor", attack.hospital.checkpoint)
    with pytest.raises(EnvironmentRefusedError, match="the ledger's own key"):
        attack.verify(since=basis(tmp_path, said(attack, SIZE), signer=own))


def test_a_forged_note_is_not_accepted(attack: Attack, tmp_path: Path) -> None:
    """Another key under the auditor's name, an altered text, no note at all, no file."""
    path = tmp_path / "verified"
    thief = Ed25519Signer("so-y-te.example/auditor", note_key("a thief"))
    good = sign_verified(said(attack, SIZE), AUDITOR)
    for data, code in (
        (sign_verified(said(attack, SIZE), thief), "note-not-signed"),
        (good.replace(b"\n200\n", b"\n201\n"), "signature-invalid"),
        (good.replace(b"clinledger/verified/v1", b"clinledger/verified/v2"), "verified-malformed"),
        (b"", "note-malformed"),
        (b"x" * (1 << 21), "note-too-large"),
    ):
        path.write_bytes(data)
        with pytest.raises(EnvironmentRefusedError, match=code):
            accept_note(path, [AUDITOR.verifier])
    with pytest.raises(EnvironmentRefusedError, match="cannot be read"):
        accept_note(tmp_path / "none", [AUDITOR.verifier])


_Tamper = Callable[[Attack, int, int], object]


def _spoil(attack: Attack, position: int, at: int = 300) -> None:
    attack.run(
        "UPDATE {ledger}.sealed SET body ="
        " set_byte(body, %(at)s %% length(body), get_byte(body, %(at)s %% length(body)) # 1)"
        " WHERE position = %(p)s",
        p=position,
        at=at,
    )


def _flip(column: str) -> _Tamper:
    query = (
        "UPDATE {ledger}.entry SET COLUMN = set_byte(COLUMN, %(at)s %% length(COLUMN),"
        " get_byte(COLUMN, %(at)s %% length(COLUMN)) # 1) WHERE position = %(p)s"
    )
    text = query.replace("COLUMN", column)
    return lambda attack, position, at: attack.connection.execute(
        attack.database.query(text),  # pyright: ignore[reportArgumentType] - constants
        {"p": position, "at": at},
    )


def _set(assignment: str) -> _Tamper:
    text = "UPDATE {ledger}.entry SET ASSIGNMENT WHERE position = %(p)s"
    text = text.replace("ASSIGNMENT", assignment)
    return lambda attack, position, at: attack.connection.execute(
        attack.database.query(text),  # pyright: ignore[reportArgumentType] - constants
        {"p": position, "at": at},
    )


TAMPERINGS: dict[str, _Tamper] = {
    "body": _spoil,
    "entry": _flip("entry"),
    "leaf": _flip("leaf_hash"),
    "salt": _flip("link_salt"),
    "version": _set("version = version + %(at)s - 50"),
    "event": _set("event_id = (SELECT event_id FROM {ledger}.entry WHERE position = %(at)s)"),
    "stream": _set("stream = (SELECT stream FROM {ledger}.entry WHERE position = %(at)s)"),
    "orphan": lambda attack, position, _: attack.delete(position, tables=("entry",)),
    "bodiless": lambda attack, position, _: attack.delete(position, tables=("sealed",)),
    "gone": lambda attack, position, _: attack.delete(position),
    "cut": lambda attack, position, _: attack.truncate(position),
    "moved": lambda attack, position, at: attack.move("entry", position, 300 + at),
    "restated": lambda attack, position, _: attack.rewrite_statement(
        position, occurred_at="2020-01-01T00:00:00.000Z"
    ),
    "covered": lambda attack, position, _: (
        attack.rewrite_statement(position, occurred_at="2020-01-01T00:00:00.000Z"),
        attack.cover_up(),
    ),
}
_TABLES = ("entry", "sealed", "tile", "head")


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(sorted(TAMPERINGS)),
    size_and_part=st.tuples(st.integers(20, 259), st.floats(0, 1)),
    at=st.integers(0, 100),
)
def test_what_is_tampered_with_after_the_note_is_found_as_if_all_were_verified(
    disarmed: Attack, tmp_path: Path, name: str, size_and_part: tuple[int, float], at: int
) -> None:
    """Whatever is done at or after the note's size, both verifications say the same of it."""
    size, part = size_and_part
    position = min(259, size + round(part * (259 - size)))
    TAMPERINGS[name](disarmed, position, at)
    try:
        whole = disarmed.verify().findings
        assert whole or name in {"version", "event", "stream"}
        assert disarmed.verify(since=basis(tmp_path, said(disarmed, size))).findings == whole
    finally:
        for column in disarmed.columns():
            if column.table in _TABLES:
                disarmed.restore(column)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(sorted(set(TAMPERINGS) - {"cut"})),
    position=st.integers(0, 219),
    at=st.integers(0, 100),
)
def test_what_is_tampered_with_below_the_note_is_found_where_all_of_it_is_sampled(
    disarmed: Attack, tmp_path: Path, name: str, position: int, at: int
) -> None:
    """Each position with a finding has one; beyond that the note itself is contradicted."""
    TAMPERINGS[name](disarmed, position, at)
    try:
        whole = disarmed.verify()
        report = disarmed.verify(since=basis(tmp_path, said(disarmed, 220), count=220))
        assert report.ok == whole.ok
        for finding in whole.findings[:1]:
            assert finding.code in codes_at(report, finding.position)
    finally:
        for column in disarmed.columns():
            if column.table in _TABLES:
                disarmed.restore(column)


def test_a_report_says_where_the_checkpoints_stood_that_were_compared(disarmed: Attack) -> None:
    """The picture of the report shows them."""
    assert disarmed.verify().marks.stored == CHECKPOINT_SIZES
