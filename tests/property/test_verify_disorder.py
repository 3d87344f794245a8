"""Whatever well-signed events are appended in whatever order, verification ends with findings."""

import functools
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.database import Database
from ledger.verify.entries import SpanChecker, uuid_text
from ledger.verify.events import EventJudge
from ledger.verify.joining import PackedNewest, SpanJoiner
from ledger.verify.keys import StreamKeys
from ledger.verify.reading import EventReader
from ledger.verify.report import Finding, Findings
from ledger.verify.rows import StoredEvent
from tests import contents
from tests.hospital import Hospital
from tests.ledger_builder import Author, Built, LedgerBuilder

NOWHERE = Database("", "ledger")
_Act = Callable[[contents.Ward, int], object]


@functools.cache
def _people() -> tuple[Author, ...]:
    """Four people and a device with keys, made once: that is slow."""
    builder = LedgerBuilder(NOWHERE)
    return (*(builder.author() for _ in range(4)), builder.author("ES384"))


def _hospital() -> Hospital:
    builder = LedgerBuilder(NOWHERE)
    for _ in range(100):
        builder.new_id()  # those of the people are taken
    hospital = Hospital(builder, people=_people())
    hospital.found()
    return hospital


def _findings(builder: LedgerBuilder) -> tuple[Finding, ...]:
    findings = Findings()
    rows = builder.pending_rows()
    joiner = SpanJoiner(findings, newest=PackedNewest())
    joiner.join(SpanChecker(findings, start=0).check(row for row, _ in rows))
    judge = EventJudge(findings, tree=joiner.tree)
    reader = EventReader(
        findings,
        joiner.tree,
        keys=StreamKeys(builder.keyring, builder.pending_keys(), findings),
        key_of=judge.key_of,
        origin=builder.origin,
    )
    for row, body in rows:
        stream, event_id = uuid_text(row.stream), uuid_text(row.event_id)
        event = reader.read(StoredEvent(row.position, stream, event_id, row.entry, body))
        if event is not None:
            judge.judge(event)
    return findings.result()


class _Chaos:
    """Does one thing after another, allowed or not, to targets chosen by number."""

    def __init__(self, hospital: Hospital) -> None:
        self.hospital = hospital
        self.notes: list[Built] = []
        self.orders: list[Built] = []

    def act(self, what: int, which: int) -> None:
        """Append one event."""
        hospital = self.hospital
        ward = (hospital.ward, hospital.other)[which % 2]
        hospital.opened_ms.setdefault(ward.record, hospital.builder.now_ms)
        acts: list[_Act] = [
            self._admit,
            self._note,
            self._order,
            self._result,
            self._amend,
            self._retract,
            lambda ward, _: hospital.close(ward),
            lambda ward, _: hospital.vitals(ward),
            lambda _, which: hospital.revoke(self._staff(which)),
            self._enrol,
            self._withdraw,
        ]
        acts[what % len(acts)](ward, which)

    def _staff(self, which: int) -> Author:
        people = self.hospital
        return (people.doctor, people.nurse, people.analyser, people.registrar)[which % 4]

    def _admit(self, ward: contents.Ward, _which: int) -> None:
        self.hospital.admit(ward)

    def _note(self, ward: contents.Ward, which: int) -> None:
        self.notes.append(self.hospital.note(ward, author=self._staff(which)))

    def _order(self, ward: contents.Ward, _which: int) -> None:
        self.orders.append(self.hospital.order(ward))

    def _result(self, ward: contents.Ward, which: int) -> None:
        if self.orders:
            self.hospital.result(ward, self.orders[which % len(self.orders)])

    def _amend(self, ward: contents.Ward, which: int) -> None:
        if self.notes:
            note = self.notes[which % len(self.notes)]
            self.notes.append(self.hospital.amend_note(ward, note, text="Lại."))

    def _retract(self, ward: contents.Ward, which: int) -> None:
        targets = self.notes + self.orders
        if targets:
            self.hospital.retract(ward, targets[which % len(targets)])

    def _enrol(self, _ward: contents.Ward, which: int) -> None:
        roles = ("doctor", "nurse", "laboratory", "administrator")
        self.hospital.enrol(self._staff(which), roles[which % 4], device=which % 4 == 2)

    def _withdraw(self, _ward: contents.Ward, which: int) -> None:
        hospital = self.hospital
        hospital.builder.add(
            "role-withdrawn.v1",
            hospital.registrar,
            stream=self._staff(which).staff,
            content={"role": ("registrar", "administrator")[which % 2], "reason": "left"},
        )


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 10), st.integers(0, 7)), max_size=40))
def test_disorder_is_reported_and_never_stops_the_verification(
    steps: list[tuple[int, int]],
) -> None:
    """Hashes and signatures are whole, so only the rules have something to say."""
    chaos = _Chaos(_hospital())
    for what, which in steps:
        chaos.act(what, which)

    codes = {finding.code for finding in _findings(chaos.hospital.builder)}

    assert codes <= {"rule-broken", "role-not-valid", "key-not-valid", "reference-mismatch"}


def test_order_is_not_reported() -> None:
    """The same things in their order are without findings."""
    chaos = _Chaos(_hospital())
    for which in (0, 1, 2):
        chaos.act(9, which)
    for what in (0, 1, 2, 3, 4, 7, 6):
        chaos.act(what, 0)

    assert _findings(chaos.hospital.builder) == ()
