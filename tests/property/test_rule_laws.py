"""Laws that hold after any sequence of events, accepted or refused."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import CommandRefusedError
from ledger.rules.entries import FINAL_STATUSES
from ledger.state import CANCELLED
from tests.builders_hospital import Hospital
from tests.builders_resources import Json, encoded
from tests.builders_rules import Taken, World

FOUNDED = Hospital()
ACTIONS = ("note", "order", "result", "amend", "retract", "cancel", "close")

steps = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS),
        st.integers(0, 9),
        st.sampled_from(["preliminary", "final", "amended"]),
    ),
    max_size=30,
)


class Ward:
    """Tries actions on a copy of the founded hospital; each refusal leaves everything as it was."""

    def __init__(self) -> None:
        self.hospital = copy.deepcopy(FOUNDED)
        self.entries: list[Taken] = []
        self.resources: dict[str, Json] = {}

    def attempt(self, action: str, number: int, status: str) -> None:
        """Do it, or see it refused by a rule."""
        before = copy.deepcopy((self.hospital.directory, self.hospital.streams))
        try:
            taken = self._do(action, number, status)
        except CommandRefusedError:
            assert (self.hospital.directory, self.hospital.streams) == before
            return
        if taken is not None:
            self.entries.append(taken)

    def _do(self, action: str, number: int, status: str) -> Taken | None:
        hospital, name = self.hospital, f"entry {len(self.hospital.taken)}"
        if action == "close":
            return hospital.close()
        if action == "note":
            return self._enter("note-written.v1", hospital.note(name))
        if action == "order":
            return self._enter("order-placed.v1", hospital.order(name))
        if not self.entries:
            return None
        return self._do_about(self.entries[number % len(self.entries)], action, status)

    def _do_about(self, target: Taken, action: str, status: str) -> Taken:
        hospital, name = self.hospital, f"entry {len(self.hospital.taken)}"
        signer = target.statement.signer
        if action == "cancel":
            reason = encoded({"reason": "Đổi"})
            return hospital.enter("order-cancelled.v1", reason, refs=[target.ref("answers")])
        if action == "result":
            early = "final" if status == "amended" else status
            content = hospital.result(target, name, status=early)
            return self._enter("result-reported.v1", content, target, hospital.technician)
        if action == "retract":
            return hospital.retract(target, signer=signer)
        return self._amend(target, status)

    def _enter(
        self, tag: str, content: Json, order: Taken | None = None, signer: str = ""
    ) -> Taken:
        refs = [] if order is None else [order.ref("answers")]
        members = {"signer": signer or self.hospital.doctor, "refs": refs}
        taken = self.hospital.enter(tag, content, **members)
        self.resources[taken.statement.event_id] = content
        return taken

    def _amend(self, target: Taken, status: str) -> Taken:
        stream = self.hospital.streams[self.hospital.record]
        root = stream.root_of(target.statement.event_id)
        content = self.resources.get("" if root is None else root.root, self.hospital.note())
        resource = copy.deepcopy(content)
        if "entry" in resource:
            for entry in resource["entry"]:
                entry["resource"]["status"] = status
        elif resource["resourceType"] == "Composition":
            resource["status"] = status
        return self.hospital.amend(target, resource, signer=target.statement.signer)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_no_sequence_of_events_breaks_a_record(tried: list[tuple[str, int, str]]) -> None:
    ward = Ward()
    for step in tried:
        ward.attempt(*step)
    stream = ward.hospital.streams[ward.hospital.record]
    events = list(stream.events.values())
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    orders = [event for event in events if event.type == "order-placed.v1"]
    for order in orders:
        standing = [stream.events[r] for r in order.results if not stream.events[r].is_retracted]
        final = [result for result in standing if result.status in FINAL_STATUSES]
        assert len(final) <= 1
        assert not (order.status == CANCELLED and final)
        assert not (order.is_retracted and standing)
    if stream.closed:
        closing = next(e.version for e in events if e.type == "record-closed.v1")
        late = {event.type for event in events if event.version > closing}
        assert late <= {"entry-amended.v1", "entry-retracted.v1"}


@settings(max_examples=30, deadline=None)
@given(steps)
def test_replaying_any_accepted_sequence_gives_the_same_state(
    tried: list[tuple[str, int, str]],
) -> None:
    ward = Ward()
    for step in tried:
        ward.attempt(*step)
    replayed = World()
    for draft in ward.hospital.taken:
        replayed.take(draft)
    assert replayed.directory == ward.hospital.directory
    assert replayed.streams == ward.hospital.streams
